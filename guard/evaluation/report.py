"""One report over all results: JSON for programs, one HTML page without any outside resource for people."""

import html
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import msgspec

from guard.errors import InputError
from guard.evaluation.figures import figures
from guard.evaluation.intervals import Measured
from guard.evaluation.metrics import cluster_recall, honest_sanctioned, informedness, pooled_to_throttle, purity, recall
from guard.evaluation.play import FULL
from guard.evaluation.result import RunResult
from guard.evaluation.targets import Row, held

LEAK_AUC: Final = 0.9
"""A raw field that alone tells the sides apart this well says more about the simulator than about the guard."""
FALSE_POSITIVES_SHOWN: Final = 1_000
"""In the page; the JSON has all of them."""

STYLE: Final = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:70em;margin:2em auto;padding:0 1em;color:#222}"
    "table{border-collapse:collapse;width:100%;margin:1em 0}td,th{text-align:left;padding:.25em .6em;border-bottom:1px solid #ddd}"
    "svg{max-width:100%;height:auto}.missed{color:#b00020;font-weight:600}.met{color:#1b6e2c}small{color:#666}"
)


def summary(results: Sequence[RunResult]) -> dict[str, object]:
    """Everything the report says, ready for JSON. Infinity is written as `never`."""
    by_variant = _by_variant(results)
    main = _main(by_variant)
    return {
        "runs": [_run(result) for result in results],
        "headline": main[0].variant if main else None,
        "targets": [{**_plain(row.measured), **_row(row)} for row in held(main)],
        "variants": {name: _variant(group) for name, group in by_variant.items()},
        "campaigns": [
            {"world": result.world, "seed": result.seed, **msgspec.to_builtins(row), "curve": msgspec.to_builtins(row.curve)}
            for result in main
            for row in result.campaigns
        ],
        "false_positives": [
            {"world": result.world, "seed": result.seed, **msgspec.to_builtins(one)} for result in main for one in result.false_positives
        ],
        "leakage": _leakage(main),
    }


def rows(results: Sequence[RunResult]) -> list[Row]:
    """The targets held against the headline variant: `full`, else the first one."""
    return held(_main(_by_variant(results)))


def write(results: Sequence[RunResult], folder: Path) -> tuple[Path, Path]:
    """Write `report.json` and `report.html` into the folder. Raises InputError when it cannot be written to."""
    told = summary(results)
    as_json, as_html = folder / "report.json", folder / "report.html"
    try:
        as_json.write_bytes(msgspec.json.format(msgspec.json.encode(told), indent=1))
        as_html.write_text(_page(results), encoding="utf-8")
    except OSError as error:
        raise InputError(
            f"{folder}: the report cannot be written ({error.strerror}); name a folder with room that may be written to"
        ) from None
    return as_json, as_html


def _by_variant(results: Sequence[RunResult]) -> dict[str, list[RunResult]]:
    found: dict[str, list[RunResult]] = {}
    for result in results:
        found.setdefault(result.variant, []).append(result)
    return found


def _main(by_variant: dict[str, list[RunResult]]) -> list[RunResult]:
    return by_variant.get(FULL) or next(iter(by_variant.values()), [])


def _run(result: RunResult) -> dict[str, object]:
    names = ("world", "seed", "variant", "is_closed", "code", "events", "seconds")
    return {**{name: getattr(result, name) for name in names}, "accounts": len(result.accounts)}


def _plain(measured: Measured) -> dict[str, object]:
    def number(value: float | None) -> float | str | None:
        return "never" if value is not None and math.isinf(value) else value

    return {"value": number(measured.value), "low": number(measured.low), "high": number(measured.high), "n": measured.n}


def _row(row: Row) -> dict[str, object]:
    return {name: getattr(row, name) for name in ("name", "bound", "unit", "verdict", "line", "anchor")}


def _variant(group: Sequence[RunResult]) -> dict[str, object]:
    families = sorted({row.family for result in group for row in result.accounts if not row.is_honest})
    return {
        "informedness": _plain(informedness(group)),
        "honest_sanctioned": _plain(honest_sanctioned(group, ())),
        "cluster_recall": _plain(cluster_recall(group, ())),
        "purity": _plain(purity(group, ())),
        "pooled_to_throttle": _plain(pooled_to_throttle(group, ())),
        "recall": {family: _plain(recall(group, (family,))) for family in families},
    }


