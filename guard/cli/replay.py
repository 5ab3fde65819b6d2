"""`guard replay`: recorded events through the engine, decisions into a file."""

import json
import sys
import time
from pathlib import Path
from typing import IO, Annotated

import typer
from rich.progress import Progress, SpinnerColumn, TextColumn

from guard.cli.options import AsJson, Baseline
from guard.control.baseline_file import starting_models
from guard.control.files import control_from_files
from guard.engine.driver import Driver
from guard.errors import InputError
from guard.replay.run import Replayed, replay
from guard.topics import PARTITIONS_DEFAULT


def replay_command(
    events: Annotated[list[Path], typer.Argument(metavar="EVENTS...", help="Request events, JSON Lines; plain, .gz or .zst.")],
    decisions: Annotated[Path, typer.Option(metavar="OUT.jsonl", help="Where every decision goes, in order.")],
    campaigns: Annotated[Path | None, typer.Option(metavar="OUT.jsonl", help="Where the campaigns' last records go.")] = None,
    policy: Annotated[Path | None, typer.Option(metavar="FILE", help="A policy document; the built-in one if not given.")] = None,
    labels: Annotated[Path | None, typer.Option(metavar="FILE", help="Labels, JSON Lines.")] = None,
    partitions: Annotated[int, typer.Option(min=1, max=10_000, help="Partitions of guard.requests.")] = PARTITIONS_DEFAULT,
    baseline: Baseline = None,
    *,
    enforce: Annotated[bool, typer.Option("--enforce", help="Take the built-in policy out of shadow.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="End at the first unreadable line, with exit code 3.")] = False,
    watch_list: Annotated[bool, typer.Option(help="Let known campaigns meet new accounts at their first request.")] = True,
    as_json: AsJson = False,
) -> None:
    """Run recorded events through the same engine as the stream. The same input gives the same bytes."""
    models = starting_models(baseline)
    driver = Driver(partitions, control_from_files(policy, labels, enforce=enforce), has_watch_list=watch_list, models=models)
    began = time.perf_counter()
    with _create(decisions) as out, Progress(SpinnerColumn(), TextColumn("{task.description}"), disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("reading")
        seen, found = replay(
            events,
            driver,
            out,
            strict=strict,
            progress=lambda count: bar.update(task, description=f"{count:,} events"),
        )
    if campaigns is not None:
        with _create(campaigns) as out:
            out.writelines(record + b"\n" for _, record in sorted(found.items()))
    _report(seen, time.perf_counter() - began, decisions, as_json=as_json)


def _create(path: Path) -> IO[bytes]:
    try:
        return path.open("wb")
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror}); name a file in a folder that exists") from None


def _report(seen: Replayed, seconds: float, path: Path, *, as_json: bool) -> None:
    for line in seen.named:
        typer.echo(f"guard: skipped {line}", err=True)
    if seen.unreadable > len(seen.named):
        typer.echo(f"guard: skipped {seen.unreadable - len(seen.named)} more unreadable lines", err=True)
    if as_json:
        summary = {
            "events": seen.events,
            "unreadable": seen.unreadable,
            "decisions": seen.decisions,
            "tallies": seen.tallies,
            "invalid_fields": seen.invalid_fields,
            "seconds": round(seconds, 3),
        }
        typer.echo(json.dumps(summary))
        return
    rate = seen.events / seconds if seconds else 0.0
    typer.echo(
        f"{seen.events:,} events, {seen.unreadable:,} unreadable lines, {seen.decisions:,} decisions in {path} ({rate:,.0f} events/s)"
    )
