"""`guard convert`: other people's logs and traces as request events."""

import gzip
import io
import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Annotated, cast

import typer
import zstandard
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn

from guard.cli.keys import HashKeyText
from guard.cli.options import AsJson
from guard.convert.kinds import KINDS, kind_named
from guard.convert.run import Converted, Times, convert_files
from guard.convert.table import Plan, mapping_of
from guard.errors import InputError, UsageError
from guard.events.hashing import hash_key

_HELP_KINDS = ", ".join(name + (" (evaluation only)" if kind.is_evaluation_only else "") for name, kind in KINDS.items())


def convert(
    kind_name: Annotated[str, typer.Option("--from", metavar="KIND", help=f"One of {_HELP_KINDS}.")],
    files: Annotated[list[Path] | None, typer.Argument(metavar="FILE...", help="The source's files; plain, .gz or .zst.")] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="OUT.jsonl", help="Where the events go (.gz, .zst pack them); else to stdout.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, max=2**31 - 1, help="Chooses what the source leaves to chance.")] = Plan().seed,
    clients: Annotated[int | None, typer.Option(min=1, max=10_000_000, help="How many accounts; what it means, --mapping tells.")] = None,
    days: Annotated[float, typer.Option(min=0.001, max=3_650, help="How much time, where the source leaves it open.")] = Plan().days,
    rate_max: Annotated[
        float, typer.Option(min=0, max=1e6, help="Requests/s of one drawn client at most; 0 is no limit.")
    ] = Plan().rate_max,
    start: Annotated[
        int | None,
        typer.Option(min=1, metavar="EPOCH_MS", help="When the first event was; else the last one is now, and logs keep their times."),
    ] = None,
    key: HashKeyText = "",
    *,
    mapping: Annotated[bool, typer.Option("--mapping", help="Only print which column becomes which field.")] = False,
    as_json: AsJson = False,
) -> None:
    """Turn other logs into request events. No text passes through; `--mapping` tells which column becomes which field."""
    kind = kind_named(kind_name)
    if mapping:
        typer.echo(mapping_of(kind))
        return
    if not files:
        raise UsageError("no FILE; name at least one, or ask for --mapping")
    times = Times(int(time.time() * 1_000), start)
    plan = Plan(seed=seed, clients=clients, days=days, rate_max=rate_max, key=hash_key(key))
    with Progress(SpinnerColumn(), TextColumn("{task.description}"), console=Console(stderr=True), disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("reading")
        seen = convert_files(
            kind, files, plan, times, lambda: _create(out), progress=lambda count: bar.update(task, description=f"{count:,} events")
        )
    if not as_json:
        typer.echo(mapping_of(kind), err=True)
    _report(seen, out, as_json=as_json)


@contextmanager
def _create(path: Path | None) -> Iterator[IO[bytes]]:
    """The output, packed by its ending. The packed bytes tell no time and no name, so they repeat."""
    with _open(path) as raw:
        if path is not None and path.suffix == ".gz":
            with gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0) as gzipper:
                yield cast("IO[bytes]", gzipper)
        elif path is not None and path.suffix == ".zst":
            with zstandard.ZstdCompressor().stream_writer(raw, closefd=False) as packer:
                yield cast("IO[bytes]", packer)
        else:
            yield raw


def _open(path: Path | None) -> IO[bytes]:
    if path is None:
        return io.BufferedWriter(io.FileIO(sys.stdout.fileno(), "wb", closefd=False))
    try:
        return path.open("wb")
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror}); name a file in a folder that exists") from None


def _report(seen: Converted, out: Path | None, *, as_json: bool) -> None:
    for line in seen.problems.named:
        typer.echo(f"guard: skipped {line}", err=True)
    if seen.problems.count > len(seen.problems.named):
        typer.echo(f"guard: skipped {seen.problems.count - len(seen.problems.named)} more bad lines", err=True)
    if as_json:
        summary = {"events": seen.events, "accounts": seen.accounts, "bad_lines": seen.problems.count}
        typer.echo(json.dumps({**summary, "first_at": seen.first_at, "last_at": seen.last_at}), err=out is None)
        return
    hours = (seen.last_at - seen.first_at) / 3_600_000
    typer.echo(
        f"{seen.events:,} events of {seen.accounts:,} accounts over {hours:,.1f} hours, {seen.problems.count:,} bad lines, in {out or 'stdout'}",
        err=True,
    )
