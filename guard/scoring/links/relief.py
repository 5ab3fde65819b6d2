"""What speaks for a key: one principal's, the public's, people's own rhythm, or too early to say."""

from typing import Final

from guard.scoring.account_rules import Features, Numbers
from guard.scoring.links.crowd import Crowd
from guard.scoring.links.settled import is_settled

PUBLIC_SHARE: Final = 0.6
"""What is public is used by the trusted about as often as everything else is; it is used unevenly, too: bought old accounts are not."""
RELIEF_PUBLIC: Final = 0.8
RELIEF_TEAM: Final = 0.7
RELIEF_UNEVEN: Final = 0.65
RELIEF_UNSETTLED: Final = 0.4
"""What speaks for a key, as the share of its score that goes: public, one principal's, people's own rhythm, too early."""


def relief(features: Features, crowd: Crowd, numbers: Numbers) -> float:
    """The strongest of what speaks for the key."""
    found = [0.0]
    dispersion = features.get("dispersion")
    if features.get("principals") == 1.0:
        found.append(RELIEF_TEAM)
    if dispersion is None or not is_settled(features, numbers):
        found.append(RELIEF_UNSETTLED)
    elif dispersion > numbers["even_dispersion_max"]:
        span = numbers["uneven_dispersion_min"] - numbers["even_dispersion_max"]
        unevenness = min(1.0, (dispersion - numbers["even_dispersion_max"]) / max(span, 0.01))
        found.append(RELIEF_UNEVEN * unevenness)
        is_vouched_for = features.get("trusted_share", 0.0) >= PUBLIC_SHARE * crowd.trusted_share()
        if is_vouched_for and features.get("trusted_accounts", 0.0) >= numbers["public_trusted_accounts"]:
            found.append(RELIEF_PUBLIC * unevenness)
    return max(found)
