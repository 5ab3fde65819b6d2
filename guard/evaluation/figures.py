"""Leak, delay and scores as curves, drawn by matplotlib into SVG that stands in the page itself."""

import io
import math
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING

from guard.errors import UsageError
from guard.evaluation.calibration import Bin, Calibration
from guard.evaluation.metrics import campaigns
from guard.evaluation.result import CampaignRow, RunResult
from guard.units import SECOND_MS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

STYLE = {"svg.fonttype": "none", "svg.hashsalt": "guard", "font.size": 9, "axes.spines.top": False, "axes.spines.right": False}
"""Text stays text, and the same numbers give the same bytes. matplotlib is loaded when it draws: `guard --help` does not wait for it."""
CURVES_MAX = 40
"""Campaigns drawn one by one; more are a smear."""


def check_drawable() -> None:
    """Raises UsageError when matplotlib is missing: better before the runs than after them."""
    if find_spec("matplotlib") is None:
        raise UsageError("`guard evaluate` draws with matplotlib, which is not installed; install guard[evaluate]")


def figures(results: Sequence[RunResult]) -> dict[str, str]:
    """Title -> SVG: how far campaigns got, and how their accounts were caught."""
    rows = campaigns(results)
    if not rows:
        return {}
    leaks = _by_family(rows, [_or_never(row.leaked_to_throttle) for row in rows])
    delays = _by_family(
        rows, [_or_never(None if row.throttled_at is None else (row.throttled_at - row.first_at) / SECOND_MS) for row in rows]
    )
    return {
        "Leak: campaigns throttled by so many pooled exchanges": _steps(
            leaks, "answered exchanges, pooled", "share of campaigns throttled"
        ),
        "Delay: campaigns throttled within so many seconds": _steps(
            delays, "seconds since the first exchange", "share of campaigns throttled"
        ),
        "Accounts caught as a campaign goes on": _curves(rows),
    }


def score_figures(results: Sequence[RunResult], found: Calibration) -> dict[str, str]:
    """Title -> SVG: whether scores keep their word, and how many accounts reach them."""
    sides = {
        name: sorted(row.score for result in results for row in result.accounts if row.score is not None and row.is_honest is is_honest)
        for name, is_honest in (("honest", True), ("hostile", False))
    }
    rungs = [rung.score for rung in found.rungs]
    return {
        "Reliability: scores against truth": _reliability({"accounts": found.accounts, "campaigns": found.campaigns}),
        "Accounts by their highest score": _reached({name: side for name, side in sides.items() if side}, rungs),
    }


def _reliability(sides: dict[str, Sequence[Bin]]) -> str:
    with import_module("matplotlib").rc_context(STYLE):
        figure, axes = _empty("highest score, mean of the bin", "share truly of a campaign", x_scale="linear")
        axes.set_xlim(-0.02, 1.02)
        axes.plot([0, 1], [0, 1], color="0.7", linewidth=1, label="calibrated")
        for (name, bins), marker in zip(sides.items(), "os", strict=False):
            shares = [one.share.value or 0.0 for one in bins]
            below = [share - (one.share.low or 0.0) for share, one in zip(shares, bins, strict=True)]
            above = [(one.share.high or 0.0) - share for share, one in zip(shares, bins, strict=True)]
            axes.errorbar([one.mean_score for one in bins], shares, yerr=[below, above], marker=marker, linestyle="", capsize=2, label=name)
        return _svg(figure, axes)


def _reached(sides: dict[str, list[float]], rungs: Sequence[float]) -> str:
    with import_module("matplotlib").rc_context(STYLE):
        figure, axes = _empty("score", "share of accounts that ever reached it", x_scale="linear")
        axes.set_xlim(-0.02, 1.02)
        for name, scores in sides.items():
            n = len(scores)
            axes.step(
                [0.0, *scores, 1.0], [1.0, *(1 - number / n for number in range(1, n + 1)), 0.0], where="post", label=f"{name} ({n:,})"
            )
        for number, rung in enumerate(rungs):
            axes.axvline(rung, color="0.5", linewidth=0.8, linestyle=":", label="" if number else "rungs")
        axes.set_yscale("log")
        axes.set_ylim(0.5 / max(len(side) for side in sides.values()), 1.5)
        return _svg(figure, axes)


def _or_never(value: float | None) -> float:
    return math.inf if value is None else max(1.0, value)


def _by_family(rows: Sequence[CampaignRow], values: Sequence[float]) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    for row, value in zip(rows, values, strict=True):
        found.setdefault(row.family, []).append(value)
    return dict(sorted(found.items()))


def _steps(by_family: dict[str, list[float]], x: str, y: str) -> str:
    with import_module("matplotlib").rc_context(STYLE):
        figure, axes = _empty(x, y)
        for family, values in by_family.items():
            reached = sorted(value for value in values if not math.isinf(value))
            shares = [(number + 1) / len(values) for number in range(len(reached))]
            axes.step([*reached[:1], *reached], [0.0, *shares] if reached else [], where="post", label=f"{family} ({len(values)})")
        return _svg(figure, axes)


def _curves(rows: Sequence[CampaignRow]) -> str:
    with import_module("matplotlib").rc_context(STYLE):
        figure, axes = _empty("answered exchanges, pooled", "share of its accounts caught")
        families = sorted({row.family for row in rows})
        named: set[str] = set()
        for row in rows[:CURVES_MAX]:
            label = "" if row.family in named else row.family
            named.add(row.family)
            color = f"C{families.index(row.family) % 10}"
            axes.plot([max(1, p.answered) for p in row.curve], [p.caught for p in row.curve], color=color, label=label, linewidth=1)
        return _svg(figure, axes)


def _empty(x: str, y: str, *, x_scale: str = "log") -> "tuple[Figure, Axes]":
    figure = import_module("matplotlib.figure").Figure(figsize=(7, 3.2), layout="constrained")
    axes = figure.add_subplot()
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.set_xscale(x_scale)
    axes.set_ylim(-0.02, 1.02)
    return figure, axes


def _svg(figure: "Figure", axes: "Axes") -> str:
    axes.legend(fontsize=8, frameon=False)
    out = io.StringIO()
    figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    text = out.getvalue()
    return text[text.index("<svg") :]
