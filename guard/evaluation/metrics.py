"""From results to numbers: pure functions over the rows of any number of runs of one variant."""

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from guard.evaluation.intervals import NOTHING_MEASURED, Measured, bootstrap, quantile_of, ratio, wilson
from guard.evaluation.result import AccountRow, CampaignRow, RunResult
from guard.units import SECOND_MS

FOUND_SHARE: Final = 0.8
"""A campaign is found when one cluster holds four fifths of its accounts (protocol)."""
LEAK_ALLOWED_SHARE: Final = 0.01
LEAK_ALLOWED_MIN: Final = 500
LEAK_ALLOWED_MAX: Final = 2_000
"""Exchanges to a block: 1 % of what the campaign asked for, at least 500, at most 2,000 (protocol)."""
DETECTION_EXCHANGES: Final = 500
"""A slow campaign is in time when it is found by its 500th pooled exchange, however long that takes."""

Results = Sequence[RunResult]


def honest(results: Results) -> list[AccountRow]:
    """Every honest account that called."""
    return [row for result in results for row in result.accounts if row.is_honest]


def hostile(results: Results, families: Iterable[str] = ()) -> list[AccountRow]:
    """Every account of these families of attack that called; of all if none is given."""
    wanted = set(families)
    return [row for result in results for row in result.accounts if not row.is_honest and (not wanted or row.family in wanted)]


def campaigns(results: Results, families: Iterable[str] = ()) -> list[CampaignRow]:
    """The campaigns of these families; of all if none is given. A campaign of one account is an account, not a campaign."""
    wanted = set(families)
    return [row for result in results for row in result.campaigns if row.accounts > 1 and (not wanted or row.family in wanted)]


def honest_sanctioned(results: Results, families: Sequence[str]) -> Measured:
    """Share of honest accounts ever throttled, challenged or blocked."""
    del families
    rows = honest(results)
    return wilson(sum(row.sanctioned_at is not None for row in rows), len(rows))


def honest_blocked(results: Results, families: Sequence[str]) -> Measured:
    """Share of honest accounts ever blocked."""
    del families
    rows = honest(results)
    return wilson(sum(row.blocked_at is not None for row in rows), len(rows))


def honest_refused_per_million(results: Results, families: Sequence[str]) -> Measured:
    """Honest requests refused, of a million honest requests."""
    del families
    found = ratio([(1e6 * row.refused, float(row.requests)) for row in honest(results)])
    if found.value == 0.0 and found.high is not None:
        return Measured(0.0, 0.0, 1e6 * found.high / max(1.0, _mean_requests(results)), found.n)
    return found


def _mean_requests(results: Results) -> float:
    rows = honest(results)
    return sum(row.requests for row in rows) / max(1, len(rows))


def negatives_blocked(results: Results, families: Sequence[str]) -> Measured:
    """Accounts of hard negatives ever blocked: a number, not a share."""
    rows = _negatives(results, families)
    blocked = float(sum(row.blocked_at is not None for row in rows))
    return Measured(blocked if rows else None, blocked if rows else None, blocked if rows else None, len(rows))


def negatives_affected(results: Results, families: Sequence[str]) -> Measured:
    """Share of the requests of the worst-hit hard negative that were refused or delayed."""
    rows = _negatives(results, families)
    by_family: dict[str, list[tuple[float, float]]] = {}
    for row in rows:
        by_family.setdefault(row.family, []).append((float(row.refused), float(row.requests)))
    found = [ratio(pairs) for pairs in by_family.values()]
    return max(found, key=lambda one: (one.value or 0.0, one.n), default=ratio([]))


def _negatives(results: Results, families: Sequence[str]) -> list[AccountRow]:
    return [row for row in honest(results) if row.family and (not families or row.family in families)]


def recall(results: Results, families: Sequence[str]) -> Measured:
    """Share of hostile accounts that were caught: blocked, challenged, or refused by a throttle."""
    rows = hostile(results, families)
    return wilson(sum(row.caught_at is not None for row in rows), len(rows))


