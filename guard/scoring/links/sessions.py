"""Whether the callers of a key come in sessions, as people do, or call at any time."""

from math import exp
from typing import Final

from guard.scoring.account_rules import Features
from guard.scoring.links.settled import SESSIONS_HOURS
from guard.scoring.ramp import ramp
from guard.state.behaviour import SLOT_MS
from guard.units import HOUR_MS

AWAKE_SHARE: Final = 2 / 3
"""Of a day with a night of eight hours off: who calls at any time of it uses so many of many slots, and as many as at random of few."""
SESSIONS_SHARE: Final = 0.57
STEADY_SHARE: Final = 0.64
"""Spread, as a share of what calling at any time with a night off gives, up to which callers come in sessions, and from which they do not: ten turns
within two slots give 0.2, a kit of seven steps that everybody walks through within an hour or two 0.57."""
SESSIONS_SPREAD: Final = 0.45
STEADY_SPREAD: Final = 0.57
"""The least that both are, for use in most of the slots."""
CLEAR_SPREAD: Final = 0.35
"""Spread up to which sessions are plain to see; from `DIM_SPREAD` on they are not."""
DIM_SPREAD: Final = 0.5
CALLERS_SESSIONS: Final = 0.68
CALLERS_STEADY: Final = 0.78
"""Spread of the callers, as of a key: people on one occasion, or with one tool at work, go at one pace for hours, but not without a pause."""
SITTING_HOURS: Final = 0.25
"""What the first session fills of the time that an account has had, so much more spread it shows (turns follow within minutes)."""
WHOLE_SHARE: Final = 0.6
"""Devotion from which a key's own uses show whether its accounts come in sessions. Of a session of ten turns in two slots, a key with a share d
of the turns shows a spread of (1 - (1 - d)^5) / 5d: beyond `SESSIONS_SPREAD` below a share of 0.4, as if there were no sessions. The devotion
of typical adherents is more than the mean share: 0.4 to 0.5 where that is 0.25."""


def sittings(features: Features) -> float:
    """0-1: how plainly the callers come in sessions; 0 where too little time has passed to tell."""
    spread = _spread(features)
    return 0.0 if spread is None or features["exposure_hours"] < SESSIONS_HOURS else 1.0 - ramp(spread, CLEAR_SPREAD, DIM_SPREAD)


def steadiness(features: Features) -> float:
    """0-1: how surely the callers do not come in sessions; 0 where too little time has passed to tell."""
    spread = _spread(features)
    if spread is None:
        return 0.0
    hours = features["exposure_hours"]
    at_any_time = _spread_at_any_time(features["uses_per_account"], hours * HOUR_MS / SLOT_MS)
    sessions, steady = max(SESSIONS_SPREAD, SESSIONS_SHARE * at_any_time), max(STEADY_SPREAD, STEADY_SHARE * at_any_time)
    return ramp(spread - SITTING_HOURS / hours, sessions, steady)


def callers_steadiness(features: Features) -> float:
    """0-1: how surely the callers do not come in sessions, with all that they do."""
    return ramp(features.get("callers_spread", 0.0), CALLERS_SESSIONS, CALLERS_STEADY)


def _spread(features: Features) -> float | None:
    """The spread of the key, or of its callers where each use may stand alone in its slot, though they come in sessions."""
    spread = features.get("spread")
    if spread is not None and features.get("devotion", 1.0) < WHOLE_SHARE:
        return min(spread, features.get("callers_spread", spread))
    return spread


def _spread_at_any_time(uses: float, slots: float) -> float:
    """The spread of so many uses at random within the hours awake, of `slots` slots in all."""
    awake = AWAKE_SHARE * slots
    return awake * (1.0 - exp(-uses / awake)) / (slots * (1.0 - exp(-uses / slots)))
