"""The policy of a fresh install: version 0, careful numbers, shadow unless the operator starts the guard with `--enforce`."""

from guard.decisions.decision import Mode, Scope
from guard.policy.policy import (
    BLOCK_FAMILIES_MIN,
    LADDER_DEFAULT,
    THROTTLE_RATE_RPM_DEFAULT,
    TTL_MS_DEFAULT,
    Caps,
    Policy,
    Rung,
)
from guard.scoring.thresholds import DEFAULTS
from guard.units import EventTimeMs


def builtin_policy(*, enforce: bool) -> Policy:
    """The policy in force where no accepted document is."""
    mode = Mode.ENFORCE if enforce else Mode.SHADOW
    return Policy(
        version=0,
        author="guard",
        effective_at=EventTimeMs(0),
        hash=f"builtin-{mode.value}",
        modes={scope.value: mode for scope in Scope if scope is not Scope.ALL},
        rungs=tuple(Rung(action, score, TTL_MS_DEFAULT[action]) for action, score in LADDER_DEFAULT),
        throttle_rate_rpm=THROTTLE_RATE_RPM_DEFAULT,
        block_families_min=BLOCK_FAMILIES_MIN,
        caps=Caps(),
        thresholds=dict(DEFAULTS),
        rules_off=frozenset(),
        rules_shadow=frozenset(),
        allowed={},
        orders={},
        releases=(),
    )
