"""ServeGen's clients of a model interface: each client's requests drawn anew from its windows of rate, burstiness and lengths."""

import heapq
import random
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from guard.convert.arrivals import ArrivalWindow, draw_arrivals
from guard.convert.lengths import Dataset, Lengths
from guard.convert.source import read_lines
from guard.convert.table import Column, Kind, Plan, Problems, Row
from guard.errors import InputError
from guard.units import DAY_MS, SECOND_MS

_TRACE: Final = re.compile(r"chunk-(\d{1,6})-trace\.csv", re.ASCII)
_DATASET: Final = re.compile(r"chunk-(\d{1,6})-dataset\.json\.gz", re.ASCII)
RATE_MAX: Final = 10_000
"""Requests a second; the largest client of the trace peaks at 2,442. A window's arrivals are drawn in memory."""
WINDOW_MS: Final = 600 * SECOND_MS
"""The trace's windows (its own documentation)."""
WINDOW_MS_MAX: Final = 6 * WINDOW_MS
SHAPE_OF_CHANCE: Final = 1.0
"""A window without a law of its own: gaps as of independent arrivals."""


class ServegenRow(Row):
    """One drawn request."""

    client: str
    model: str
    input_tokens: int
    output_tokens: int
    reasoning_tokens: int | None


def _clients(paths: Sequence[Path]) -> list[Path]:
    """Every trace file named, or found below a folder named, by folder and number."""
    found: set[Path] = set()
    for path in paths:
        found.update(path.rglob("chunk-*-trace.csv") if path.is_dir() else [path])
    wrong = sorted(path for path in found if not _TRACE.fullmatch(path.name))
    if wrong or not found:
        named = wrong[0] if wrong else paths[0]
        raise InputError(f"{named}: no trace of a client; name chunk-N-trace.csv files, or a folder that has some")
    return sorted(found, key=_place)


def _place(path: Path) -> tuple[str, int]:
    return path.parent.name, int(path.name.split("-")[1])


def _lengths_of(path: Path) -> Dataset:
    """The client's own lengths, or those of the client nearest in number in its folder that has some."""
    number = _place(path)[1]
    found = [one for one in path.parent.glob("chunk-*-dataset.json.gz") if _DATASET.fullmatch(one.name)]
    for nearest in sorted(found, key=lambda one: (abs(_place(one)[1] - number), _place(one))):
        if not (dataset := Dataset(nearest)).is_empty:
            return dataset
    raise InputError(f"{path}: no chunk-N-dataset.json.gz beside it that has lengths; keep the trace's folders together")


def _windows(path: Path, problems: Problems) -> Iterator[ArrivalWindow]:
    """The windows of a client in order; each lasts until the next begins, an hour at most."""
    before: tuple[int, float, str, float] | None = None
    length_ms = 0
    for line, text in read_lines(path):
        values = text.decode("utf-8", "replace").strip().split(",")
        try:
            start, rate, shape = int(values[0]) * SECOND_MS, float(values[1]), float(values[4])
        except (ValueError, IndexError):
            start, rate, shape = -1, -1.0, -1.0
        if not (start >= (before[0] + 1 if before else 0) and 0 <= rate < RATE_MAX and 0 <= shape < 1e6):
            problems.add(path, line, "it should be start, requests/s, CV, law, shape, scale, starts rising")
            continue
        if before:
            length_ms = min(start - before[0], WINDOW_MS_MAX)
            yield ArrivalWindow(before[0], length_ms, *before[1:])
        before = start, rate, values[3], shape or SHAPE_OF_CHANCE
    if before:
        yield ArrivalWindow(before[0], length_ms or WINDOW_MS, *before[1:])


def _requests(path: Path, plan: Plan, problems: Problems) -> Iterator[ServegenRow]:
    name = f"{path.parent.name} {path.name}"
    dice = random.Random(f"{plan.seed} {name}")
    dataset = _lengths_of(path)
    end_ms = _span_ms(plan)
    for number, window in enumerate(_windows(path, problems), start=1):
        if window.start_ms >= end_ms:
            return
        for at_ms in draw_arrivals(window, dice, plan.rate_max):
            if at_ms >= end_ms:
                break
            yield _row(at_ms, path, number, name, dataset.at(window.start_ms // SECOND_MS), dice)


def _row(at_ms: int, path: Path, line: int, name: str, lengths: Lengths, dice: random.Random) -> ServegenRow:
    output = int(lengths.output_tokens.draw(dice))
    reasoning = int(output * min(1.0, lengths.reason_ratio.draw(dice))) if lengths.reason_ratio else None
    return ServegenRow(at_ms, path, line, name, path.parent.name, int(lengths.input_tokens.draw(dice)), output, reasoning)


def _read(paths: Sequence[Path], plan: Plan, problems: Problems) -> Iterator[ServegenRow]:
    clients = _clients(paths)
    chosen = clients
    if plan.clients is not None and plan.clients < len(clients):
        chosen = sorted(random.Random(plan.seed).sample(clients, plan.clients), key=_place)
    streams = [_requests(path, plan, problems) for path in chosen]
    return heapq.merge(*streams, key=lambda row: (row.at_ms, row.client))


def _span_ms(plan: Plan) -> int:
    return int(plan.days * DAY_MS)


SERVEGEN: Final = Kind[ServegenRow](
    name="servegen",
    about="chunk-N-trace.csv with chunk-N-dataset.json.gz, files or folders (ServeGen, Apache-2.0)",
    notes=(
        "Each client is one account; that a client is one account in truth is not proved. --clients N draws N of them.",
        "Requests are drawn anew, by --seed: per window the trace's rate, gaps by its Gamma or Weibull law, lengths by its tables.",
        "A client above --rate-max requests/s (default 1, 0 for no limit) is thinned to it: the largest one peaks at 2,400 a second.",
        "The first --days of the trace (default 1). Input and output lengths are drawn apart: how they go together is not known.",
        "A client without lengths of its own takes those of the nearest in number.",
    ),
    table=(
        Column("event_time", "drawn from start, requests/s, law and shape", lambda row: row.at_ms),
        Column("account_id", "folder and file of the client", lambda row: row.client, keyed="account"),
        Column("model", "the folder's name", lambda row: row.model),
        Column("input_tokens", "drawn from input_tokens", lambda row: row.input_tokens),
        Column("output_tokens", "drawn from output_tokens", lambda row: row.output_tokens),
        Column("reasoning_tokens", "output_tokens x a draw from reason_ratio", lambda row: row.reasoning_tokens),
    ),
    read=_read,
    span_ms=_span_ms,
)
