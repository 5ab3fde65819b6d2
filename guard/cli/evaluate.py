"""`guard evaluate`: worlds by seeds by variants, held against the targets in one report."""

import sys
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from guard.cli.options import AsJson
from guard.errors import UsageError
from guard.evaluation import report
from guard.evaluation.figures import check_drawable
from guard.evaluation.result import RunResult
from guard.evaluation.run import Job, jobs_of, run
from guard.evaluation.variants import VARIANTS

SEED_MAX = 2**31 - 1


def evaluate(
    out: Annotated[
        Path, typer.Option(metavar="FOLDER", help="Where report.html, report.json and the runs go; runs in it are not made again.")
    ],
    worlds: Annotated[str, typer.Option(help="Names of worlds, with commas.")] = "small",
    seeds: Annotated[str, typer.Option(help="Whole numbers, with commas.")] = "1,2,3",
    variants: Annotated[str, typer.Option(help="Variants, with commas.")] = ",".join(VARIANTS),
    jobs: Annotated[int, typer.Option(min=1, max=256, help="Runs at once.")] = 1,
    events: Annotated[Path | None, typer.Option(metavar="FILE", help="Score these recorded events instead, open loop.")] = None,
    truth: Annotated[Path | None, typer.Option(metavar="FILE", help="The truth about the recorded events' accounts.")] = None,
    *,
    open_loop: Annotated[bool, typer.Option("--open-loop", help="The gateway obeys nobody; what it would refuse is counted.")] = False,
    as_json: AsJson = False,
) -> None:
    """Measure the guard, its ablations and the baselines on worlds with a known truth, and hold the figures against the targets."""
    chosen = _chosen(variants)
    if (events is None) != (truth is None):
        raise UsageError("--events and --truth belong together; give both or neither")
    if events is not None:
        first = jobs_of([_stem(events)], [0], chosen, is_closed=False)
        planned = [msgspec.structs.replace(job, events=events, truth=truth) for job in first]
    else:
        planned = jobs_of(_words(worlds, "--worlds"), _seeds(seeds), chosen, is_closed=not open_loop)
    check_drawable()
    results = _run(planned, out, jobs)
    files = report.write(results, out)
    if as_json:
        typer.echo(msgspec.json.encode(report.summary(results)).decode())
        return
    for row in report.rows(results):
        typer.echo(row.line)
    for total in report.total_rows(results):
        typer.echo(f"all families, {total.line}")
    typer.echo(f"{files[1]} and {files[0].name} hold the rest")


def _run(planned: list[Job], out: Path, processes: int) -> list[RunResult]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("playing", total=len(planned))

        def progress(job: Job, left: int) -> None:
            bar.update(task, completed=len(planned) - left, description=f"{job.world} {job.seed} {job.variant}")

        return run(planned, out, processes, progress)


def _stem(path: Path) -> str:
    return path.name.split(".", 1)[0] or "events"


def _words(text: str, option: str) -> list[str]:
    found = list(dict.fromkeys(word.strip() for word in text.split(",") if word.strip()))
    if not found:
        raise UsageError(f"{option} is {text[:40]!a}; it should be names with commas between them")
    return found


def _chosen(text: str) -> list[str]:
    found = _words(text, "--variants")
    unknown = [name for name in found if name not in VARIANTS]
    if unknown:
        raise UsageError(f"variant {unknown[0][:40]!a}; it should be among {', '.join(VARIANTS)}")
    return found


def _seeds(text: str) -> list[int]:
    found = _words(text, "--seeds")
    for word in found:
        if not (word.isascii() and word.isdigit() and len(word) <= 10 and int(word) <= SEED_MAX):
            raise UsageError(f"--seeds has {word[:40]!a}; each should be a whole number from 0 to {SEED_MAX}")
    return [int(word) for word in found]
