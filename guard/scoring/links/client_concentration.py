"""Client-stack concentration: a client that trusted accounts use less than everything else."""

from guard.scoring.account_rules import Features, Numbers
from guard.scoring.links.concentration import concentration
from guard.scoring.links.crowd import Crowd
from guard.scoring.reasons import Reason
from guard.state.link import KeyKind


def client_concentration(kind: KeyKind, features: Features, crowd: Crowd, numbers: Numbers) -> Reason | None:
    """Of the accounts behind one client fingerprint."""
    return concentration("shared_client", features, crowd, numbers) if kind is KeyKind.CLIENT else None
