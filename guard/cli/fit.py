"""`guard fit`: a starting baseline from recorded events, so that a new installation is not blind on its first day."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress, SpinnerColumn, TextColumn

from guard.cli.options import AsJson
from guard.cli.options import Baseline as Begin
from guard.control.baseline_file import starting_models, write_baseline
from guard.control.files import control_from_files
from guard.replay.fit import Fitted, fit
from guard.scoring.learned.baseline import short_id
from guard.scoring.learned.crowd import WINDOW
from guard.scoring.learned.models import VERSION
from guard.scoring.learned.supervised import EACH_MIN


def fit_command(
    events: Annotated[list[Path], typer.Argument(metavar="EVENTS...", help="Request events, JSON Lines; plain, .gz or .zst.")],
    out: Annotated[Path, typer.Option(metavar="FILE", help="Where the baseline goes.")],
    labels: Annotated[Path | None, typer.Option(metavar="FILE", help="Labels, JSON Lines: they teach the supervised model.")] = None,
    policy: Annotated[Path | None, typer.Option(metavar="FILE", help="A policy document; the built-in one if not given.")] = None,
    baseline: Begin = None,
    *,
    strict: Annotated[bool, typer.Option("--strict", help="End at the first unreadable line, with exit code 3.")] = False,
    as_json: AsJson = False,
) -> None:
    """Learn from recorded events what the crowd looks like, and from labels what harvesting looks like; write a baseline file."""
    models, control = starting_models(baseline), control_from_files(policy, labels, enforce=True)
    with Progress(SpinnerColumn(), TextColumn("{task.description}"), disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("reading")
        fitted = fit(
            events, control, models=models, strict=strict, progress=lambda count: bar.update(task, description=f"{count:,} events")
        )
    write_baseline(out, fitted.baseline)
    _report(fitted, len(control.labels.labels), out, as_json=as_json)


def _report(fitted: Fitted, labels: int, out: Path, *, as_json: bool) -> None:
    seen, learned = fitted.seen, fitted.baseline
    version, examples = f"{VERSION}+{short_id(learned)}", learned.supervised
    for line in seen.named:
        typer.echo(f"guard: skipped {line}", err=True)
    if as_json:
        summary = {
            "events": seen.events, "unreadable": seen.unreadable, "accounts": fitted.accounts, "lessons": learned.learned, "labels": labels,
            "examples": {"extraction": examples.extraction, "benign": examples.benign}, "file": str(out), "version": version,
        }  # fmt: skip
        typer.echo(json.dumps(summary))
        return
    typer.echo(f"read      {seen.events:,} events of {fitted.accounts:,} accounts; {seen.unreadable:,} lines could not be read")
    typer.echo(f"crowd     {learned.learned:,} lessons {_enough(learned.learned, 2 * WINDOW)}")
    least = min(examples.extraction, examples.benign)
    typer.echo(f"examples  {examples.extraction:,} of extraction, {examples.benign:,} benign, {labels:,} labels {_enough(least, EACH_MIN)}")
    typer.echo(f"wrote     {out}, which decisions will name as {version}")


def _enough(have: int, need: int) -> str:
    return "(enough to speak)" if have >= need else f"(silent until there are {need:,})"
