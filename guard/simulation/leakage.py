"""What a single fact gives away: one number per account, how well it alone tells fleets from the honest, and at 0.1 % false positives.

A world that one trivial rule solves is no judge. AUC 0.5 is chance; below it the honest have more. The rules on shared keys ask: with
how many accounts does this one share its most widely shared card, prefix, shape, SimHash band, client, network or conversation?
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from msgspec import Struct

from guard.events.request import RequestEvent
from guard.simulation.aggregates import KEYS, Account
from guard.simulation.client import Truth

FALSE_POSITIVES: Final = 0.001
"""Honest accounts that a rule may hit (reference)."""
EXEMPT: Final = "A1"
"""One account at full speed is meant to be solved by one rule."""
FAMILY_ACCOUNTS_MIN: Final = 5


class Leak(Struct, frozen=True):
    """What one fact gives away. Recalls at 0.1 % false positives, of all fleet accounts and of the family that it betrays most."""

    name: str
    auc: float
    recall: float
    worst_family: str
    worst_recall: float


class Leakage:
    """Takes a world's exchanges in; memory: one summary an account, one set of users a shared value."""

    def __init__(self, truths: Iterable[Truth]) -> None:
        self._truths = {truth.account_id: truth for truth in truths}
        self._accounts: dict[str, Account] = {}
        self._users: dict[str, dict[str, set[str]]] = {kind: defaultdict(set) for kind in KEYS}

    def take(self, event: RequestEvent) -> None:
        """One event."""
        name = event.account_id
        if name not in self._truths:
            return
        account = self._accounts.get(name)
        if account is None:
            account = self._accounts[name] = Account()
        account.take(event)
        for kind, values in KEYS.items():
            for value in values(event):
                self._users[kind][value].add(name)

    def report(self) -> list[Leak]:
        """Every fact's leak, the worst first."""
        facts: dict[str, dict[str, float]] = defaultdict(dict)
        for name, account in self._accounts.items():
            for fact, value in account.facts().items():
                facts[fact][name] = value
        for kind, users in self._users.items():
            facts[f"widest sharing: {kind}"] = _widest(users, self._accounts)
        leaks = [self._leak(fact, values) for fact, values in sorted(facts.items())]
        return sorted(leaks, key=lambda leak: (-leak.worst_recall, -abs(leak.auc - 0.5), leak.name))

    def _leak(self, fact: str, values: Mapping[str, float]) -> Leak:
        honest = sorted(value for name, value in values.items() if self._truths[name].honest)
        fleets: dict[str, list[float]] = defaultdict(list)
        for name, value in values.items():
            truth = self._truths[name]
            if not truth.honest and truth.family != EXEMPT:
                fleets[truth.family].append(value)
        everyone = [value for found in fleets.values() for value in found]
        worst, recall = max(
            ((family, _recall(honest, found)) for family, found in sorted(fleets.items()) if len(found) >= FAMILY_ACCOUNTS_MIN),
            key=lambda one: one[1],
            default=("", 0.0),
        )
        return Leak(fact, round(auc(honest, everyone), 3), round(_recall(honest, everyone), 3), worst, round(recall, 3))


def _widest(users: Mapping[str, set[str]], accounts: Iterable[str]) -> dict[str, float]:
    widest = dict.fromkeys(accounts, 0.0)
    for names in users.values():
        for name in names:
            widest[name] = max(widest[name], len(names))
    return widest


def auc(honest: Sequence[float], fleet: Sequence[float]) -> float:
    """Chance that a fleet's account has more than an honest one (`honest` in rising order); ties count half."""
    if not honest or not fleet:
        return 0.5
    wins = sum(bisect_left(honest, value) + bisect_right(honest, value) for value in fleet)
    return wins / (2 * len(honest) * len(fleet))


def _recall(honest: list[float], fleet: list[float]) -> float:
    """Share of fleet accounts beyond all but 0.1 % of the honest, in the better of the two directions."""
    if not honest or not fleet:
        return 0.0
    spared = int(len(honest) * FALSE_POSITIVES)
    low, high = honest[spared], honest[-1 - spared]
    return max(sum(value > high for value in fleet), sum(value < low for value in fleet)) / len(fleet)
