"""`guard enforce`: the enforcer beside a gateway, with its port, its metrics and its log."""

import asyncio
import os
import signal
from pathlib import Path
from random import Random
from typing import Annotated

import typer
from prometheus_client import CollectorRegistry

from guard.cli.options import Bootstrap
from guard.cli.tls import tls_context
from guard.config import calm_collector
from guard.errors import UsageError
from guard.gateway.answers import Answers
from guard.gateway.appeal import KEY_BYTES_MIN, AppealTokens
from guard.gateway.clock import SteadyClock
from guard.gateway.enforcer import Enforcer
from guard.gateway.http.server import EnforcerServer
from guard.gateway.metrics import EnforcerCollector
from guard.gateway.service import EnforcerService, ServiceConfig
from guard.logs import configure_logging
from guard.metrics import MetricsServer

ENFORCERS_MAX = 1_000


def enforce(
    bootstrap: Bootstrap,
    host: Annotated[str, typer.Option(envvar="GUARD_ENFORCER_HOST", help="Where gateways ask.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(envvar="GUARD_ENFORCER_PORT", help="Its port; 0 for any.")] = 9470,
    metrics_host: Annotated[str, typer.Option(envvar="GUARD_METRICS_HOST", help="Where /metrics listens.")] = "127.0.0.1",
    metrics_port: Annotated[int, typer.Option(envvar="GUARD_METRICS_PORT", help="Its port; 0 for any.")] = 9465,
    snapshot: Annotated[Path | None, typer.Option(metavar="FILE", help="Kept up to date, and read when it starts.")] = None,
    closed_route: Annotated[
        list[str], typer.Option(metavar="PREFIX", help="Paths that are refused while nobody can judge; repeatable.")
    ] = [],  # noqa: B006 (typer copies it)
    problem_base: Annotated[str, typer.Option(metavar="URI", help="Begins every problem's `type`.")] = "urn:guard:problem:",
    challenge_url: Annotated[str, typer.Option(metavar="URL", help="Where an account is verified.")] = "",
    appeal_key: Annotated[str, typer.Option(envvar="GUARD_APPEAL_KEY", metavar="HEX", help="Signs appeal tokens; none without.")] = "",
    token: Annotated[str, typer.Option(envvar="GUARD_ENFORCER_TOKEN", help="What gateways must say in x-guard-token.")] = "",
    tls_certificate: Annotated[Path | None, typer.Option(metavar="FILE", help="PEM; with --tls-key, the port speaks TLS.")] = None,
    tls_key: Annotated[Path | None, typer.Option(metavar="FILE", help="PEM.")] = None,
    enforcers: Annotated[int, typer.Option(min=0, max=ENFORCERS_MAX, help="How many share each account's rate; 0 counts them.")] = 0,
    log_level: Annotated[str, typer.Option(envvar="GUARD_LOG_LEVEL", help="debug, info, warning or error.")] = "info",
) -> None:
    """Answer a gateway's question, request by request, from the decisions on the topic: pass, throttle, challenge or block."""
    clock = SteadyClock()
    _check(closed_route, {"--problem-base": problem_base, "--challenge-url": challenge_url}, snapshot)
    answers = Answers(Random(), problem_base, challenge_url)
    enforcer = Enforcer(answers, AppealTokens(_key(appeal_key)), tuple(closed_route), clock)
    tls = tls_context(tls_certificate, tls_key)
    configure_logging(log_level)
    calm_collector()
    server = EnforcerServer(enforcer, host, port, token=token, tls=tls)
    service_config = ServiceConfig(bootstrap=bootstrap, snapshot=snapshot, enforcers=enforcers)
    asyncio.run(_work(EnforcerService(service_config, enforcer, clock), server, (metrics_host, metrics_port)))


async def _work(service: EnforcerService, server: EnforcerServer, metrics_at: tuple[str, int]) -> None:
    registry = CollectorRegistry()
    registry.register(EnforcerCollector(service))
    metrics = MetricsServer(*metrics_at, registry, lambda: service.follower.is_ready, lambda: True)
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    await metrics.start()
    await server.start()
    typer.echo(f"metrics on {metrics.url}", err=True)
    typer.echo(f"gateways ask {server.url}/envoy, /nginx or /forward", err=True)
    service.start()
    try:
        await ended.wait()
    finally:
        await server.stop()
        await service.stop()
        await metrics.stop()


def _check(closed_routes: list[str], addresses: dict[str, str], snapshot: Path | None) -> None:
    """What would be noticed only in the first request, or the first restart. Raises UsageError."""
    for route in closed_routes:
        if not route.startswith("/"):
            raise UsageError(f"--closed-route {route!a}: it should begin with a slash, as paths do")
    for option, address in addresses.items():
        if not (address.isascii() and address.isprintable()) or " " in address:
            raise UsageError(f"{option} {address!a}: it should be an address without blanks; it stands in a header")
    if snapshot is not None and (snapshot.is_dir() or not os.access(snapshot.absolute().parent, os.W_OK)):
        raise UsageError(f"--snapshot {snapshot}: it should be a file in a folder that can be written")


def _key(text: str) -> bytes:
    try:
        key = bytes.fromhex(text)
    except ValueError:
        raise UsageError("GUARD_APPEAL_KEY: it should be hexadecimal digits, two a byte") from None
    if 0 < len(key) < KEY_BYTES_MIN:
        raise UsageError(f"GUARD_APPEAL_KEY: {len(key)} bytes; it should have at least {KEY_BYTES_MIN}")
    return key
