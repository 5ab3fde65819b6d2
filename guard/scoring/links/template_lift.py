"""Template lift: a prompt that more strangers live by than its popularity among trusted accounts explains."""

from math import log2
from typing import Final

from guard.scoring.account_rules import Features, Numbers, reason
from guard.scoring.links.crowd import Crowd
from guard.scoring.links.kinds import SEVERAL_PRINCIPALS, STRANGERS_MIN, TEMPLATE_KINDS
from guard.scoring.links.surprise import unfamiliar
from guard.scoring.reasons import Reason
from guard.state.link import KeyKind

TEMPLATE_MAX: Final = 0.5
"""The most that strangeness to the trusted may weigh."""


def template_lift(kind: KeyKind, features: Features, crowd: Crowd, numbers: Numbers) -> Reason | None:
    """Trusted accounts use it less than everything else, or many strangers stand behind it."""
    if kind not in TEMPLATE_KINDS:
        return None
    expected = crowd.trusted_share()
    weight = max(unfamiliar(features, expected, numbers) * TEMPLATE_MAX, _strangers(features))
    return reason("template_lift", features["accounts"], numbers["key_accounts_min"], expected, weight) if weight > 0 else None


def _strangers(features: Features) -> float:
    """The weight of a template that many accounts of different principals stand behind, whatever their age."""
    accounts = features["accounts"]
    if features.get("principals") != SEVERAL_PRINCIPALS or accounts < STRANGERS_MIN:
        return 0.0
    return min(0.55, 0.35 + 0.05 * log2(accounts / STRANGERS_MIN))
