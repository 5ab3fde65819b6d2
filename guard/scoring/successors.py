"""Successors: accounts that come to the keys of a campaign soon after its members were stopped."""

from typing import Final

from guard.scoring.account_rules import Numbers, reason
from guard.scoring.reasons import Reason
from guard.units import HOUR_MS

WEIGHT_MAX: Final = 0.6
"""As much as a known campaign's keys weigh against a single account; with what else is left of the evidence."""
HALF_LIFE_MS: Final = 6 * HOUR_MS
"""Disclosed pools were replaced within the hour and showed what they are within some hours; a viral application grows as well, for days."""
REMEMBERED_MS: Final = 2 * HALF_LIFE_MS
"""Until then a campaign goes on to rest on the keys that convicted it: members who are stopped use them no more and those who come in their place
have used them little yet, so that the use looks less even by the guard's own doing. (The key of a pool that paraphrases fell from 0.70 to 0.55
within two hours of its challenge, and its thirty new accounts went free.)"""


def successors(newcomers: int, since_ms: int, numbers: Numbers) -> Reason | None:
    """Newcomers since the members were stopped, `since_ms` ago. What is left of the keys' own evidence decides for how long they are held."""
    floor = numbers["campaign_accounts_min"]
    if newcomers < floor or since_ms > REMEMBERED_MS:
        return None
    return reason("successors", newcomers, floor, 0.0, WEIGHT_MAX * 0.5 ** (max(0, since_ms) / HALF_LIFE_MS))
