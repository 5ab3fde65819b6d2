"""Release pivot: strangers on one template who move to a new model within its first day, together, and beyond the crowd's own move."""

from typing import Final

from guard.scoring.account_rules import Features, Numbers, reason
from guard.scoring.links.crowd import MOVED_SHARE_MAX, Crowd
from guard.scoring.links.kinds import SEVERAL_PRINCIPALS, STRANGERS_MIN, TEMPLATE_KINDS
from guard.scoring.links.surprise import surprise
from guard.scoring.reasons import Reason
from guard.state.link import KeyKind

WEIGHT_MAX: Final = 0.4
"""A hint: the maker of an application moves all of its users at once, too."""
TIMED_SHARE: Final = 0.5
"""Timers are one maker's programs, which an update moves."""


def release_pivot(kind: KeyKind, features: Features, crowd: Crowd, numbers: Numbers) -> Reason | None:
    """Only accounts that used the key before the release are asked: what came with the new model is new, not moved."""
    share, seen, expected = features.get("moved_share"), features.get("present_seen", 0.0), crowd.moved_share()
    if kind not in TEMPLATE_KINDS or share is None or share <= expected or expected >= MOVED_SHARE_MAX or seen < STRANGERS_MIN:
        return None
    if features.get("principals") != SEVERAL_PRINCIPALS or features.get("timed", 0.0) >= TIMED_SHARE:
        return None
    beyond = surprise(share, expected, seen, numbers["surprise_nats"])
    return reason("release_pivot", share, expected, expected, WEIGHT_MAX * beyond) if beyond else None
