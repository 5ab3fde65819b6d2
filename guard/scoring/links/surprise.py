"""How far a share is beyond chance: large deviations of a binomial."""

from math import log

from guard.scoring.account_rules import Features, Numbers


def surprise_nats(share: float, expected: float, accounts: float) -> float:
    """How surprising a share is among that many accounts, in nats: n * KL(share || expected)."""
    total = 0.0
    for seen, awaited in ((share, expected), (1.0 - share, 1.0 - expected)):
        if seen > 0:
            total += seen * log(seen / max(awaited, 1e-9))
    return accounts * total


def surprise(share: float, expected: float, accounts: float, enough_nats: float) -> float:
    """How far a share is beyond chance, 0-1: in full from `enough_nats`, not at all below half of that."""
    nats = surprise_nats(share, expected, accounts)
    return min(1.0, nats / enough_nats) if nats >= enough_nats / 2 else 0.0


def unfamiliar(features: Features, expected: float, numbers: Numbers) -> float:
    """0-1: how surely trusted accounts use the key less than everything else."""
    share = features.get("trusted_share")
    if share is None or share >= expected:
        return 0.0
    return surprise(share, expected, features["aged_accounts"], numbers["surprise_nats"] / 2)
