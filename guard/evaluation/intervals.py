"""Numbers with their 95 % intervals: Wilson for shares of accounts, order statistics for quantiles, bootstrap for the rest."""

import math
import random
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from msgspec import Struct

Z_95: Final = 1.959964
RESAMPLES: Final = 1_000
"""Enough for two digits of a 95 % interval's ends."""

ITEMS_MIN: Final = 8
"""With fewer items resampling pretends to know more than it can: no interval is given."""

T = TypeVar("T")


class Measured(Struct, frozen=True):
    """A number over `n` accounts, campaigns or clusters, with its 95 % interval: an end that so few cannot show is None.

    All None when there was nothing to measure.
    Infinity stands for what never happened, such as the exchanges to a throttle that never came.
    """

    value: float | None
    low: float | None
    high: float | None
    n: int


NOTHING_MEASURED: Final = Measured(None, None, None, 0)


def wilson(hits: int, n: int) -> Measured:
    """The share `hits` of `n` (Wilson 1927). Without any hit the upper end is the rule of three, at most 3/n."""
    if not n:
        return NOTHING_MEASURED
    share = hits / n
    middle = share + Z_95**2 / (2 * n)
    spread = Z_95 * math.sqrt(share * (1 - share) / n + Z_95**2 / (4 * n * n))
    scale = 1 + Z_95**2 / n
    low, high = max(0.0, (middle - spread) / scale), min(1.0, (middle + spread) / scale)
    if hits == 0:
        low, high = 0.0, min(1.0, 3 / n)
    if hits == n:
        low, high = max(0.0, 1 - 3 / n), 1.0
    return Measured(share, low, high, n)


def bootstrap(items: Sequence[T], statistic: Callable[[Sequence[T]], float], seed: int = 1) -> Measured:
    """The statistic over `items`, with the percentile interval of `RESAMPLES` resamples of whole items, from `ITEMS_MIN` on."""
    if not items:
        return NOTHING_MEASURED
    if len(items) < ITEMS_MIN:
        return Measured(statistic(items), None, None, len(items))
    dice = random.Random(seed)
    drawn = sorted(statistic(dice.choices(items, k=len(items))) for _ in range(RESAMPLES))
    low, high = drawn[round(0.025 * (RESAMPLES - 1))], drawn[round(0.975 * (RESAMPLES - 1))]
    return Measured(statistic(items), low, high, len(items))


def quantile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` (0-1) of them do not exceed; infinite values are fine."""
    ranked = sorted(values)
    return ranked[max(0, math.ceil(share * len(ranked)) - 1)]


def quantile_of(values: Sequence[float], share: float) -> Measured:
    """A quantile with its interval over order statistics: nothing is interpolated, so infinity stays itself.

    An end beyond the smallest or largest value is None: so few values say nothing about it.
    """
    if not values:
        return NOTHING_MEASURED
    n = len(values)
    spread = Z_95 * math.sqrt(n * share * (1 - share))
    ranked = sorted(values)
    below, above = math.floor(n * share - spread) - 1, math.ceil(n * share + spread)
    low, high = ranked[below] if below >= 0 else None, ranked[above] if above < n else None
    return Measured(quantile(values, share), low, high, n)


def difference(pairs: Sequence[tuple[tuple[int, int], tuple[int, int]]]) -> Measured:
    """The share of hits in the first members of the pairs less that in the second ones, each (hits, n); -1 to 1.

    Linearised interval over pairs (a campaign each, in two runs); with no pair that differs, the rule of three over the pairs.
    """
    first_n, second_n = sum(one[1] for one, _ in pairs), sum(other[1] for _, other in pairs)
    if not first_n or not second_n:
        return NOTHING_MEASURED
    first, second = sum(one[0] for one, _ in pairs) / first_n, sum(other[0] for _, other in pairs) / second_n
    pulls = [(one[0] - first * one[1]) / first_n - (other[0] - second * other[1]) / second_n for one, other in pairs]
    is_alike = all(one[0] * other[1] == other[0] * one[1] for one, other in pairs)
    spread = min(1.0, 3 / len(pairs)) if is_alike else Z_95 * math.sqrt(sum(pull * pull for pull in pulls))
    return Measured(first - second, max(-1.0, first - second - spread), min(1.0, first - second + spread), len(pairs))


def ratio(pairs: Sequence[tuple[float, float]]) -> Measured:
    """Sum of the first over sum of the second numbers, with the linearised interval over pairs (an account each, however busy).

    Without any hit the upper end is the rule of three over the pairs.
    """
    total = sum(second for _, second in pairs)
    if not total:
        return NOTHING_MEASURED
    value = sum(first for first, _ in pairs) / total
    touched = [pair for pair in pairs if pair[0]]
    if not touched:
        return Measured(0.0, 0.0, min(1.0, 3 / len(pairs)), len(pairs))
    spread = Z_95 * math.sqrt(sum((first - value * second) ** 2 for first, second in pairs)) / total
    return Measured(value, max(0.0, value - spread), value + spread, len(pairs))
