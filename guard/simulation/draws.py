"""Random draws that several populations share. Every chance comes from the world's seed."""

import random
from collections.abc import Sequence
from functools import lru_cache
from math import exp, log
from typing import Final, TypeVar

from guard.units import DAY_MS, SECOND_MS

T = TypeVar("T")

TOKENS_MAX: Final = 200_000
SCORES: Final = 2_048
"""A beta distribution is drawn from a table of so many of its values: the classifier's three digits hide the difference."""


def hashed(dice: random.Random) -> str:
    """A keyed hash as it looks from outside."""
    return f"k1:{dice.getrandbits(64):016x}"


def tokens(dice: random.Random, median: float, spread: float) -> int:
    """A length in tokens, log-normal around its median."""
    return max(1, min(TOKENS_MAX, round(exp(dice.gauss(log(median), spread)))))


def around(dice: random.Random, median: float, spread: float) -> float:
    """A positive number, log-normal around its median; `spread` is the standard deviation of its logarithm."""
    return exp(dice.gauss(log(median), spread))


def seconds(dice: random.Random, median: float, spread: float) -> float:
    """A gap in milliseconds, log-normal around its median in seconds."""
    return around(dice, median, spread) * SECOND_MS


def zipf(dice: random.Random, items: Sequence[T], exponent: float = 1.1) -> T:
    """One of `items`, the first ones far more often: popularity as it is."""
    place = int(dice.paretovariate(exponent)) - 1
    return items[place] if place < len(items) else items[int(dice.random() * len(items))]


def score(dice: random.Random, shape: tuple[float, float]) -> float:
    """A classifier's score between 0 and 1, beta distributed, three digits."""
    return _scores(shape)[int(dice.random() * SCORES)]


@lru_cache(maxsize=256)
def _scores(shape: tuple[float, float]) -> tuple[float, ...]:
    dice = random.Random(f"beta:{shape}")
    return tuple(round(dice.betavariate(*shape), 3) for _ in range(SCORES))


def opened_at(dice: random.Random, now: int) -> int:
    """When an ordinary account was opened: a tenth within two weeks, a quarter within two months, the rest within three years."""
    chance = dice.random()
    days = dice.uniform(0.02, 14) if chance < 0.1 else dice.uniform(14, 60) if chance < 0.25 else dice.uniform(60, 1_000)
    return now - int(days * DAY_MS)
