"""Whether a key has been used enough to tell an even pool from people."""

from typing import Final

from guard.scoring.account_rules import Features, Numbers

SESSIONS_USES: Final = 8.0
SESSIONS_HOURS: Final = 2.0
"""Within one session people are as even as a pool; eight uses, or two hours, are more than one session."""


def is_settled(features: Features, numbers: Numbers) -> bool:
    """Enough uses to tell an even pool from people: several sessions' worth, or a few over hours."""
    per_account = features.get("uses_per_account", 0.0)
    if per_account < numbers["key_uses_per_account_min"] or per_account * features["users"] < numbers["key_uses_min"]:
        return False
    return per_account >= SESSIONS_USES or features.get("exposure_hours", 0.0) >= SESSIONS_HOURS
