"""What a score is worth: of those that reached it, how many truly are a campaign; and how far the honest tail lies below each rung.

A score is calibrated where the share beside it is as large as the score itself. Shares depend on how many fleets a world has; the tail of
the honest does not, and thresholds are set on it alone.
"""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from guard.evaluation.intervals import Measured, quantile, wilson
from guard.evaluation.metrics import honest
from guard.evaluation.result import RunResult
from guard.policy.policy import LADDER_DEFAULT

EDGES: Final = (0.0, 0.2, 0.4, 0.6, *(score for _, score in LADDER_DEFAULT))
"""Where bins of scores begin: fifths, and from the first rung on the ladder's own. A score of exactly 0 stands alone: nothing ever spoke."""
TAIL: Final = (0.5, 0.9, 0.99, 0.999, 1.0)
"""Quantiles of the honest accounts' highest scores that are told; the last is the highest of all."""
HITS_SHARE: Final = 0.5
"""A considered campaign is a true one when more than half of its members belong to one."""

Scored = Sequence[tuple[float, bool]]


class Bin(Struct, frozen=True):
    """Subjects whose highest score was above `low` (0: exactly 0) and below `high`; a rung belongs to the bin that it opens."""

    low: float
    high: float
    mean_score: float
    share: Measured
    """Of them, truly a campaign's, with Wilson's interval."""


class Rung(Struct, frozen=True):
    """One step of the ladder, and the accounts whose highest score reached it."""

    action: str
    score: float
    honest: Measured
    hostile: Measured


class Calibration(Struct, frozen=True):
    """Everything that is told of scores. Errors are 0-1; None without any scored subject."""

    accounts: tuple[Bin, ...]
    campaigns: tuple[Bin, ...]
    accounts_error: float | None
    """Expected calibration error: mean distance between score and share, weighted by accounts."""
    spoken_error: float | None
    """The same over accounts that anything ever spoke against: most honest ones have 0, and would hide the rest."""
    campaigns_error: float | None
    tail: dict[str, float]
    """Quantile (0-1, as text) of the honest accounts' highest scores -> score."""
    rungs: tuple[Rung, ...]


def calibration(results: Sequence[RunResult]) -> Calibration | None:
    """The scores of all accounts and considered campaigns of these runs; None when their judge has none."""
    accounts = [(row.score, not row.is_honest) for result in results for row in result.accounts if row.score is not None]
    if not accounts:
        return None
    campaigns = [(one.score, one.hits > HITS_SHARE * one.members) for result in results for one in result.candidates]
    of_accounts, of_campaigns = reliability(accounts), reliability(campaigns)
    scores = [row.score for row in honest(results) if row.score is not None]
    return Calibration(
        of_accounts,
        of_campaigns,
        expected_error(of_accounts),
        expected_error([one for one in of_accounts if one.high > 0]),
        expected_error(of_campaigns),
        {f"{share:g}": quantile(scores, share) for share in TAIL} if scores else {},
        tuple(_rung(action.word, score, accounts) for action, score in LADDER_DEFAULT),
    )


def _rung(action: str, score: float, accounts: Scored) -> Rung:
    sides = []
    for is_hostile in (False, True):
        side = [found >= score for found, truly in accounts if truly is is_hostile]
        sides.append(wilson(sum(side), len(side)))
    return Rung(action, score, *sides)


def reliability(scored: Scored) -> tuple[Bin, ...]:
    """Score and truth of subjects, by bins of `EDGES`; empty ones are left out."""
    inside: dict[int, list[tuple[float, bool]]] = {}
    for one in scored:
        inside.setdefault(_bin(one[0]), []).append(one)
    return tuple(_told(number, group) for number, group in sorted(inside.items()))


def _bin(score: float) -> int:
    """The number of the last edge that the score reached, from 0; -1 for a score of exactly 0."""
    return -1 if score <= 0 else sum(score >= edge for edge in EDGES) - 1


def _told(number: int, group: Scored) -> Bin:
    low, high = (0.0, 0.0) if number < 0 else (EDGES[number], (*EDGES, 1.0)[number + 1])
    return Bin(low, high, sum(score for score, _ in group) / len(group), wilson(sum(truly for _, truly in group), len(group)))


def expected_error(bins: Sequence[Bin]) -> float | None:
    """The mean distance between the bins' scores and shares, weighted by their subjects (Naeini, Cooper, Hauskrecht 2015)."""
    n = sum(one.share.n for one in bins)
    return sum(one.share.n * abs(one.mean_score - (one.share.value or 0.0)) for one in bins) / n if n else None
