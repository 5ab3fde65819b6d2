"""`guard demo`: everything at once, on one machine, in a few minutes."""

import asyncio
import contextlib
import tempfile
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from guard.cli.demonstration.run import Ended, demonstrate
from guard.simulation.presets import build
from guard.streaming.broker import EmbeddedBroker
from guard.units import MINUTE_MS
from guard.wall_clock import wall_clock

CAMPAIGNS = ("A3", "A4", "A10")


def demo(
    bootstrap: Annotated[
        str, typer.Option(envvar="GUARD_BOOTSTRAP", metavar="HOST:PORT", help="Use this cluster, with empty topics.")
    ] = "",
    seed: Annotated[int, typer.Option(help="The same seed gives the same world.")] = 1,
    *,
    keep: Annotated[bool, typer.Option("--keep", help="Leave broker and workers up at the end, until Ctrl-C.")] = False,
) -> None:
    """Start a broker and two workers, play a simulated hour with three fleets among honest customers, and say what was found."""
    console = Console(soft_wrap=True)
    built = build("demo", seed, wall_clock() - MINUTE_MS, CAMPAIGNS)
    console.print(
        "An hour of traffic: people, pipelines, coding agents, a lab, an enterprise, a popular harness; and three fleets.", highlight=False
    )
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="guard-demo-")))
        if not bootstrap:
            broker = stack.enter_context(EmbeddedBroker(progress=lambda line: console.print(line, highlight=False)))
            bootstrap = broker.bootstrap
        ended = asyncio.run(demonstrate(bootstrap, built, folder, console, keep=keep))
        _where_next(console, bootstrap, ended, keep=keep)
        if keep:
            _stay(console)


def _where_next(console: Console, bootstrap: str, ended: Ended, *, keep: bool) -> None:
    console.print()
    if keep:
        urls = ", ".join(f"{worker.url}/metrics" for worker in ended.workers)
        console.print(f"Still up: Kafka on {bootstrap}, metrics on {urls}. Try:", highlight=False)
        console.print(f"  guard state --bootstrap {bootstrap}\n  guard policy show --bootstrap {bootstrap}", highlight=False)
        return
    console.print(
        "Where to look next: `guard demo --keep` leaves it all up; `guard reasons` explains the codes of a decision;", highlight=False
    )
    console.print("README.md walks one event from bytes to decision. Nothing was left running.", highlight=False)


def _stay(console: Console) -> None:
    console.print("Ctrl-C ends it.")
    with contextlib.suppress(KeyboardInterrupt):
        while True:
            time.sleep(3_600)
