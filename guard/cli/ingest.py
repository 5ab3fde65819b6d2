"""`guard ingest`: takes what gateways report, and brings it to `guard.requests`."""

import asyncio
import signal
from pathlib import Path
from typing import Annotated

import typer
from prometheus_client import CollectorRegistry

from guard.cli.keys import HashKeyText, PreviousKeyText
from guard.cli.options import Bootstrap
from guard.cli.tls import tls_context
from guard.config import calm_collector
from guard.errors import UsageError
from guard.events.hashing import hash_key
from guard.gateway.ingest.log_tail import LogTail
from guard.gateway.ingest.metrics import IngestCollector
from guard.gateway.ingest.reading import Reading
from guard.gateway.ingest.server import IngestServer
from guard.gateway.ingest.service import SPOOL_BYTES_MAX, IngestConfig, IngestService
from guard.logs import configure_logging
from guard.metrics import MetricsServer

SPOOL_BYTES_MIN = 1 << 16


def ingest(
    bootstrap: Bootstrap,
    key: HashKeyText = "",
    previous_key: PreviousKeyText = "",
    host: Annotated[str, typer.Option(envvar="GUARD_INGEST_HOST", help="Where gateways send.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(envvar="GUARD_INGEST_PORT", help="Its port; 0 for any.")] = 9471,
    metrics_host: Annotated[str, typer.Option(envvar="GUARD_METRICS_HOST", help="Where /metrics listens.")] = "127.0.0.1",
    metrics_port: Annotated[int, typer.Option(envvar="GUARD_METRICS_PORT", help="Its port; 0 for any.")] = 9466,
    spool: Annotated[Path | None, typer.Option(envvar="GUARD_SPOOL", metavar="FOLDER", help="Keeps events while Kafka is away.")] = None,
    spool_bytes_max: Annotated[int, typer.Option(min=SPOOL_BYTES_MIN, help="Beyond this, senders are told to wait.")] = SPOOL_BYTES_MAX,
    token: Annotated[str, typer.Option(envvar="GUARD_INGEST_TOKEN", help="What senders must say in x-guard-token, or as bearer.")] = "",
    tls_certificate: Annotated[Path | None, typer.Option(metavar="FILE", help="PEM; with --tls-key, the port speaks TLS.")] = None,
    tls_key: Annotated[Path | None, typer.Option(metavar="FILE", help="PEM.")] = None,
    access_log: Annotated[
        Path | None, typer.Option(envvar="GUARD_ACCESS_LOG", metavar="FILE", help="An access log as deploy/envoy writes it, followed.")
    ] = None,
    log_level: Annotated[str, typer.Option(envvar="GUARD_LOG_LEVEL", help="debug, info, warning or error.")] = "info",
) -> None:
    """Take events, exchanges and LiteLLM's payloads over HTTP; hash identifiers, drop the text, write request events."""
    current = hash_key(key)
    if current is None:
        raise UsageError(
            "GUARD_HASH_KEY is not set; it should be NAME:HEX, such as k1 and 32 random bytes: without it nothing can be hashed"
        )
    tls = tls_context(tls_certificate, tls_key)
    configure_logging(log_level)
    calm_collector()
    reading = Reading(current, hash_key(previous_key, "GUARD_HASH_KEY_PREVIOUS"))
    service = IngestService(IngestConfig(bootstrap=bootstrap, spool=spool, spool_bytes_max=spool_bytes_max))
    server = IngestServer(reading, service.intake, host, port, token=token, tls=tls)
    registry = CollectorRegistry()
    tail = None if access_log is None else LogTail(access_log, lambda lines: reading.read_items("/access-log", lines), service.intake)
    registry.register(IngestCollector(service, reading, server, tail))
    metrics = MetricsServer(metrics_host, metrics_port, registry, lambda: service.is_ready, lambda: True)
    asyncio.run(_work(service, server, metrics, tail))


async def _work(service: IngestService, server: IngestServer, metrics: MetricsServer, tail: LogTail | None) -> None:
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    service.start()
    if tail is not None:
        tail.start()
    await metrics.start()
    await server.start()
    typer.echo(f"metrics on {metrics.url}", err=True)
    typer.echo(f"send to {server.url}/events, /exchanges or /litellm", err=True)
    try:
        await ended.wait()
    finally:
        await server.stop()
        if tail is not None:
            await tail.stop()
        await service.stop()
        await metrics.stop()
