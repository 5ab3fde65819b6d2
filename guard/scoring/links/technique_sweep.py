"""Technique sweep: strangers who try, on one template or in near-duplicates of one wording, what the model keeps declining."""

from typing import Final

from guard.scoring.account_rules import Features, Numbers, reason
from guard.scoring.links.crowd import Crowd
from guard.scoring.links.kinds import SEVERAL_PRINCIPALS, STRANGERS_MIN, TEMPLATE_KINDS
from guard.scoring.links.surprise import surprise
from guard.scoring.reasons import Reason
from guard.state.link import KeyKind

WEIGHT_MAX: Final = 0.4
"""A hint: a public prompt that promises to unlock the model is declined to everybody who tries it, too."""


def technique_sweep(kind: KeyKind, features: Features, crowd: Crowd, numbers: Numbers) -> Reason | None:
    """Of accounts of several principals only: a red team and a quality check do the same within one organisation."""
    share, expected = features.get("declined_share"), crowd.declined_share()
    if kind not in TEMPLATE_KINDS or share is None or share < max(numbers["declined_share"], expected):
        return None
    if features.get("principals") != SEVERAL_PRINCIPALS or features["accounts"] < STRANGERS_MIN:
        return None
    beyond = surprise(share, expected, min(features["accounts"], features["answers"]), numbers["surprise_nats"])
    return reason("technique_sweep", share, numbers["declined_share"], expected, WEIGHT_MAX * beyond) if beyond else None
