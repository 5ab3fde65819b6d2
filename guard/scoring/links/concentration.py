"""Concentration on a key that says little by itself, a client stack or a network: trusted accounts use it less than everything else."""

from typing import Final

from guard.scoring.account_rules import Features, Numbers, reason
from guard.scoring.links.crowd import Crowd
from guard.scoring.links.surprise import unfamiliar
from guard.scoring.reasons import Reason

WEIGHT_MAX: Final = 0.35
"""Clients and networks caused nearly all impure merges (prototype)."""


def concentration(code: str, features: Features, crowd: Crowd, numbers: Numbers) -> Reason | None:
    """Beyond the surprise of chance; nothing for what the trusted use as well."""
    expected = crowd.trusted_share()
    weight = unfamiliar(features, expected, numbers) * WEIGHT_MAX
    return reason(code, features["accounts"], numbers["key_accounts_min"], expected, weight) if weight > 0 else None
