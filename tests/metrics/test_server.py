"""The endpoint answers three questions and survives everything else."""

import asyncio
import contextlib

import aiohttp
import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge

from guard.errors import UsageError
from guard.metrics import MetricsServer, server

CROWD = 200


class Worker:
    """What the endpoint asks about."""

    is_ready = True
    is_live = True

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.renders = 0
        Counter("guard_events", "Events.", ["result"], registry=self.registry).labels("judged").inc(7)
        Gauge("guard_renders", "Renders.", registry=self.registry).set_function(self._render)

    def _render(self) -> int:
        self.renders += 1
        return self.renders


@contextlib.asynccontextmanager
async def serving(worker: Worker, host: str = "127.0.0.1"):
    endpoint = MetricsServer(host, 0, worker.registry, lambda: worker.is_ready, lambda: worker.is_live)
    await endpoint.start()
    try:
        yield endpoint.url
    finally:
        await endpoint.stop()


async def fetch(url: str, method: str = "GET") -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.request(method, url) as response:
        return response.status, await response.text()


async def raw(url: str, data: bytes) -> bytes:
    """What comes back for these bytes, until the other side closes."""
    host, port = url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        writer.write(data)
        return await asyncio.wait_for(reader.read(), 10)
    except ConnectionError:
        return b""
    finally:
        writer.close()


def test_it_serves_metrics_health_and_readiness():
    """Prometheus, a supervisor and a rollout each have their own question."""

    async def scenario():
        async with serving(Worker()) as url:
            return [await fetch(url + path) for path in ("/metrics", "/healthz", "/readyz")]

    (metrics, text), health, ready = asyncio.run(scenario())

    assert metrics == 200
    assert 'guard_events_total{result="judged"} 7.0' in text
    assert (health, ready) == ((200, "ok\n"), (200, "ready\n"))


def test_a_worker_that_recovers_is_live_and_not_ready():
    """Restarting it for that would only make it begin again."""

    async def scenario():
        worker = Worker()
        worker.is_ready = False
        async with serving(worker) as url:
            recovering = [(await fetch(url + path))[0] for path in ("/healthz", "/readyz")]
            worker.is_live = False
            return recovering, (await fetch(url + "/healthz"))[0]

    assert asyncio.run(scenario()) == ([200, 503], 503)


@pytest.mark.parametrize("path", ["/", "/table/accounts/alice", "/router", "/metrics/", "/metrics/../x", "/%2e%2e/etc/passwd", "//metrics"])
def test_nothing_else_is_there(path):
    """Faust's own server hands out tables; this port has none, whatever is asked."""

    async def scenario():
        async with serving(Worker()) as url:
            return (await raw(url, f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())).split(b"\r\n")[0]

    assert b"404" in asyncio.run(scenario())


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "HEAD", "TRACE", "PURGE"])
def test_only_get_is_allowed(method):
    """A port that changes nothing takes nothing in."""

    async def scenario():
        async with serving(Worker()) as url:
            return (await fetch(url + "/metrics", method))[0]

    assert asyncio.run(scenario()) == 405


def test_a_crowd_of_scrapes_renders_once():
    """The scrape runs in the worker's own loop: two hundred of them must not cost two hundred times."""

    async def scenario():
        worker = Worker()
        async with serving(worker) as url:
            await asyncio.gather(*[fetch(url + "/metrics") for _ in range(CROWD)], return_exceptions=True)
            return worker.renders

    assert asyncio.run(scenario()) < CROWD / 10


def test_hostile_requests_leave_it_serving():
    """Whoever reaches the port may send anything; the next scrape must be as good as the last."""
    hostile = [
        b"\x00" * 1_000, b"GET /metrics", b"GET /metrics HTTP/9.9\r\n\r\n", b"GET " + b"/a" * 50_000 + b" HTTP/1.1\r\n\r\n",
        b"GET /metrics HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 100_000 + b"\r\n\r\n",
        b"GET /metrics HTTP/1.1\r\n" + b"A: b\r\n" * 5_000 + b"\r\n",
        b"GET /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n",
        b"GET /metrics HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET http://other/metrics HTTP/1.1\r\nHost: x\r\n\r\n", b"GET /metrics\x1b[2J HTTP/1.1\r\nHost: \xff\r\n\r\n",
    ]  # fmt: skip

    async def scenario():
        async with serving(Worker()) as url:
            for data in hostile:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(raw(url, data), 0.5)
            return await fetch(url + "/metrics")

    status, text = asyncio.run(scenario())

    assert status == 200
    assert "guard_events_total" in text


def test_idle_connections_neither_grow_without_bound_nor_stay(monkeypatch):
    """A client that opens connections and says nothing must not keep Prometheus out for longer than a scrape."""
    monkeypatch.setattr(server, "CONNECTION_SECONDS_MAX", 1.0)

    async def scenario():
        worker = Worker()
        endpoint = MetricsServer("127.0.0.1", 0, worker.registry, lambda: True, lambda: True)
        await endpoint.start()
        port = int(endpoint.url.rsplit(":", 1)[1])
        idle = [await asyncio.open_connection("127.0.0.1", port) for _ in range(CROWD)]
        held = len(endpoint._handlers.connections)
        ends = await asyncio.wait_for(asyncio.gather(*[reader.read() for reader, _ in idle], return_exceptions=True), 20)
        after = (await fetch(endpoint.url + "/metrics"))[0]
        for _, writer in idle:
            writer.close()
        await endpoint.stop()
        return held, len(ends), after

    held, ended, after = asyncio.run(scenario())

    assert held <= server.CONNECTIONS_MAX
    assert (ended, after) == (CROWD, 200)


def test_an_address_in_use_is_one_clear_line():
    """An operator who starts two workers on one machine meets this first."""

    async def scenario():
        async with serving(Worker()) as url:
            port = int(url.rsplit(":", 1)[1])
            await MetricsServer("127.0.0.1", port, CollectorRegistry(), lambda: True, lambda: True).start()

    with pytest.raises(UsageError, match=r"metrics address 127\.0\.0\.1:\d+: .*another host or port") as caught:
        asyncio.run(scenario())

    assert "\n" not in str(caught.value)


def test_a_port_out_of_range_is_one_clear_line():
    """The number comes from a flag or the environment."""
    endpoint = MetricsServer("127.0.0.1", 70_000, CollectorRegistry(), lambda: True, lambda: True)

    with pytest.raises(UsageError, match="metrics port 70000: it should be 0 to 65535"):
        asyncio.run(endpoint.start())
