"""`guard simulate`: a seeded world as request events, with its truth and labels beside it; and the score of decisions against it."""

import gzip
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Annotated, TypeVar, cast

import msgspec
import typer
import zstandard
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn

from guard.cli.options import AsJson
from guard.convert.source import read_lines
from guard.decisions.decision import Decision
from guard.errors import InputError, UsageError
from guard.events.request import RequestEvent
from guard.simulation.client import Truth
from guard.simulation.leakage import Leak, Leakage
from guard.simulation.presets import ATTACKS, NEGATIVES, Built, build
from guard.simulation.printed import print_families, print_leaks, print_report
from guard.simulation.score import Report, Scorer
from guard.simulation.sizes import PRESETS
from guard.simulation.world import OpenGateway
from guard.units import MINUTE_MS
from guard.wall_clock import wall_clock

COLUMNS = (SpinnerColumn(), BarColumn(), TextColumn("{task.description}"), TimeRemainingColumn())

T = TypeVar("T")
_encode = msgspec.json.Encoder().encode


def simulate(
    out: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Where events.jsonl, truth.jsonl and labels.jsonl go; made if missing.")
    ] = None,
    world: Annotated[
        str, typer.Option(help=f"{', '.join(PRESETS)}: 20 minutes, an hour, 3 days, 14 days, 14 days of 26 million.")
    ] = "demo",
    seed: Annotated[int, typer.Option(help="The same seed gives the same bytes.")] = 1,
    end: Annotated[int | None, typer.Option(metavar="EPOCH_MS", help="When the world ends; a minute ago if not given.")] = None,
    attacks: Annotated[str | None, typer.Option(help="Families of attack, with commas, or all; the world's own if not given.")] = None,
    negatives: Annotated[str | None, typer.Option(help="Hard negatives, with commas, or all; the world's own if not given.")] = None,
    compress: Annotated[str, typer.Option(help="none, gz or zst.")] = "none",
    score: Annotated[
        Path | None, typer.Option(metavar="DECISIONS.jsonl", help="Score these decisions against the folder's truth instead.")
    ] = None,
    leakage: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Print what single facts give away in a world written before.")
    ] = None,
    *,
    list_families: Annotated[bool, typer.Option("--list", help="Print the families that can be played.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write a world open loop, score what a replay decided about it, or ask what single facts give away in it."""
    if list_families:
        print_families(as_json=as_json)
    elif leakage is not None:
        print_leaks(_leaks(leakage), as_json=as_json)
    elif out is None:
        raise UsageError("no --out; it should name the folder to write to (or give --list or --leakage FOLDER)")
    elif score is not None:
        print_report(_scored(out, score), as_json=as_json)
    elif compress not in {"none", "gz", "zst"}:
        raise UsageError(f"--compress is {compress[:20]!a}; it should be none, gz or zst")
    else:
        now = wall_clock() - MINUTE_MS
        built = build(world, seed, now if end is None else end, _names(attacks, ATTACKS), _names(negatives, NEGATIVES))
        _written(built, out, compress, as_json=as_json)


def _written(built: Built, out: Path, compress: str, *, as_json: bool) -> None:
    _make_folder(out)
    events = out / ("events.jsonl" if compress == "none" else f"events.jsonl.{compress}")
    count = _write(built, events)
    _write_lines(out / "truth.jsonl", (msgspec.json.encode(truth) for truth in built.truths))
    _write_lines(out / "labels.jsonl", (msgspec.json.encode(label) for label in built.labels))
    if as_json:
        facts = {"events": count, "accounts": len(built.truths), "start": built.start, "end": built.end, "file": str(events)}
        typer.echo(json.dumps(facts))
    else:
        typer.echo(f"{count:,} events of {len(built.truths):,} accounts in {events}; truth.jsonl and labels.jsonl beside it")


def _make_folder(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{path}: cannot be made ({error.strerror}); name a folder that may be written to") from None


def _names(words: str | None, known: tuple[str, ...]) -> tuple[str, ...] | None:
    if words is None:
        return None
    return known if words.strip() == "all" else tuple(word.strip() for word in words.split(",") if word.strip())


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    if path.suffix == ".gz":
        with path.open("wb") as raw, gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as file:
            yield cast("IO[bytes]", file)
    elif path.suffix == ".zst":
        with path.open("wb") as raw, zstandard.ZstdCompressor().stream_writer(raw) as file:
            yield file
    else:
        with path.open("wb") as file:
            yield file


def _write(built: Built, path: Path) -> int:
    count = 0
    with _opened(path) as file, Progress(*COLUMNS, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("playing", total=built.end - built.start)
        for exchange in built.world.play(OpenGateway()):
            fields = msgspec.structs.asdict(exchange.event)
            file.write(_encode({name: value for name, value in fields.items() if value is not None}) + b"\n")
            count += 1
            if not count & 0xFFF:
                bar.update(task, completed=exchange.event.event_time - built.start, description=f"{count:,} events")
    return count


def _write_lines(path: Path, lines: Iterator[bytes]) -> None:
    with path.open("wb") as file:
        file.writelines(line + b"\n" for line in lines)


def _scored(folder: Path, decisions: Path) -> Report:
    scorer = Scorer(_read(folder / "truth.jsonl", Truth, "an account's truth"))
    events = _events_of(folder)
    for decision in _read(decisions, Decision, "a decision"):
        scorer.decision(decision)
    for event in _read(events, RequestEvent, "a request event"):
        scorer.exchange(event.account_id, event.event_time, was_refused=event.was_refused_by_guard, was_answered=event.status < 400)
    return scorer.report()


def _leaks(folder: Path) -> list[Leak]:
    found = Leakage(_read(folder / "truth.jsonl", Truth, "an account's truth"))
    for event in _read(_events_of(folder), RequestEvent, "a request event"):
        found.take(event)
    return found.report()


def _events_of(folder: Path) -> Path:
    events = next((path for path in sorted(folder.glob("events.jsonl*"))), None)
    if events is None:
        raise InputError(f"{folder}: no events.jsonl; it should be a folder that `guard simulate` wrote")
    return events


def _read(path: Path, kind: type[T], what: str) -> Iterator[T]:
    decoder = msgspec.json.Decoder(kind)
    for number, line in read_lines(path):
        try:
            yield decoder.decode(line)
        except msgspec.MsgspecError as error:
            raise InputError(f"{path}: line {number}: {error}; each line should be {what}") from None
