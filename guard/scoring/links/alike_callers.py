"""Alike callers: strangers on one template who call at any time of the day and at one and the same pace, whatever they ask."""

from typing import Final

from guard.scoring.account_rules import Features, Numbers, reason
from guard.scoring.links.crowd import Crowd
from guard.scoring.links.even_rates import EVEN_FEW, EVEN_MANY, TIMED_SHARE
from guard.scoring.links.kinds import SEVERAL_PRINCIPALS, TEMPLATE_KINDS
from guard.scoring.links.sessions import callers_steadiness
from guard.scoring.ramp import ramp
from guard.scoring.reasons import Reason
from guard.state.link import KeyKind

ALIKE_MAX: Final = 0.5
ALIKE_SCATTER: Final = 0.25
UNLIKE_SCATTER: Final = 0.45
"""Variance of the logarithm of the pace up to which callers are alike, and from which they are not. The rates of ServeGen's clients, whose squared CV
is above 1.23 in 99 % of draws of thirty (`python -m tests.bench.dispersion`), have 0.8 and more; weights of a balancer between a half and
double give 0.16, the number of gaps that a pace is told by another 0.02 to 0.12."""
SITTING_HOURS: Final = 1.0
SITTINGS_HOURS: Final = 2.0
"""What one sitting may last, up to which nobody has had a pause, and from which most people have."""


def alike_callers(kind: KeyKind, features: Features, crowd: Crowd, numbers: Numbers) -> Reason | None:
    """Needs no more than a use or two of the key by each account, so that a pool of many prompts is told by any of them."""
    if kind not in TEMPLATE_KINDS or features.get("principals") != SEVERAL_PRINCIPALS:
        return None
    weight = ALIKE_MAX * alikeness(features)
    return reason("alike_callers", features["callers_scatter"], UNLIKE_SCATTER, 1.0, weight) if weight > 0 else None


def alikeness(features: Features) -> float:
    """0-1: how surely the callers are alike; nothing for timers, people in sessions and small groups."""
    scatter = features.get("callers_scatter")
    if scatter is None or features.get("timed", 0.0) >= TIMED_SHARE:
        return 0.0
    ground = ramp(features["accounts"], EVEN_FEW, EVEN_MANY)
    time = ramp(features["exposure_hours"], SITTING_HOURS, SITTINGS_HOURS)
    return ground * time * callers_steadiness(features) * (1.0 - ramp(scatter, ALIKE_SCATTER, UNLIKE_SCATTER))
