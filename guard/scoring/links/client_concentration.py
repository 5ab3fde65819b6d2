"""Client-stack concentration: a client that trusted accounts use less than everything else."""

from typing import Final

from guard.scoring.account_rules import Features, Numbers, reason
from guard.scoring.links.crowd import Crowd
from guard.scoring.links.surprise import unfamiliar
from guard.scoring.reasons import Reason
from guard.state.link import KeyKind

WEIGHT_MAX: Final = 0.35
"""Clients and networks caused nearly all impure merges (prototype)."""


def client_concentration(kind: KeyKind, features: Features, crowd: Crowd, numbers: Numbers) -> Reason | None:
    """Beyond the surprise of chance; nothing for what the trusted use as well."""
    if kind is not KeyKind.CLIENT:
        return None
    expected = crowd.trusted_share()
    weight = unfamiliar(features, expected, numbers) * WEIGHT_MAX
    return reason("shared_client", features["accounts"], numbers["key_accounts_min"], expected, weight) if weight > 0 else None
