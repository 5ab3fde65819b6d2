"""What both forms of the report are made of: results by variant, the headline, what is still caught where less is told, leakage."""

from collections.abc import Mapping, Sequence
from math import isinf
from typing import Final

from msgspec import Struct

from guard.evaluation.ablations import LESS_TOLD
from guard.evaluation.intervals import Measured
from guard.evaluation.metrics import (
    campaigns_blocked,
    cluster_recall,
    honest_refused_per_million,
    honest_sanctioned,
    informedness,
    pooled_to_stop,
    pooled_to_throttle,
    purity,
    recall,
)
from guard.evaluation.result import RunResult
from guard.evaluation.variants import FULL

CAUGHT_SHARE: Final = 0.8
MISSED_SHARE: Final = 0.2
"""A family counts as caught from four fifths of its accounts on (as a campaign counts as found), as missed below one fifth."""

ByVariant = Mapping[str, Sequence[RunResult]]


def by_variant_of(results: Sequence[RunResult]) -> dict[str, list[RunResult]]:
    """The results by variant, in their order."""
    found: dict[str, list[RunResult]] = {}
    for result in results:
        found.setdefault(result.variant, []).append(result)
    return found


def main_of(by_variant: ByVariant) -> Sequence[RunResult]:
    """The headline variant's results: `full`, else the first one's."""
    return by_variant.get(FULL) or next(iter(by_variant.values()), [])


def hostile_families(results: Sequence[RunResult]) -> list[str]:
    """The families of attack that called."""
    return sorted({row.family for result in results for row in result.accounts if not row.is_honest}, key=lambda name: (len(name), name))


class LessTold(Struct, frozen=True):
    """Families by how many of their accounts are still caught in a world that tells less."""

    variant: str
    caught: tuple[str, ...]
    in_part: tuple[str, ...]
    missed: tuple[str, ...]


def less_told(by_variant: ByVariant) -> list[LessTold]:
    """One row for the headline's variant `full` and each world that tells less, as far as they were played."""
    return [_less_told(name, by_variant[name]) for name in (FULL, *LESS_TOLD) if name in by_variant]


def _less_told(name: str, group: Sequence[RunResult]) -> LessTold:
    shares = {family: recall(group, (family,)).value or 0.0 for family in hostile_families(group)}
    return LessTold(
        name,
        tuple(family for family, share in shares.items() if share >= CAUGHT_SHARE),
        tuple(family for family, share in shares.items() if MISSED_SHARE <= share < CAUGHT_SHARE),
        tuple(family for family, share in shares.items() if share < MISSED_SHARE),
    )


class Totals(Struct, frozen=True):
    """One variant over all of its worlds, seeds and families."""

    variant: str
    caught: Measured
    """Share of all hostile accounts, families weighing by their accounts."""
    informedness: Measured
    honest_refused_per_million: Measured
    honest_sanctioned: Measured
    cluster_recall: Measured
    campaigns_blocked: Measured
    purity: Measured
    pooled_to_throttle: Measured
    pooled_to_stop: Measured
    """To the first challenge or block."""

    @property
    def line(self) -> str:
        """The row for people."""
        caught, honest, clusters = self.caught, self.honest_sanctioned, self.cluster_recall
        return (
            f"{self.variant}: caught {_percent(caught)} of {caught.n:,} hostile accounts; "
            f"sanctioned {round((honest.value or 0.0) * honest.n):,} of {honest.n:,} honest ones, "
            f"refused {self.honest_refused_per_million.value or 0.0:,.1f} of a million honest requests; "
            f"{_percent(clusters)} of {clusters.n:,} campaigns in one cluster, purity {_percent(self.purity)}; "
            f"pooled exchanges to a throttle {_exchanges(self.pooled_to_throttle)}, to a challenge or block {_exchanges(self.pooled_to_stop)}"
        )


def totals(by_variant: ByVariant) -> list[Totals]:
    """One row for each variant."""
    return [
        Totals(
            name,
            recall(group, ()),
            informedness(group),
            honest_refused_per_million(group, ()),
            honest_sanctioned(group, ()),
            cluster_recall(group, ()),
            campaigns_blocked(group, ()),
            purity(group, ()),
            pooled_to_throttle(group, ()),
            pooled_to_stop(group, ()),
        )
        for name, group in by_variant.items()
    ]


def _percent(share: Measured) -> str:
    return "-" if share.value is None else f"{100 * share.value:.3g} %"


def _exchanges(median: Measured) -> str:
    return "-" if median.value is None else "never" if isinf(median.value) else f"{median.value:,.0f}"


def leakage_means(group: Sequence[RunResult]) -> dict[str, float]:
    """Raw field -> mean AUC over the runs, the most telling first."""
    fields = sorted({name for result in group for name in result.leakage})
    means = {name: _mean([result.leakage[name] for result in group if name in result.leakage]) for name in fields}
    return dict(sorted(means.items(), key=lambda item: -item[1]))


def _mean(values: Sequence[float]) -> float:
    return round(sum(values) / len(values), 4)