def _leakage(group: Sequence[RunResult]) -> dict[str, float]:
    fields = sorted({name for result in group for name in result.leakage})
    means = {name: _mean([result.leakage[name] for result in group if name in result.leakage]) for name in fields}
    return dict(sorted(means.items(), key=lambda item: -item[1]))


def _mean(values: Sequence[float]) -> float:
    return round(sum(values) / len(values), 4)


def _page(results: Sequence[RunResult]) -> str:
    main = _main(_by_variant(results))
    parts = [
        f"<h1>Evaluation</h1><p>{_intro(results)}</p>",
        "<h2>Targets</h2>",
        _table(("target", "measured, with 95 % interval", "bound", "verdict", "anchor"), (_cells(row) for row in rows(results))),
        *(f"<h2>{html.escape(title)}</h2>{svg}" for title, svg in figures(main).items()),
        "<h2>Ablations, baselines and shuffled labels</h2>",
        "<p><small>Informedness: share of hostile accounts sanctioned less that of honest ones; 0 is chance.</small></p>",
        _variants(_by_variant(results)),
        "<h2>Honest accounts sanctioned</h2>",
        _false_positives(main),
        "<h2>Leakage of the simulator</h2>",
        f"<p><small>AUC of one raw field alone; from {LEAK_AUC} on the field gives the fleets away.</small></p>",
        _table(
            ("field", "AUC", ""), ((name, f"{auc:.3f}", "gives away" if auc >= LEAK_AUC else "") for name, auc in _leakage(main).items())
        ),
    ]
    body = "".join(parts)
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Evaluation</title><style>{STYLE}</style><body>{body}</body></html>\n'
    )


def _intro(results: Sequence[RunResult]) -> str:
    worlds = ", ".join(sorted({result.world for result in results}))
    seeds = ", ".join(str(seed) for seed in sorted({result.seed for result in results}))
    loop = "closed loop" if all(result.is_closed for result in results) else "open loop"
    return html.escape(f"Worlds {worlds}; seeds {seeds}; {loop}; {sum(result.events for result in results):,} exchanges judged in all.")


def _cells(row: Row) -> tuple[str, ...]:
    found, _, rest = row.line.removeprefix(f"{row.name}: ").partition(", bound ")
    return row.name, found, rest.rpartition(": ")[0], row.verdict.value, row.anchor


def _variants(by_variant: dict[str, list[RunResult]]) -> str:
    main = _main(by_variant)
    families = sorted({row.family for result in main for row in result.accounts if not row.is_honest})
    header = ("variant", "informedness", "honest sanctioned", "campaigns found", *(f"recall {family}" for family in families))
    return _table(
        header,
        (
            (
                name,
                _number(informedness(group), 1),
                _number(honest_sanctioned(group, ()), 100),
                _number(cluster_recall(group, ()), 100),
                *(_number(recall(group, (family,)), 100) for family in families),
            )
            for name, group in by_variant.items()
        ),
    )


def _number(measured: Measured, scale: float) -> str:
    if measured.value is None or measured.low is None or measured.high is None:
        return "-"
    unit = " %" if scale == 100 else ""
    return f"{scale * measured.value:.3g}{unit} [{scale * measured.low:.3g}, {scale * measured.high:.3g}]"


def _false_positives(main: Sequence[RunResult]) -> str:
    found = [(result, one) for result in main for one in result.false_positives]
    if not found:
        return "<p>None.</p>"
    cells = (
        (
            f"{result.world} {result.seed}",
            one.account_id,
            f"{one.kind} {one.family}",
            f"{one.action} by {one.scope}",
            "; ".join(f"{why.code} {why.value:.4g} (threshold {why.threshold:.4g}, weight {why.weight:.2g})" for why in one.reasons),
        )
        for result, one in found[:FALSE_POSITIVES_SHOWN]
    )
    beyond = len(found) - FALSE_POSITIVES_SHOWN
    return _table(("world", "account", "kind", "action", "reasons"), cells) + (
        f"<p>{beyond:,} more in report.json.</p>" if beyond > 0 else ""
    )


def _table(header: Sequence[str], cells: Iterable[Sequence[str]]) -> str:
    head = "".join(f"<th>{html.escape(name)}</th>" for name in header)
    body = "".join("<tr>" + "".join(_cell(text) for text in row) + "</tr>" for row in cells)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cell(text: str) -> str:
    mark = f' class="{text}"' if text in {"met", "missed"} else ""
    return f"<td{mark}>{html.escape(text)}</td>"