def cluster_recall(results: Results, families: Sequence[str]) -> Measured:
    """Share of campaigns of which one cluster held four fifths."""
    rows = campaigns(results, families)
    return wilson(sum(row.largest_cluster_share >= FOUND_SHARE for row in rows), len(rows))


def campaigns_blocked(results: Results, families: Sequence[str]) -> Measured:
    """Share of campaigns of which any account was ever blocked."""
    rows = campaigns(results, families)
    return wilson(sum(row.blocked_at is not None for row in rows), len(rows))


def purity(results: Results, families: Sequence[str]) -> Measured:
    """Share of all clusters' members that belong to their cluster's true campaign."""
    del families
    clusters = [(row.hits, row.members) for result in results for row in result.clusters]
    return bootstrap(clusters, lambda drawn: sum(hits for hits, _ in drawn) / max(1, sum(members for _, members in drawn)))


def _quantile_of_campaigns(share: float, value: Callable[[CampaignRow], float | None]) -> Callable[[Results, Sequence[str]], Measured]:
    def measured(results: Results, families: Sequence[str]) -> Measured:
        found = [value(row) for row in campaigns(results, families)]
        return quantile_of([math.inf if one is None else one for one in found], share)

    return measured


def _allowance(row: CampaignRow) -> float | None:
    allowed = min(LEAK_ALLOWED_MAX, max(LEAK_ALLOWED_MIN, LEAK_ALLOWED_SHARE * row.requests))
    return None if row.leaked_to_block is None else row.leaked_to_block / allowed


pooled_to_throttle: Final = _quantile_of_campaigns(0.5, lambda row: row.leaked_to_throttle)
pooled_to_stop: Final = _quantile_of_campaigns(0.5, lambda row: row.leaked_to_stop)
pooled_to_block: Final = _quantile_of_campaigns(0.5, lambda row: row.leaked_to_block)
block_allowance: Final = _quantile_of_campaigns(0.5, _allowance)


def account_leak(share: float) -> Callable[[Results, Sequence[str]], Measured]:
    """The quantile `share` of answered exchanges per account up to its first sanction; infinite for one never sanctioned."""

    def measured(results: Results, families: Sequence[str]) -> Measured:
        rows = hostile(results, families)
        return quantile_of([math.inf if row.sanctioned_at is None else float(row.leaked) for row in rows], share)

    return measured


def replacement_leak(results: Results, families: Sequence[str]) -> Measured:
    """The 95th percentile of answers to accounts that began after their campaign was first challenged or blocked: a pool replaces what gets 403."""
    return quantile_of([float(leak) for row in campaigns(results, families) for leak in row.replacement_leaks], 0.95)


def detection_s(bound_s: float) -> Callable[[Results, Sequence[str]], Measured]:
    """The median time, seconds, from a campaign's first exchange to its first sanction; found by the 500th exchange is in time."""

    def delay_s(row: CampaignRow) -> float | None:
        if row.throttled_at is None or row.leaked_to_throttle is None:
            return None
        delay = max(0, row.throttled_at - row.first_at) / SECOND_MS
        return min(delay, bound_s) if row.leaked_to_throttle <= DETECTION_EXCHANGES else delay

    return _quantile_of_campaigns(0.5, delay_s)


def informedness(results: Results) -> Measured:
    """Share of hostile accounts ever sanctioned less that of honest ones: 1 is perfect, 0 is chance. The interval is Newcombe's."""
    rows = [row for result in results for row in result.accounts]
    sides = []
    for is_honest in (False, True):
        side = [row.sanctioned_at is not None for row in rows if row.is_honest is is_honest]
        sides.append(wilson(sum(side), len(side)))
    caught, wronged = sides
    if caught.value is None or caught.low is None or caught.high is None:
        return NOTHING_MEASURED
    if wronged.value is None or wronged.low is None or wronged.high is None:
        return NOTHING_MEASURED
    value = caught.value - wronged.value
    below = math.hypot(caught.value - caught.low, wronged.high - wronged.value)
    above = math.hypot(caught.high - caught.value, wronged.value - wronged.low)
    return Measured(value, value - below, value + above, len(rows))
