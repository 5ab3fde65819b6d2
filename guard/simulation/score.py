"""Decisions held against the truth: campaigns found, accounts caught, honest accounts touched, exchanges leaked."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from msgspec import UNSET, Struct

from guard.decisions.decision import Decision
from guard.simulation.client import Truth

FOUND_SHARE: Final = 0.8
"""A campaign is found when one campaign decision names at least four fifths of its accounts that ever called..."""
PURE_SHARE: Final = 0.9
"""...and at least nine tenths of those whom it names belong to it: a decision against everybody finds nobody."""


class CampaignScore(Struct):
    """How one true campaign fared."""

    name: str
    family: str
    accounts: int
    exchanges: int = 0
    """Answered exchanges of its accounts."""
    caught: int = 0
    """Accounts ever under a sanction."""
    is_found: bool = False
    leaked_before_throttle: int | None = None
    """Answered exchanges, pooled, before the first sanction of any of its accounts; None when there was none."""
    leaked_before_block: int | None = None


class Report(Struct):
    """How a world was judged."""

    events: int = 0
    refused_honest: int = 0
    honest_accounts: int = 0
    honest_sanctioned: dict[str, list[str]] = {}
    """Kind -> accounts ever throttled, challenged or blocked."""
    honest_blocked: dict[str, list[str]] = {}
    campaigns: list[CampaignScore] = []

    @property
    def honest_sanctioned_total(self) -> int:
        """Honest accounts ever sanctioned."""
        return sum(map(len, self.honest_sanctioned.values()))


class Scorer:
    """Takes exchanges and decisions as they come. Memory: one entry per account, one time per fleet exchange."""

    def __init__(self, truths: Iterable[Truth]) -> None:
        self._truths = {truth.account_id: truth for truth in truths}
        self._called: set[str] = set()
        self._answered: dict[str, list[int]] = {}
        self._events = 0
        self._refused_honest = 0
        self._sanctioned: dict[str, int] = {}
        self._blocked: dict[str, int] = {}
        self._parts: dict[str, dict[int, frozenset[str]]] = {}
        self._named: set[tuple[frozenset[tuple[str, int]], int]] = set()
        """For each campaign decision: how many it names of each true campaign, and how many in all."""

    def exchange(self, account: str, at: int, *, was_refused: bool, was_answered: bool = True) -> None:
        """One exchange that happened; refused under a decision, or answered, or neither when the service itself failed or limited it."""
        self._events += 1
        self._called.add(account)
        truth = self._truths.get(account)
        if truth is None:
            return
        if truth.honest:
            self._refused_honest += was_refused
        elif was_answered and not was_refused and at >= truth.begins_at:
            self._answered.setdefault(truth.campaign, []).append(at)

    def decision(self, decision: Decision) -> None:
        """One decision, whether enforced or in shadow."""
        if decision.action == "allow" or decision.scope == "all":
            return
        members = (decision.subject,) if decision.scope == "account" else () if decision.members is UNSET else decision.members
        if decision.scope == "campaign":
            self._name(decision, members)
        for account in members:
            self._sanctioned.setdefault(account, decision.issued_at)
            if decision.action == "block":
                self._blocked.setdefault(account, decision.issued_at)

    def _name(self, decision: Decision, members: Sequence[str]) -> None:
        parts = self._parts.setdefault(decision.subject, {})
        parts[decision.part] = frozenset(members)
        named = set().union(*parts.values())
        campaigns = Counter(truth.campaign for account in named if (truth := self._truths.get(account)) is not None and truth.campaign)
        self._named.add((frozenset(campaigns.items()), len(named)))

    def _is_found(self, campaign: str, accounts: int) -> bool:
        """Whether one decision names most of a campaign's accounts, and hardly anybody else."""
        for counts, total in self._named:
            named = dict(counts).get(campaign, 0)
            if accounts and named >= FOUND_SHARE * accounts and named >= PURE_SHARE * total:
                return True
        return False

    def report(self) -> Report:
        """The report over all that was taken in."""
        report = Report(events=self._events, refused_honest=self._refused_honest)
        report.honest_accounts = sum(self._truths[account].honest for account in self._called if account in self._truths)
        for found, into in ((self._sanctioned, report.honest_sanctioned), (self._blocked, report.honest_blocked)):
            for account in sorted(found):
                truth = self._truths.get(account)
                if truth is not None and truth.honest:
                    into.setdefault(truth.family or truth.kind, []).append(account)
        names = dict.fromkeys(truth.campaign for truth in self._truths.values() if truth.campaign)
        report.campaigns = sorted((self._campaign(name) for name in names), key=lambda one: (len(one.family), one.family, one.name))
        return report

    def _campaign(self, name: str) -> CampaignScore:
        truths = [truth for truth in self._truths.values() if truth.campaign == name and truth.account_id in self._called]
        accounts = {truth.account_id for truth in truths}
        answered = sorted(self._answered.get(name, []))
        caught = accounts & self._sanctioned.keys()
        return CampaignScore(
            name,
            truths[0].family if truths else "",
            len(accounts),
            len(answered),
            len(caught),
            self._is_found(name, len(accounts)),
            _before(answered, [self._sanctioned[account] for account in caught]),
            _before(answered, [self._blocked[account] for account in accounts & self._blocked.keys()]),
        )


def _before(answered: Sequence[int], moments: Sequence[int]) -> int | None:
    if not moments:
        return None
    first = min(moments)
    return sum(at < first for at in answered)
