"""The closed table of targets: what is measured, its bound, and where the bound comes from (evaluation protocol)."""

import enum
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from msgspec import Struct

from guard.evaluation import metrics, pairs
from guard.evaluation.intervals import Measured
from guard.evaluation.result import RunResult
from guard.evaluation.variants import NO_POISONING, UNGUARDED


class Verdict(enum.StrEnum):
    """How a measurement stands to its bound."""

    MET = "met"
    """The bad end of the interval clears the bound, too."""
    UNPROVEN = "met, not proven"
    """The measured number clears it; with so few accounts or campaigns the interval does not."""
    MISSED = "missed"
    UNMEASURED = "not measured"
    """Nobody in these worlds plays what the target is about."""


class Target(Struct, frozen=True):
    """One row of the table."""

    name: str
    measure: Callable[[Sequence[RunResult], Sequence[str]], Measured]
    bound: float
    is_ceiling: bool
    unit: str
    """`%` (of shares 0-1), `exchanges`, `s`, `per million`, `accounts` or `x`."""
    anchor: str
    families: tuple[str, ...] = ()
    against: str = ""
    """The variant whose runs `measure` wants beside the judged ones; none for most."""

    def verdict(self, measured: Measured) -> Verdict:
        """How `measured` stands to the bound."""
        if measured.value is None:
            return Verdict.UNMEASURED
        if not self._clears(measured.value):
            return Verdict.MISSED
        worst = measured.high if self.is_ceiling else measured.low
        return Verdict.MET if worst is not None and self._clears(worst) else Verdict.UNPROVEN

    def _clears(self, value: float) -> bool:
        return value <= self.bound if self.is_ceiling else value >= self.bound

    def shown(self, value: float | None) -> str:
        """A number in the target's unit, for people."""
        if value is None:
            return "-"
        if math.isinf(value):
            return "never" if self.is_ceiling else "no end"
        return f"{100 * value:.4g} %" if self.unit == "%" else f"{value:,.4g}"

    @property
    def bound_shown(self) -> str:
        """The bound with its direction and unit."""
        unit = "" if self.unit == "%" else f" {self.unit}"
        return f"{'<=' if self.is_ceiling else '>='} {self.shown(self.bound)}{unit}"


def _recall(family: str, bound: float, anchor: str) -> Target:
    return Target(f"account recall {family}", metrics.recall, bound, is_ceiling=False, unit="%", anchor=anchor, families=(family,))


def _most(name: str, measure: Callable[..., Measured], bound: float, unit: str, anchor: str, families: tuple[str, ...] = ()) -> Target:
    return Target(name, measure, bound, is_ceiling=True, unit=unit, anchor=anchor, families=families)


_STRONG: Final = "strong markers decide in fewer than ten requests (sequential bound)"
_POOLED: Final = "MMD on pooled windows is 100 % pure (arXiv 2606.05725)"
_TRACES: Final = "a thousand traces suffice for a student (s1)"

