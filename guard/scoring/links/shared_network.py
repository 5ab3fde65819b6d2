"""Network overlap: a prefix that trusted accounts use less than everything else."""

from guard.scoring.account_rules import Features, Numbers
from guard.scoring.links.concentration import concentration
from guard.scoring.links.crowd import Crowd
from guard.scoring.reasons import Reason
from guard.state.link import KeyKind


def shared_network(kind: KeyKind, features: Features, crowd: Crowd, numbers: Numbers) -> Reason | None:
    """Of the accounts behind one network prefix."""
    return concentration("shared_network", features, crowd, numbers) if kind is KeyKind.NETWORK else None
