"""One world through the real stream and through replay: the accounts stage byte for byte, the whole within its bounds."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest
from aiokafka import AIOKafkaProducer

from guard.control.files import control_from_files
from guard.control.push import push_policy
from guard.control.topics_read import read_topic
from guard.decisions.decision import Decision, decode_decision
from guard.engine.driver import Driver
from guard.engine.summary import summarize
from guard.events.request import RequestEvent
from guard.policy.signature import UNSIGNED
from guard.simulation.presets import build
from guard.simulation.world import OpenGateway
from guard.streaming.admin import create_topics
from guard.topics import Topic
from tests.support.broker import renew_topics
from tests.support.judged import sanctioned

SHARDS = 4
SECONDS_MAX = 90.0
ACCOUNTS_ONLY = {"suspicion_score": 1.0}
"""No key is ever suspicious enough: no campaigns, no watch-list, so that accounts are judged by their own events alone."""


@pytest.fixture(scope="module")
def events() -> list[RequestEvent]:
    built = build("demo", 1, time.time_ns() // 1_000_000 - 60_000)
    return [exchange.event for exchange in built.world.play(OpenGateway())]


def _policy(thresholds: dict[str, float]) -> bytes:
    return json.dumps({"version": 1, "author": "test", "effective_at": 1, "mode": "enforce", "thresholds": thresholds}).encode()


def _replayed(events: list[RequestEvent], policy: bytes, folder: Path) -> list[Decision]:
    path = folder / "policy.json"
    path.write_bytes(policy)
    driver = Driver(SHARDS, control_from_files(path, None, enforce=False))
    for event in events:
        driver.take(event, event.event_time)
    driver.finish()
    return list(driver.drained())


async def _produce(bootstrap: str, events: list[RequestEvent]) -> None:
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, enable_idempotence=True, linger_ms=5) as producer:
        for event in events:
            fields = {name: value for name, value in msgspec.structs.asdict(event).items() if value is not None}
            await producer.send(Topic.REQUESTS, msgspec.json.encode(fields), key=event.account_id.encode())


def _streamed(bootstrap: str, events: list[RequestEvent], policy: bytes, log: Path) -> list[Decision]:
    asyncio.run(create_topics(bootstrap, SHARDS))
    asyncio.run(push_policy(bootstrap, policy, UNSIGNED))
    command = [sys.executable, "-m", "guard.cli.main", "run", "--bootstrap", bootstrap, "--metrics-port", "0"]
    with (
        log.open("wb") as out,
        subprocess.Popen(command, stdout=out, stderr=out, env={**os.environ, "GUARD_LOG_LEVEL": "warning"}) as worker,
    ):
        try:
            asyncio.run(_produce(bootstrap, events))
            _wait_until_counted(bootstrap, len(events), log)
        finally:
            worker.send_signal(signal.SIGTERM)
            assert worker.wait(timeout=30) == 0, log.read_text()[-500:]
    return [decode_decision(record.value) for record in asyncio.run(read_topic(bootstrap, Topic.DECISIONS))]


def _wait_until_counted(bootstrap: str, events: int, log: Path) -> None:
    until, quiet = time.monotonic() + SECONDS_MAX, 0
    decisions = -1
    while quiet < 3:
        assert time.monotonic() < until, log.read_text()[-500:]
        records = {
            record.key: record.value for record in asyncio.run(read_topic(bootstrap, Topic.ACCOUNTS_STATE)) if record.value is not None
        }
        now = len(asyncio.run(read_topic(bootstrap, Topic.DECISIONS)))
        is_done = summarize(Topic.ACCOUNTS_STATE, records).exchanges == events and now == decisions
        quiet, decisions = (quiet + 1 if is_done else 0), now
        time.sleep(0.3)


def _by_account(decisions: list[Decision]) -> dict[str, list[bytes]]:
    found: dict[str, list[bytes]] = {}
    for decision in decisions:
        if decision.scope == "account":
            found.setdefault(decision.subject, []).append(msgspec.json.encode(decision))
    return found


def test_the_accounts_stage_decides_byte_for_byte_as_replay_does(own_broker, events, tmp_path):
    """An appeal is answered by a replay; it must be the same judgement."""
    policy = _policy(ACCOUNTS_ONLY)
    streamed = _streamed(own_broker.bootstrap, events, policy, tmp_path / "worker.log")
    replayed = _by_account(_replayed(events, policy, tmp_path))

    assert replayed
    assert _by_account(streamed) == replayed


def test_with_everything_on_stream_and_replay_sanction_the_same_accounts(own_broker, events, tmp_path):
    """Forwards interleave differently; who is sanctioned in the end may not."""
    asyncio.run(_clear(own_broker.bootstrap))
    policy = _policy({})
    streamed = sanctioned(_streamed(own_broker.bootstrap, events, policy, tmp_path / "worker.log"))
    replayed = sanctioned(_replayed(events, policy, tmp_path))

    assert len(streamed & replayed) >= 0.99 * len(streamed | replayed) > 0


async def _clear(bootstrap: str) -> None:

    await renew_topics(bootstrap, shards=SHARDS)
