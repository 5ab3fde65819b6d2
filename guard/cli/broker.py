"""`guard broker`: a real Kafka of one node in the foreground, until it is told to stop."""

import contextlib
import signal
import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from guard.errors import BrokerUnreachableError
from guard.streaming.broker import EmbeddedBroker

WATCH_SECONDS = 0.5
"""How often to look whether Kafka still runs."""


def broker(
    port: Annotated[int, typer.Option(min=0, max=65_535, help="Where to listen on 127.0.0.1; 0 takes a free port.")] = 9092,
    data: Annotated[Path | None, typer.Option(help="Keep the topics in this folder; else they are gone afterwards.")] = None,
) -> None:
    """Run a single-node Apache Kafka for trying things out. Stops cleanly on Ctrl-C or SIGTERM."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with contextlib.suppress(KeyboardInterrupt), EmbeddedBroker(port=port, data=data, progress=_show) as kafka:
        typer.echo(f"Kafka listens on {kafka.bootstrap}; its log is {kafka.log}")
        typer.echo(f"  export GUARD_BOOTSTRAP={kafka.bootstrap}")
        typer.echo("  guard topics create")
        typer.echo("Ctrl-C stops it" + (" and keeps its topics." if data else "; its topics are gone then."))
        sys.stdout.flush()
        while kafka.is_running:
            time.sleep(WATCH_SECONDS)
        raise BrokerUnreachableError(f"Kafka ended by itself: {kafka.why()}")


def _show(line: str) -> None:
    if sys.stderr.isatty():
        typer.echo(f"\r\033[K{line}", err=True, nl=line.startswith("making"))
