"""An enforcer on a real broker: it obeys what is committed, keeps what it knows while Kafka is away, and finds its way back."""

import asyncio
import gc
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import requests

from guard.control.produce import idempotent_producer
from guard.decisions.decision import Action, Decision, encode_decision
from guard.gateway.clock import SteadyClock
from guard.gateway.enforcer import Caller, Enforcer
from guard.gateway.service import EnforcerService, ServiceConfig
from guard.streaming.broker import EmbeddedBroker
from guard.topics import Topic
from tests.support.background import free_port
from tests.support.broker import fresh_topics, renew_topics
from tests.support.decisions import decision
from tests.support.proxy import Proxy, broker_behind_proxy

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
"""The Kafka client leaves a connection open that it was about to make when it was cancelled; whoever collects it is told."""
DECIDED = (Topic.DECISIONS, Topic.ENFORCERS)
PATIENCE_SECONDS = 40.0


async def decide(bootstrap: str, *decisions: Decision) -> None:
    async with idempotent_producer(bootstrap) as producer:
        for one in decisions:
            await producer.send_and_wait(Topic.DECISIONS, encode_decision(one), key=one.key, partition=0)


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not is_so():
            await asyncio.sleep(0.02)


@asynccontextmanager
async def enforcing(bootstrap: str, snapshot: Path | None = None) -> AsyncIterator[EnforcerService]:
    clock = SteadyClock()
    service = EnforcerService(ServiceConfig(bootstrap=bootstrap, snapshot=snapshot), Enforcer(now=clock), clock)
    service.start()
    try:
        yield service
    finally:
        await service.stop()


@pytest.fixture(autouse=True)
def _collected() -> Iterator[None]:
    """What a story leaves behind is collected within it, and not in the next test."""
    yield
    gc.collect()


def action(service: EnforcerService, account: str) -> Action:
    return service.enforcer.rule(Caller(account)).action


def test_it_is_ready_when_it_has_read_to_the_end_and_obeys_what_comes_after(broker: EmbeddedBroker) -> None:
    """Ready any earlier, it would let through whom it has not read about yet."""
    fresh_topics(broker.bootstrap, topics=DECIDED)

    async def story() -> None:
        await decide(broker.bootstrap, *(decision(f"a{number}") for number in range(50)))
        async with enforcing(broker.bootstrap) as service:
            assert not service.enforcer.is_ready
            assert action(service, "a0") is Action.ALLOW
            await until(lambda: service.enforcer.is_ready)
            assert {action(service, f"a{number}") for number in range(50)} == {Action.BLOCK}
            assert service.enforcer.counts["failed_open"] == 1
            await decide(broker.bootstrap, decision("late"))
            await until(lambda: action(service, "late") is Action.BLOCK)
            now = time.time_ns() // 1_000_000
            await decide(broker.bootstrap, decision("late", "allow", expires_at=now))
            await until(lambda: action(service, "late") is Action.ALLOW)

    asyncio.run(story())


def test_a_record_that_is_no_decision_is_counted_and_the_next_is_obeyed(broker: EmbeddedBroker) -> None:
    """One bad record must not stop every decision after it."""
    fresh_topics(broker.bootstrap, topics=DECIDED)

    async def story() -> None:
        async with idempotent_producer(broker.bootstrap) as producer:
            for value in (b"{", b"[]", b"\xff\x00", encode_decision(decision("bob", "explode")), None, encode_decision(decision("bob"))):
                await producer.send_and_wait(Topic.DECISIONS, value, key=b"account:bob", partition=1)
        async with enforcing(broker.bootstrap) as service:
            await until(lambda: service.enforcer.is_ready)
            assert action(service, "bob") is Action.BLOCK
            assert (service.follower.unreadable, service.follower.decisions_read) == (4, 1)

    asyncio.run(story())


def test_enforcers_count_one_another_and_share_a_rate(broker: EmbeddedBroker) -> None:
    """Who came and went changes everyone's share, without anybody's setting."""
    fresh_topics(broker.bootstrap, topics=DECIDED)

    async def story() -> None:
        async with enforcing(broker.bootstrap) as one:
            async with enforcing(broker.bootstrap) as other, enforcing(broker.bootstrap) as third:
                await until(lambda: {one.enforcer.enforcers, other.enforcer.enforcers, third.enforcer.enforcers} == {3})
            await until(lambda: one.enforcer.enforcers == 1)
            assert {other.enforcer.enforcers, third.enforcer.enforcers} == {3}, "who has left counts nobody any more"

    asyncio.run(story())


def test_while_kafka_is_away_what_is_known_stays_in_force_and_what_was_missed_is_read_afterwards() -> None:
    """Taking Kafka down must not be a way to be released."""

    async def story(broker: EmbeddedBroker, proxy: Proxy) -> None:
        bootstrap = f"127.0.0.1:{proxy.port}"
        await decide(broker.bootstrap, decision("bob"))
        async with enforcing(bootstrap) as service:
            await until(lambda: service.enforcer.is_ready)
            proxy.hang()
            await decide(broker.bootstrap, decision("carol"))
            await until(lambda: service.follower.stale_seconds > 4)
            assert action(service, "bob") is Action.BLOCK
            assert action(service, "carol") is Action.ALLOW
            proxy.cut()
            proxy.heal()
            await until(lambda: action(service, "carol") is Action.BLOCK)
            await until(lambda: service.follower.stale_seconds < 4)
            assert service.enforcer.counts["failed_open"] == 0

    with broker_behind_proxy() as (broker, proxy):
        fresh_topics(broker.bootstrap, topics=DECIDED)
        asyncio.run(story(broker, proxy))


