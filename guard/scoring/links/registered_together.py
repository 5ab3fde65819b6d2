"""Registration closeness: old accounts of strangers, registered on the same days."""

from guard.scoring.account_rules import Features, Numbers, reason
from guard.scoring.links.crowd import Crowd
from guard.scoring.links.kinds import SEVERAL_PRINCIPALS, STRANGER_KINDS, STRANGERS_MIN
from guard.scoring.links.surprise import surprise
from guard.scoring.reasons import Reason
from guard.state.link import KeyKind


def registered_together(kind: KeyKind, features: Features, crowd: Crowd, numbers: Numbers) -> Reason | None:
    """Accounts of several principals, old when they met the key, yet registered in lots. Who is new when a thing goes viral is left out."""
    share = features.get("same_day_share")
    expected = crowd.same_day_share()
    if kind not in STRANGER_KINDS or share is None or share <= expected or features.get("principals") != SEVERAL_PRINCIPALS:
        return None
    if features["registered"] < STRANGERS_MIN:
        return None
    beyond = surprise(share, expected, features["registered"], numbers["surprise_nats"])
    return reason("registered_together", share, expected, expected, 0.5 * beyond) if beyond else None
