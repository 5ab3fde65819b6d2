"""What one run saw: exchanges and decisions go in, rows come out."""

from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from msgspec import UNSET, Struct

from guard.decisions.decision import Action, Decision, Scope
from guard.evaluation.campaigns import commonest
from guard.evaluation.result import AccountRow, CampaignRow, ClusterRow, CurvePoint, FalsePositive
from guard.gateway.order import WORDS
from guard.simulation.client import Truth

TIMES_MAX: Final = 200_000
"""Answer times kept per hostile account (8 bytes each). Further answers are counted: a leak that long misses every bound anyway."""
CURVE_POINTS: Final = 48
"""Points of a campaign's curve: more than a figure can show."""


class _Seen(Struct):
    """One account so far."""

    truth: Truth
    first_at: int
    requests: int = 0
    refused: int = 0
    answered: "array[int] | None" = None
    beyond: int = 0
    harvest: int = 0
    sanctioned_at: int | None = None
    caught_at: int | None = None
    stopped_at: int | None = None
    """First challenge or block: what a gateway answers with 403."""
    blocked_at: int | None = None
    worst: Decision | None = None

    def leaked(self) -> int:
        """Answers up to its first sanction."""
        if self.answered is None:
            return 0
        if self.sanctioned_at is None:
            return len(self.answered) + self.beyond
        return bisect_right(self.answered, self.sanctioned_at)