def test_when_the_topic_is_made_anew_what_stood_on_the_old_one_is_forgotten(broker: EmbeddedBroker) -> None:
    """Whoever restores a cluster from nothing expects no sanction to survive in a gateway."""
    fresh_topics(broker.bootstrap, topics=DECIDED)

    async def story() -> None:
        await decide(broker.bootstrap, decision("bob"), decision("carol"), decision("dave"))
        async with enforcing(broker.bootstrap) as service:
            await until(lambda: service.enforcer.is_ready)
            await renew_topics(broker.bootstrap, topics=DECIDED)
            await decide(broker.bootstrap, decision("erin"))
            await until(lambda: action(service, "erin") is Action.BLOCK)
            assert [action(service, name) for name in ("bob", "carol", "dave")] == [Action.ALLOW] * 3

    asyncio.run(story())


async def remembered(broker: EmbeddedBroker, snapshot: Path) -> None:
    """Bob is blocked, and an enforcer that has read so ends."""
    await decide(broker.bootstrap, decision("bob"))
    async with enforcing(broker.bootstrap, snapshot) as service:
        await until(lambda: service.enforcer.is_ready)


def test_a_restart_goes_on_from_its_snapshot_even_before_kafka_answers(broker: EmbeddedBroker, tmp_path: Path) -> None:
    """A gateway that starts while Kafka is away would let everybody through."""
    fresh_topics(broker.bootstrap, topics=DECIDED)
    snapshot = tmp_path / "orders"

    async def away() -> None:
        async with enforcing("127.0.0.1:1", snapshot) as service:
            assert action(service, "bob") is Action.BLOCK
            assert not service.follower.is_ready

    async def back() -> None:
        await decide(broker.bootstrap, decision("carol"))
        async with enforcing(broker.bootstrap, snapshot) as service:
            assert action(service, "bob") is Action.BLOCK
            await until(lambda: action(service, "carol") is Action.BLOCK)
            assert service.follower.decisions_read == 1, "only what came after the snapshot"

    for part in (remembered(broker, snapshot), away(), back()):
        asyncio.run(part)


def test_a_snapshot_of_a_topic_that_was_made_anew_is_not_gone_on_from_though_the_new_one_is_longer(
    broker: EmbeddedBroker, tmp_path: Path
) -> None:
    """Whoever restores a cluster while a gateway is down expects its old sanctions to be gone, and every new one to be obeyed."""
    fresh_topics(broker.bootstrap, topics=DECIDED)
    snapshot = tmp_path / "orders"

    async def after() -> None:
        await renew_topics(broker.bootstrap, topics=DECIDED)
        names = [f"new-{number}" for number in range(6)]
        await decide(broker.bootstrap, *map(decision, names))
        async with enforcing(broker.bootstrap, snapshot) as service:
            await until(lambda: action(service, "bob") is Action.ALLOW)
            assert [action(service, name) for name in names] == [Action.BLOCK] * 6

    for part in (remembered(broker, snapshot), after()):
        asyncio.run(part)


def test_the_command_says_where_it_listens_answers_and_ends_cleanly(broker: EmbeddedBroker) -> None:
    """What a newcomer starts first."""
    fresh_topics(broker.bootstrap, topics=DECIDED)
    asyncio.run(decide(broker.bootstrap, decision("bob")))
    port, metrics = free_port(), free_port()
    command = [
        sys.executable,
        "-m",
        "guard.cli.main",
        "enforce",
        "--bootstrap",
        broker.bootstrap,
        "--port",
        str(port),
        "--metrics-port",
        str(metrics),
    ]
    environment = {**os.environ, "GUARD_ENFORCER_TOKEN": "sesame"}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as process:
        try:
            assert process.stderr is not None
            assert process.stderr.readline() == f"metrics on http://127.0.0.1:{metrics}\n"
            assert process.stderr.readline() == f"gateways ask http://127.0.0.1:{port}/envoy, /nginx or /forward\n"
            _until_ready(metrics)
            asked = {"x-guard-account": "bob", "x-guard-token": "sesame"}
            assert requests.get(f"http://127.0.0.1:{port}/envoy/v1", headers=asked, timeout=5).status_code == 403
            assert requests.get(f"http://127.0.0.1:{port}/nginx", headers=asked, timeout=5).headers["x-guard-status"] == "403"
            assert requests.get(f"http://127.0.0.1:{port}/envoy/v1", headers={"x-guard-account": "bob"}, timeout=5).status_code == 401
            found = requests.get(f"http://127.0.0.1:{metrics}/metrics", timeout=5).text
            assert 'guard_enforcer_requests_total{result="blocked"} 2.0' in found
            assert "bob" not in found
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) == 0
        finally:
            process.kill()


def _until_ready(port: int) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while requests.get(f"http://127.0.0.1:{port}/readyz", timeout=5).status_code != 200:
        assert time.monotonic() < end, "the enforcer was not ready in time"
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("flags", "line"),
    [
        (["--tls-key", "k.pem"], "--tls-certificate and --tls-key: give both or none"),
        (["--port", "70000"], "port 70000: it should be 0 to 65535; 0 takes a free one"),
        (["--closed-route", "v1"], "--closed-route 'v1': it should begin with a slash, as paths do"),
        (
            ["--challenge-url", "http://a\nb"],
            "--challenge-url 'http://a\\nb': it should be an address without blanks; it stands in a header",
        ),
        (["--snapshot", "/nowhere/s"], "--snapshot /nowhere/s: it should be a file in a folder that can be written"),
    ],
)
def test_wrong_settings_are_one_line(flags: list[str], line: str) -> None:
    """No traceback reaches a user."""
    command = [sys.executable, "-m", "guard.cli.main", "enforce", "--bootstrap", "127.0.0.1:1", "--metrics-port", "0", *flags]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == f"guard: {line}"
