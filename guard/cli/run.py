"""`guard run`: the stream worker, with its metrics and its log."""

import asyncio
import os
import socket
from typing import Annotated

import typer
from prometheus_client import CollectorRegistry

from guard.cli.options import Baseline
from guard.config import WorkerConfig, calm_collector, worker_config
from guard.control.baseline_file import starting_models
from guard.control.follower import ControlFollower
from guard.control.keys import key_ring
from guard.logs import LogObserver, configure_logging
from guard.metrics import ControlCollector, Instruments, MetricsObserver, MetricsServer
from guard.streaming.observers import Observers
from guard.streaming.stages import engine_stages
from guard.streaming.worker import run_worker


def run(
    bootstrap: Annotated[str | None, typer.Option(metavar="HOST:PORT", help="A Kafka broker to begin with. [env: GUARD_BOOTSTRAP]")] = None,
    group: Annotated[str | None, typer.Option(help="Consumer group; workers of one installation share it. [env: GUARD_GROUP]")] = None,
    metrics_host: Annotated[str | None, typer.Option(help="Where /metrics listens; 127.0.0.1. [env: GUARD_METRICS_HOST]")] = None,
    metrics_port: Annotated[str | None, typer.Option(help="Its port; 9464, 0 for any. [env: GUARD_METRICS_PORT]")] = None,
    session_timeout_ms: Annotated[str | None, typer.Option(help="6000-10000. [env: GUARD_SESSION_TIMEOUT_MS]")] = None,
    flush_ms: Annotated[str | None, typer.Option(help="10-1000. [env: GUARD_FLUSH_MS]")] = None,
    waiting_records_max: Annotated[str | None, typer.Option(help="[env: GUARD_WAITING_RECORDS_MAX]")] = None,
    stall_ms: Annotated[str | None, typer.Option(help="5000-600000. [env: GUARD_STALL_MS]")] = None,
    baseline: Baseline = None,
    *,
    enforce: Annotated[bool | None, typer.Option("--enforce", help="Take the built-in policy out of shadow. [env: GUARD_ENFORCE]")] = None,
    log_level: Annotated[str, typer.Option(envvar="GUARD_LOG_LEVEL", help="debug, info, warning or error.")] = "info",
) -> None:
    """Work on the stream until SIGTERM: read request events, keep state, publish decisions. Ends with 6 to be started again."""
    flags = {
        "bootstrap": bootstrap, "group": group, "metrics_host": metrics_host, "metrics_port": metrics_port, "enforce": enforce,
        "session_timeout_ms": session_timeout_ms, "flush_ms": flush_ms, "waiting_records_max": waiting_records_max, "stall_ms": stall_ms,
    }  # fmt: skip
    config = worker_config(flags, os.environ)
    models = starting_models(baseline)
    configure_logging(log_level)
    calm_collector()
    asyncio.run(_work(config, models))


async def _work(config: WorkerConfig, models: bytes | None) -> None:
    worker_name = f"{socket.gethostname()}-{os.getpid()}"
    follower = ControlFollower(config.bootstrap, enforce=config.enforce, worker_name=worker_name, keys=key_ring(os.environ))
    registry = CollectorRegistry()
    metrics = MetricsObserver(Instruments(registry))
    registry.register(ControlCollector(follower))
    server = MetricsServer(config.metrics_host, config.metrics_port, registry, lambda: metrics.is_ready, lambda: metrics.is_live)
    await server.start()
    typer.echo(f"metrics on {server.url}", err=True)
    try:
        await run_worker(config, follower, Observers(metrics, LogObserver()), engine_stages(models))
    finally:
        await server.stop()
