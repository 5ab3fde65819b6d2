"""Arrivals drawn anew from what a trace tells of a window: how many a second, and by which law the gaps vary."""

import math
import random
from collections.abc import Iterator

from msgspec import Struct

SHAPE_MIN = 0.05
"""Below it, one gap in a window outweighs all others in any case, and the laws leave the range of floating point."""


class ArrivalWindow(Struct, frozen=True):
    """One window of one client: `rate_per_second` requests, gaps by a Gamma or Weibull law of this shape."""

    start_ms: int
    length_ms: int
    rate_per_second: float
    law: str
    shape: float


def draw_arrivals(window: ArrivalWindow, dice: random.Random, rate_max: float) -> Iterator[int]:
    """Arrival times in rising order, milliseconds. Their count is rate x length, the fraction left to chance.

    The gaps follow the law's shape and are stretched together to fill the window, so a heavy tail changes no rate.
    """
    rate = min(window.rate_per_second, rate_max) if rate_max > 0 else window.rate_per_second
    expected = rate * window.length_ms / 1_000
    count = int(expected) + (dice.random() < expected % 1)
    if not count:
        return
    gaps = [_gap(window.law, max(SHAPE_MIN, window.shape), dice) for _ in range(count + 1)]
    total = math.fsum(gaps)
    passed = 0.0
    for number, gap in enumerate(gaps[:-1]):
        passed += gap
        share = passed / total if total > 0 else number / count
        yield window.start_ms + min(window.length_ms - 1, int(share * window.length_ms))


def _gap(law: str, shape: float, dice: random.Random) -> float:
    """A gap in units of the law's scale, which the stretching makes meaningless."""
    if law == "Weibull":
        return dice.weibullvariate(1.0, shape)
    return dice.gammavariate(shape, 1.0)
