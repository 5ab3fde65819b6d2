"""What the guard costs a request at the gateway: a real Envoy with and without ext_authz, in turns within one run.

Everything shares the machine's cores: the load generator, Envoy, the enforcer and a broker that holds its decisions.
"""

import asyncio
import json
import logging
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import Any, Final

from guard.streaming.broker import EmbeddedBroker
from tests.bench.enforcer import SHARDS, fill
from tests.support.background import free_port
from tests.support.broker import fresh_topics
from tests.support.envoy import Envoy, envoy

DECISIONS: Final = 100_000
K6: Final = Path(sys.executable).with_name("k6")
SCRIPT: Final = Path(__file__).with_name("gateway.k6.js")
ROUNDS: Final = 3
SECONDS: Final = 8
AT_ONCE: Final = 16
RATES: Final = (500, 1_000, 2_000)
FAILING_RATE: Final = 100
READY_SECONDS: Final = 60.0
GUARDED, BARE = "guarded", "bare"


def main() -> None:
    """Print the latencies of both paths and their difference, with a working enforcer, a dead one, and one that never answers."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    with EmbeddedBroker() as broker, tempfile.TemporaryDirectory() as folder:
        fresh_topics(broker.bootstrap, SHARDS)
        asyncio.run(fill(broker.bootstrap, DECISIONS))
        port = free_port()
        with envoy(Path(folder), free_port(), port, {"key-of-alice": "alice"}, change=_answers_itself) as one:
            with _enforcer(broker.bootstrap, port) as process:
                _load(one, GUARDED, 0, 3)  # warm
                before = _processor_seconds(process.pid)
                asked = _compare(one, 0)
                used = _processor_seconds(process.pid) - before
                print(f"guard enforce: {asked / used:,.0f} answers a second of its processor time, over HTTP", flush=True)
                for rate in RATES:
                    _compare(one, rate)
            print("no enforcer, fail open (target: adds at most 55 ms):")
            _compare(one, FAILING_RATE)
            with socket.create_server(("127.0.0.1", port), backlog=1_024):
                print("an enforcer that never answers, fail open (target: adds at most 55 ms):")
                _compare(one, FAILING_RATE)


def _compare(one: Envoy, rate: int) -> float:
    """In turns; the median of the rounds. How many requests the guard was asked about."""
    found: dict[str, list[dict[str, float]]] = {BARE: [], GUARDED: []}
    for _ in range(ROUNDS):
        for path, rounds in found.items():
            rounds.append(_load(one, path, rate, SECONDS))
    of = {path: {name: statistics.median(each[name] for each in rounds) for name in rounds[0]} for path, rounds in found.items()}
    bare, guarded = of[BARE], of[GUARDED]
    how = f"open loop, {rate:,} requests/s" if rate else f"closed loop, {AT_ONCE} at once"
    print(
        f"{how}: served {bare['rate']:,.0f}/s bare, {guarded['rate']:,.0f}/s guarded; p50 {bare['med']:.2f} and {guarded['med']:.2f} ms, "
        f"p99 {bare['p99']:.2f} and {guarded['p99']:.2f} ms: the guard adds {guarded['med'] - bare['med']:.2f} ms p50, "
        f"{guarded['p99'] - bare['p99']:.2f} ms p99 (target 2 ms p99)",
        flush=True,
    )
    return sum(one["rate"] for one in found[GUARDED]) * SECONDS


def _processor_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _load(one: Envoy, path: str, rate: int, seconds: int) -> dict[str, float]:
    """One round of the load generator. Raises AssertionError if any request was not answered 200."""
    with tempfile.NamedTemporaryFile(suffix=".json") as out:
        settings = {"URL": f"{one.url}/{path}/", "RATE": str(rate), "AT_ONCE": str(AT_ONCE), "DURATION": f"{seconds}s"}
        command = [
            str(K6),
            "run",
            "--quiet",
            "--no-usage-report",
            "--summary-trend-stats",
            "med,p(99)",
            "--summary-export",
            out.name,
            str(SCRIPT),
        ]
        subprocess.run(command, env={**os.environ, **settings}, capture_output=True, check=True)
        metrics = json.loads(Path(out.name).read_text())["metrics"]
    assert metrics["checks"]["fails"] == 0, f"{metrics['checks']['fails']} requests of {path} were not answered 200"
    waited = metrics["http_req_duration"]
    return {"med": waited["med"], "p99": waited["p(99)"], "rate": metrics["http_reqs"]["rate"]}


@contextmanager
def _enforcer(bootstrap: str, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """`guard enforce`, ready."""
    metrics = free_port()
    command = [
        sys.executable,
        "-m",
        "guard.cli.main",
        "enforce",
        "--bootstrap",
        bootstrap,
        "--port",
        str(port),
        "--metrics-port",
        str(metrics),
    ]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        until = monotonic() + READY_SECONDS
        while not _is_ready(metrics):
            assert process.poll() is None, f"guard enforce ended with {process.returncode}"
            assert monotonic() < until, "guard enforce was not ready in time"
            sleep(0.1)
        yield process
    finally:
        process.terminate()
        process.wait(20)


def _is_ready(metrics: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{metrics}/readyz", timeout=1):
            return True
    except OSError:
        return False


def _answers_itself(configuration: Any) -> None:
    """No model server: Envoy answers 200, after its filters on one path, without ext_authz on the other."""
    connection = configuration["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
    off = {"@type": "type.googleapis.com/envoy.config.route.v3.FilterConfig", "disabled": True}
    connection["route_config"]["virtual_hosts"][0]["routes"] = [
        {"match": {"prefix": f"/{BARE}/"}, "direct_response": {"status": 200}, "typed_per_filter_config": {"guard.open": off}},
        {"match": {"prefix": f"/{GUARDED}/"}, "direct_response": {"status": 200}},
    ]
    connection["access_log"] = []
