"""From a verdict to a sentence: which rung, how long, whether anything new is to be said at all.

Up at once, down only by expiry. Going up may ask for a little more than the rung (`guard.policy.jitter`). An order near its end is renewed
while the score stays within `HYSTERESIS` of its rung; beyond that it expires by itself. What this module cannot do: exempt, cap or
name a subject; its callers do.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

from guard.decisions.decision import Action
from guard.decisions.standing import Order
from guard.policy.jitter import raised
from guard.policy.policy import Policy
from guard.scoring.fusion import Verdict, fuse
from guard.scoring.reasons import Reason

HYSTERESIS: Final = 0.05
"""By how much a score may fall below a rung and still renew the order: noise of a share over 64 exchanges is about +-0.06."""

RENEW_SHARE: Final = 0.5
"""An order is renewed in the last half of its time only, so that a subject's decisions stay few."""


class Sentence(NamedTuple):
    """What is to be decided: the rung and until when (event time)."""

    action: Action
    expires_at: int


def weigh(evidence: Iterable[Reason], policy: Policy, relief: float = 0.0) -> Verdict:
    """The verdict over the evidence that the policy admits; rules in shadow are reported with weight 0."""
    off, shadow = policy.rules_off, policy.rules_shadow
    if off or shadow:
        evidence = [
            Reason(r.code, r.family, r.value, r.threshold, r.baseline, 0.0) if r.code in shadow else r
            for r in evidence
            if r.code not in off
        ]
    return fuse(evidence, relief)


def judge(
    verdict: Verdict, standing: Order | None, policy: Policy, at: int, offset: float = 0.0, least: Action = Action.THROTTLE
) -> Sentence | None:
    """The sentence that the verdict asks for at `at`, or None when what stands is enough.

    `offset` (0-1) raises rungs not yet reached; `least` is the mildest action that does anything to the subject.
    """
    held = Action(standing.action) if standing is not None and standing.is_active(at) else Action.ALLOW
    reached, ttl_ms = _rung(verdict, policy, Action.THROTTLE if held == least else held, offset)
    action = max(reached, least) if reached is not Action.ALLOW else reached
    if action != reached:
        ttl_ms = policy.rung(action).ttl_ms
    if action is Action.ALLOW or action < held:
        return None
    if action == held and standing is not None and standing.expires_at - at > ttl_ms * RENEW_SHARE:
        return None
    return Sentence(action, at + ttl_ms)


def rewritten(standing: Order | None, at: int) -> Sentence | None:
    """What stands, to be written once more since its members have changed; None when nothing does."""
    if standing is None or not standing.is_active(at) or standing.action <= Action.ALLOW:
        return None
    return Sentence(Action(standing.action), standing.expires_at)


def _rung(verdict: Verdict, policy: Policy, held: Action, offset: float) -> tuple[Action, int]:
    reached, ttl_ms = Action.ALLOW, 0
    for rung in policy.rungs:
        asked = rung.score - HYSTERESIS if rung.action == held else raised(rung.score, offset if rung.action > held else 0.0)
        is_grounded = rung.action < Action.BLOCK or verdict.families >= policy.block_families_min
        if verdict.score >= asked and is_grounded:
            reached, ttl_ms = rung.action, rung.ttl_ms
    return reached, ttl_ms