class Ledger:
    """Takes a run in. Memory: one entry per account, one time per hostile answer (`TIMES_MAX` an account), one set per cluster."""

    def __init__(self, truths: Iterable[Truth]) -> None:
        self._truths = {truth.account_id: truth for truth in truths}
        self._seen: dict[str, _Seen] = {}
        self._parts: dict[str, dict[int, tuple[str, ...]]] = {}
        self._largest: dict[str, frozenset[str]] = {}
        self.events = 0

    def exchange(self, truth: Truth, at: int, *, was_refused: bool, was_answered: bool = True) -> None:
        """One exchange at `at`, milliseconds; `was_refused` by the judge's own decisions. What was before the campaign is no leak.

        `was_answered` is False where a plan's limit or a fault kept the model from answering: that is no harvest.
        """
        self.events += 1
        seen = self._seen.get(truth.account_id)
        if seen is None:
            seen = self._seen[truth.account_id] = _Seen(truth, at, answered=None if truth.honest else array("q"))
        seen.requests += 1
        if was_refused:
            seen.refused += 1
            seen.caught_at = _earlier(seen.caught_at, at)
        elif seen.answered is not None and at >= truth.begins_at:
            seen.harvest += was_answered
            if len(seen.answered) < TIMES_MAX:
                seen.answered.append(at)
            else:
                seen.beyond += 1

    def decision(self, decision: Decision) -> None:
        """One decision, whatever its mode."""
        if decision.scope == Scope.ALL:
            return
        members = () if decision.members is UNSET else decision.members
        if decision.scope == Scope.ACCOUNT:
            members = (decision.subject,)
        elif decision.scope == Scope.CAMPAIGN:
            self._cluster(decision, members)
        if decision.action != Action.ALLOW.word:
            for account in members:
                self._sanction(account, decision)

    def _cluster(self, decision: Decision, members: tuple[str, ...]) -> None:
        parts = self._parts.setdefault(decision.subject, {})
        parts[decision.part] = members
        if sum(map(len, parts.values())) > len(self._largest.get(decision.subject, ())):
            self._largest[decision.subject] = frozenset(account for part in parts.values() for account in part)

    def _sanction(self, account: str, decision: Decision) -> None:
        seen = self._seen.get(account)
        if seen is None:
            return
        at, action = int(decision.issued_at), WORDS[decision.action]
        seen.sanctioned_at = _earlier(seen.sanctioned_at, at)
        if action >= Action.CHALLENGE:
            seen.caught_at = _earlier(seen.caught_at, at)
            seen.stopped_at = _earlier(seen.stopped_at, at)
        if action is Action.BLOCK:
            seen.blocked_at = _earlier(seen.blocked_at, at)
        if seen.truth.honest and (seen.worst is None or action > WORDS[seen.worst.action]):
            seen.worst = decision

    def accounts(self, score_of: Callable[[str], float | None] = lambda _: None) -> tuple[AccountRow, ...]:
        """One row for each account that called, in the order of their first calls; `score_of` knows its highest score."""
        return tuple(
            AccountRow(
                account,
                seen.truth.kind,
                seen.truth.honest,
                seen.truth.family,
                seen.truth.campaign,
                seen.requests,
                seen.refused,
                seen.first_at,
                seen.sanctioned_at,
                seen.caught_at,
                seen.blocked_at,
                seen.leaked(),
                score_of(account),
            )
            for account, seen in self._seen.items()
        )

    def campaigns(self) -> tuple[CampaignRow, ...]:
        """One row for each true campaign that called."""
        by_name: dict[str, list[_Seen]] = {}
        for seen in self._seen.values():
            if seen.truth.campaign and not seen.truth.honest:
                by_name.setdefault(seen.truth.campaign, []).append(seen)
        return tuple(self._campaign(name, group) for name, group in by_name.items())

    def _campaign(self, name: str, group: Sequence[_Seen]) -> CampaignRow:
        accounts = {seen.truth.account_id for seen in group}
        answered = sorted(at for seen in group for at in seen.answered or ())
        throttled_at = _first(seen.sanctioned_at for seen in group)
        blocked_at = _first(seen.blocked_at for seen in group)
        stopped_at = _first(seen.stopped_at for seen in group)
        first_at = max(min(seen.first_at for seen in group), group[0].truth.begins_at)
        return CampaignRow(
            name,
            group[0].truth.family,
            len(group),
            sum(seen.requests for seen in group),
            len(answered) + sum(seen.beyond for seen in group),
            first_at,
            throttled_at,
            blocked_at,
            None if throttled_at is None else bisect_right(answered, throttled_at),
            None if blocked_at is None else bisect_right(answered, blocked_at),
            max((len(accounts & members) for members in self._largest.values()), default=0) / len(accounts),
            tuple(seen.leaked() for seen in group if stopped_at is not None and seen.first_at > stopped_at),
            _curve(answered, sorted(seen.caught_at for seen in group if seen.caught_at is not None), len(group), first_at),
            sum(seen.harvest for seen in group),
            None if stopped_at is None else bisect_right(answered, stopped_at),
        )

    def clusters(self) -> tuple[ClusterRow, ...]:
        """One row for each campaign that was announced, at its largest."""
        rows = []
        for subject, members in self._largest.items():
            campaign, hits = commonest(members, self._truths)
            rows.append(ClusterRow(subject, len(members), campaign, hits))
        return tuple(rows)

    def false_positives(self) -> tuple[FalsePositive, ...]:
        """Every honest account that was sanctioned."""
        return tuple(
            FalsePositive(
                account, seen.truth.kind, seen.truth.family, seen.worst.action, seen.worst.scope, seen.worst.issued_at, seen.worst.reasons
            )
            for account, seen in self._seen.items()
            if seen.worst is not None
        )


def _earlier(known: int | None, at: int) -> int:
    return at if known is None else min(known, at)


def _first(moments: Iterable[int | None]) -> int | None:
    return min((at for at in moments if at is not None), default=None)


def _curve(answered: Sequence[int], caught: Sequence[int], accounts: int, first_at: int) -> tuple[CurvePoint, ...]:
    moments = sorted({*answered, *caught})
    step = max(1, -(-len(moments) // CURVE_POINTS))
    chosen = moments[::step] + ([moments[-1]] if moments and (len(moments) - 1) % step else [])
    return tuple(CurvePoint(at - first_at, bisect_right(answered, at), bisect_right(caught, at) / accounts) for at in chosen)
