"""Whether the trusted vouch for a key: what many of them live by is public."""

from typing import Final

from guard.scoring.account_rules import Features, Numbers
from guard.scoring.links.crowd import Crowd

PUBLIC_SHARE: Final = 0.6
"""What is public is used by the trusted about as often as everything else is."""


def is_vouched_for(features: Features, crowd: Crowd, numbers: Numbers) -> bool:
    """Trusted accounts stand behind the key about as often as behind everything else, and at least `public_trusted_accounts` of them."""
    if features.get("trusted_accounts", 0.0) < numbers["public_trusted_accounts"]:
        return False
    return features.get("trusted_share", 0.0) >= PUBLIC_SHARE * crowd.trusted_share()
