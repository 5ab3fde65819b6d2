"""Shared payment: one card behind several accounts, and one card that buys several plans' rate."""

from math import log2

from guard.scoring.account_rules import Features, Numbers, reason
from guard.scoring.links.crowd import Crowd
from guard.scoring.reasons import Reason
from guard.state.link import KeyKind


def shared_payment(kind: KeyKind, features: Features, crowd: Crowd, numbers: Numbers) -> Reason | None:
    """Grows with the logarithm of the accounts: a team, a lab and a reseller share one, too, so that it says little alone."""
    if kind is not KeyKind.PAYMENT:
        return None
    accounts = features["accounts"]
    weight = min(0.6, 0.3 + 0.08 * log2(accounts / numbers["key_accounts_min"]))
    return reason("shared_payment", accounts, numbers["key_accounts_min"], 1.0, weight)


def payment_rate(rate_rpm: float, limit_rpm: int, accounts: int, numbers: Numbers) -> Reason | None:
    """One card that buys several plans' rate through several accounts; needs the plan limit to be known."""
    if not limit_rpm or accounts < 2:
        return None
    multiple = rate_rpm / limit_rpm
    if multiple < numbers["payment_rate_share"]:
        return None
    return reason("payment_rate", multiple, numbers["payment_rate_share"], 1.0, 0.45)
