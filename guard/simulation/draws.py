"""Random draws that several populations share. Every chance comes from the world's seed."""

import random
from collections.abc import Sequence
from math import exp, log
from typing import Final, TypeVar

from guard.units import DAY_MS, SECOND_MS

T = TypeVar("T")

TOKENS_MAX: Final = 200_000


def tokens(dice: random.Random, median: float, spread: float) -> int:
    """A length in tokens, log-normal around its median."""
    return max(1, min(TOKENS_MAX, round(exp(dice.gauss(log(median), spread)))))


def seconds(dice: random.Random, median: float, spread: float) -> float:
    """A gap in milliseconds, log-normal around its median in seconds."""
    return exp(dice.gauss(log(median), spread)) * SECOND_MS


def zipf(dice: random.Random, items: Sequence[T], exponent: float = 1.1) -> T:
    """One of `items`, the first ones far more often: popularity as it is."""
    place = int(dice.paretovariate(exponent)) - 1
    return items[place] if place < len(items) else dice.choice(items)


def opened_at(dice: random.Random, now: int) -> int:
    """When an ordinary account was opened: a tenth within two weeks, a quarter within two months, the rest within three years."""
    chance = dice.random()
    days = dice.uniform(0.5, 14) if chance < 0.1 else dice.uniform(14, 60) if chance < 0.25 else dice.uniform(60, 1_000)
    return now - int(days * DAY_MS)
