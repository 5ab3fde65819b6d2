"""Which true campaign a group of accounts is."""

from collections import Counter
from collections.abc import Iterable, Mapping

from guard.simulation.client import Truth


def commonest(members: Iterable[str], truths: Mapping[str, Truth]) -> tuple[str, int]:
    """The true campaign of most members and how many belong to it; ("", 0) when all are honest."""
    named = Counter(truth.campaign for account in members if (truth := truths.get(account)) and truth.campaign)
    return named.most_common(1)[0] if named else ("", 0)
