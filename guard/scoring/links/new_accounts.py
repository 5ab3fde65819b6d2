"""New accounts: more of a key's users are new than of the crowd's."""

from guard.scoring.account_rules import Features, Numbers, reason
from guard.scoring.links.crowd import Crowd
from guard.scoring.links.surprise import surprise
from guard.scoring.reasons import Reason
from guard.state.link import KeyKind


def new_accounts(kind: KeyKind, features: Features, crowd: Crowd, numbers: Numbers) -> Reason | None:
    """Beyond chance, by the crowd's own share of new accounts; a crowd of newcomers explains new users."""
    share = features.get("new_share")
    expected = crowd.new_share(numbers["crowd_new_share_max"])
    if share is None or share <= expected:
        return None
    beyond = surprise(share, expected, features["aged_accounts"], numbers["surprise_nats"])
    return reason("new_accounts", share, expected, expected, 0.4 * beyond) if beyond else None
