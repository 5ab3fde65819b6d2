"""`guard simulate`: a seeded world as request events, with its truth and labels beside it; and the score of decisions against it."""

import gzip
import json
import random
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Annotated, TypeVar, cast

import msgspec
import typer
import zstandard
from rich.progress import Progress, SpinnerColumn, TextColumn

from guard.cli.options import AsJson
from guard.convert.source import read_lines
from guard.decisions.decision import Decision
from guard.errors import InputError, UsageError
from guard.events.request import RequestEvent
from guard.simulation.client import Truth
from guard.simulation.presets import ATTACKS, NEGATIVES, Built, build
from guard.simulation.score import Report, Scorer
from guard.simulation.world import OpenGateway
from guard.units import HOUR_MS, MINUTE_MS

WRONG_LABELS = 0.02
LABELLED_SHARE = 0.1
"""A tenth of the accounts is labelled, two in a hundred of them wrongly, hours late (reference protocol)."""

T = TypeVar("T")
_encode = msgspec.json.Encoder().encode


def simulate(
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="Where events.jsonl, truth.jsonl and labels.jsonl go; made if missing.")],
    world: Annotated[str, typer.Option(help="small (20 minutes), demo (an hour) or day.")] = "demo",
    seed: Annotated[int, typer.Option(help="The same seed gives the same bytes.")] = 1,
    end: Annotated[int | None, typer.Option(metavar="EPOCH_MS", help="When the world ends; a minute ago if not given.")] = None,
    attacks: Annotated[str, typer.Option(help="Families of attack, with commas.")] = ",".join(ATTACKS),
    negatives: Annotated[str, typer.Option(help="Hard negatives, with commas.")] = ",".join(NEGATIVES),
    compress: Annotated[str, typer.Option(help="none, gz or zst.")] = "none",
    score: Annotated[
        Path | None, typer.Option(metavar="DECISIONS.jsonl", help="Score these decisions against the folder's truth instead.")
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Write a world open loop, or score what a replay decided about it."""
    if score is not None:
        _print(_scored(out, score), as_json=as_json)
        return
    if compress not in {"none", "gz", "zst"}:
        raise UsageError(f"--compress is {compress[:20]!a}; it should be none, gz or zst")
    now = time.time_ns() // 1_000_000 - MINUTE_MS
    built = build(world, seed, now if end is None else end, _names(attacks), _names(negatives))
    _make_folder(out)
    events = out / ("events.jsonl" if compress == "none" else f"events.jsonl.{compress}")
    count = _write(built, events)
    _write_lines(out / "truth.jsonl", (msgspec.json.encode(truth) for truth in built.truths))
    _write_lines(out / "labels.jsonl", _labels(built, seed))
    if as_json:
        typer.echo(
            json.dumps({"events": count, "accounts": len(built.truths), "start": built.start, "end": built.end, "file": str(events)})
        )
    else:
        typer.echo(f"{count:,} events of {len(built.truths):,} accounts in {events}; truth.jsonl and labels.jsonl beside it")


def _make_folder(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{path}: cannot be made ({error.strerror}); name a folder that may be written to") from None


def _names(words: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in words.split(",") if word.strip())


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
    with _opened(path) as file, Progress(SpinnerColumn(), TextColumn("{task.description}"), disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("playing")
        for exchange in built.world.play(OpenGateway()):
            fields = msgspec.structs.asdict(exchange.event)
            file.write(_encode({name: value for name, value in fields.items() if value is not None}) + b"\n")
            count += 1
            if not count & 0x3FFF:
                bar.update(task, description=f"{count:,} events")
    return count


def _write_lines(path: Path, lines: Iterator[bytes]) -> None:
    with path.open("wb") as file:
        file.writelines(line + b"\n" for line in lines)


def _labels(built: Built, seed: int) -> Iterator[bytes]:
    dice = random.Random(f"{seed}:labels")
    for number, truth in enumerate(built.truths):
        if dice.random() < LABELLED_SHARE:
            is_extraction = truth.honest == (dice.random() < WRONG_LABELS)
            verdict = "extraction" if is_extraction else "benign"
            at = built.start + int(dice.uniform(0.5, 1.0) * (built.end - built.start))
            label = {
                "label_id": f"l-{number}",
                "scope": "account",
                "subject": truth.account_id,
                "verdict": verdict,
                "at": at,
                "author": "simulate",
            }
            yield msgspec.json.encode({**label, "expires_at": at + 24 * HOUR_MS})


def _scored(folder: Path, decisions: Path) -> Report:
    truth_file = folder / "truth.jsonl"
    scorer = Scorer(_read(truth_file, Truth, "an account's truth"))
    events = next((path for path in sorted(folder.glob("events.jsonl*"))), None)
    if events is None:
        raise InputError(f"{folder}: no events.jsonl; it should be a folder that `guard simulate` wrote")
    for decision in _read(decisions, Decision, "a decision"):
        scorer.decision(decision)
    for event in _read(events, RequestEvent, "a request event"):
        scorer.exchange(event.account_id, event.event_time, was_refused=event.was_refused_by_guard)
    return scorer.report()


def _read(path: Path, kind: type[T], what: str) -> Iterator[T]:
    decoder = msgspec.json.Decoder(kind)
    for number, line in read_lines(path):
        try:
            yield decoder.decode(line)
        except msgspec.MsgspecError as error:
            raise InputError(f"{path}: line {number}: {error}; each line should be {what}") from None


def _print(report: Report, *, as_json: bool) -> None:
    if as_json:
        typer.echo(msgspec.json.encode(report).decode())
        return
    typer.echo(f"{report.events:,} events, {report.honest_accounts:,} honest accounts, of them sanctioned {report.honest_sanctioned_total}")
    for kind, accounts in sorted(report.honest_sanctioned.items()):
        typer.echo(f"  {kind}: {len(accounts)} sanctioned, {len(report.honest_blocked.get(kind, []))} blocked")
    for one in report.campaigns:
        leaks = f"{one.leaked_before_throttle} before the first throttle, {one.leaked_before_block} before a block"
        typer.echo(
            f"  {one.family} {one.name}: {'found' if one.is_found else 'not found'}, {one.caught} of {one.accounts} accounts, leaked {leaks}"
        )
