"""One row of a feature table, and how a table is read."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple


class Feature(NamedTuple):
    """A named number: its unit, its range, why it separates, where that comes from, its cost, and how it is read.

    `read(memory, at)` gives None when what it needs is missing: missing is not zero.
    """

    name: str
    unit: str
    low: float
    high: float
    why: str
    source: str
    cost_us: float
    read: Callable[[Any, int], float | None]


def extract(table: tuple[Feature, ...], memory: object, at: int) -> Mapping[str, float]:
    """All features of `table` that can be told at event time `at`."""
    values = {}
    for feature in table:
        value = feature.read(memory, at)
        if value is not None:
            values[feature.name] = value
    return values