TARGETS: Final = (
    _most("honest accounts sanctioned", metrics.honest_sanctioned, 0.001, "%", "MMD 0.29 % per window; at 0.1 % precision is 95.8 %"),
    _most(
        "honest accounts blocked", metrics.honest_blocked, 0.0001, "%", "Anthropic H2 2025: 0.12 % of bans overturned; SynchroTrap >99 %"
    ),
    _most("honest requests refused", metrics.honest_refused_per_million, 50, "per million", "5 % of a 99.9 % error budget"),
    _most("hard negatives blocked", metrics.negatives_blocked, 0, "accounts", "rules and card unions fail here; a guard must not"),
    _most("requests affected, worst hard negative", metrics.negatives_affected, 0.01, "%", "evaluation protocol"),
    *(_recall(family, 0.99, _STRONG) for family in ("A1", "A3", "A10", "A13")),
    *(_recall(family, 0.95, _POOLED) for family in ("A4", "A5", "A6", "A8", "A9", "A11", "A16")),
    _recall("A7", 0.85, "MMD 93.7 % at 10 % dilution, 59 % at 5 %"),
    _recall("A2", 0.80, "FDINet: colluders >91 %"),
    _recall("A14", 0.70, "FDINet: colluders >91 %; relayed end users are the hardest"),
    Target("campaigns in one cluster", metrics.cluster_recall, 0.90, is_ceiling=False, unit="%", anchor="FDINet 91 %; SynchroTrap 99 %"),
    Target("purity of clusters", metrics.purity, 0.99, is_ceiling=False, unit="%", anchor="SynchroTrap 99 %"),
    _most("exchanges to throttle A1, median", metrics.account_leak(0.5), 50, "exchanges", "FDINet 50, HODA 100, MMD 50-150", ("A1",)),
    _most("exchanges to throttle A1, 95th percentile", metrics.account_leak(0.95), 150, "exchanges", "MMD 50-150", ("A1",)),
    _most("pooled exchanges to throttle, median", metrics.pooled_to_throttle, 500, "exchanges", "150 pooled are 4 s at Alibaba's peak"),
    _most(
        "pooled exchanges to throttle A10, median", metrics.pooled_to_throttle, 200, "exchanges", "DistillGuard 31.4 vs 67.8 %", ("A10",)
    ),
    _most("pooled exchanges to block, median", metrics.pooled_to_block, 2_000, "exchanges", _TRACES),
    _most("leak to block over 1 % of the campaign, median", metrics.block_allowance, 1, "x", "1 %, at least 500, at most 2,000 exchanges"),
    _most("exchanges per replacement A8, 95th percentile", metrics.replacement_leak, 20, "exchanges", "hot-standby pools", ("A8",)),
    _most("time to detect A3", metrics.detection_s(60), 60, "s", "arrivals of 35/s pooled", ("A3",)),
    _most("time to detect A16", metrics.detection_s(60), 60, "s", "arrivals of 35/s pooled", ("A16",)),
    _most("time to detect A4", metrics.detection_s(300), 300, "s", "arrivals of 0.35-35/s pooled", ("A4",)),
    _most("time to detect A2", metrics.detection_s(7_200), 7_200, "s", "arrivals of 0.35/s pooled", ("A2",)),
    _most("time to detect A9", metrics.detection_s(3_600), 3_600, "s", "half the traffic moved within 24 h", ("A9",)),
    Target(
        "drop of the others' recall by A12's poisoning",
        pairs.poisoning_drop,
        0.05,
        is_ceiling=True,
        unit="%",
        anchor="ungated learning fell from 100 to 23 %, gated stayed at 100",
        against=NO_POISONING,
    ),
    Target(
        "accounts A15 needs for the same harvest",
        pairs.adaptive_cost,
        10,
        is_ceiling=False,
        unit="x",
        anchor="SEAT 3.8-16 times",
        families=("A15",),
        against=UNGUARDED,
    ),
)
"""Every target of the protocol that a world can show. Shares stand as 0-1."""


class Row(Struct, frozen=True):
    """A target as it was measured."""

    name: str
    measured: Measured
    bound: float
    unit: str
    verdict: Verdict
    line: str
    """Name, measured number with its interval, bound and verdict, for people."""
    anchor: str


def held(results: Sequence[RunResult], others: Mapping[str, Sequence[RunResult]] | None = None) -> list[Row]:
    """Every target held against the results of one variant; `others` are the results of further ones, by name."""
    beside = others or {}
    return [_row(target, target.measure([*results, *beside.get(target.against, ())], target.families)) for target in TARGETS]


def _found(target: Target, measured: Measured) -> str:
    """The measured number, its interval if there is one, and over how many."""
    if measured.value is None:
        return "nothing to measure"
    ends = "" if measured.low is None and measured.high is None else f" [{target.shown(measured.low)}, {target.shown(measured.high)}]"
    return f"{target.shown(measured.value)}{ends} over {measured.n:,}"


def _row(target: Target, measured: Measured) -> Row:
    verdict = target.verdict(measured)
    line = f"{target.name}: {_found(target, measured)}, bound {target.bound_shown}: {verdict.value}"
    return Row(target.name, measured, target.bound, target.unit, verdict, line, target.anchor)
