"""One report over all results: JSON for programs, one HTML page without any outside resource for people."""

import math
from collections.abc import Sequence
from pathlib import Path

import msgspec

from guard.errors import InputError
from guard.evaluation.calibration import calibration
from guard.evaluation.intervals import Measured
from guard.evaluation.metrics import recall
from guard.evaluation.page import page
from guard.evaluation.result import RunResult
from guard.evaluation.tables import Totals, by_variant_of, hostile_families, leakage_means, less_told, main_of, totals
from guard.evaluation.targets import Row, held
from guard.evaluation.variants import VARIANTS


def summary(results: Sequence[RunResult]) -> dict[str, object]:
    """Everything the report says, ready for JSON. Infinity is written as `never`."""
    by_variant = by_variant_of(results)
    main = main_of(by_variant)
    return {
        "runs": [_run(result) for result in results],
        "headline": main[0].variant if main else None,
        "targets": [{**_plain(row.measured), **_row(row)} for row in held(main, by_variant)],
        "variants": {
            total.variant: {"what": VARIANTS[total.variant], **_variant(total, by_variant[total.variant])} for total in totals(by_variant)
        },
        "less_told": [
            {"variant": told.variant, "caught": told.caught, "in_part": told.in_part, "missed": told.missed}
            for told in less_told(by_variant)
        ],
        "calibration": msgspec.to_builtins(calibration(main)),
        "campaigns": [
            {"world": result.world, "seed": result.seed, **msgspec.to_builtins(row), "curve": msgspec.to_builtins(row.curve)}
            for result in main
            for row in result.campaigns
        ],
        "false_positives": [
            {"world": result.world, "seed": result.seed, **msgspec.to_builtins(one)} for result in main for one in result.false_positives
        ],
        "leakage": leakage_means(main),
    }


def rows(results: Sequence[RunResult]) -> list[Row]:
    """The targets held against the headline variant: `full`, else the first one."""
    by_variant = by_variant_of(results)
    return held(main_of(by_variant), by_variant)


def total_rows(results: Sequence[RunResult]) -> list[Totals]:
    """Every variant over all of its worlds, seeds and families."""
    return totals(by_variant_of(results))


def write(results: Sequence[RunResult], folder: Path) -> tuple[Path, Path]:
    """Write `report.json` and `report.html` into the folder. Raises InputError when it cannot be written to."""
    told = summary(results)
    as_json, as_html = folder / "report.json", folder / "report.html"
    try:
        as_json.write_bytes(msgspec.json.format(msgspec.json.encode(told), indent=1))
        as_html.write_text(page(results), encoding="utf-8")
    except OSError as error:
        raise InputError(
            f"{folder}: the report cannot be written ({error.strerror}); name a folder with room that may be written to"
        ) from None
    return as_json, as_html


def _run(result: RunResult) -> dict[str, object]:
    names = ("world", "seed", "variant", "is_closed", "code", "events", "seconds")
    return {**{name: getattr(result, name) for name in names}, "accounts": len(result.accounts)}


def _plain(measured: Measured) -> dict[str, object]:
    def number(value: float | None) -> float | str | None:
        return "never" if value is not None and math.isinf(value) else value

    return {"value": number(measured.value), "low": number(measured.low), "high": number(measured.high), "n": measured.n}


def _row(row: Row) -> dict[str, object]:
    return {name: getattr(row, name) for name in ("name", "bound", "unit", "verdict", "line", "anchor")}


def _variant(total: Totals, group: Sequence[RunResult]) -> dict[str, object]:
    measured = {name: _plain(getattr(total, name)) for name in total.__struct_fields__ if name != "variant"}
    return {**measured, "recall": {family: _plain(recall(group, (family,))) for family in hostile_families(group)}}
