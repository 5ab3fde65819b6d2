"""`guard ingest` with a real broker: each event once, where the contract wants it, through outages and kills."""

import asyncio
import json
import signal
import threading
import time
from pathlib import Path

import requests

from guard.events.partition import partition_of
from guard.streaming.broker import EmbeddedBroker
from guard.topics import Topic
from tests.support.broker import SHARDS, fresh_topics
from tests.support.ingest import EVENT, NOWHERE, ingest
from tests.support.ingest_process import ingesting, records
from tests.support.proxy import broker_behind_proxy


def batch(*names: str) -> bytes:
    return b"\n".join(json.dumps(EVENT | {"event_id": name, "account_id": f"acct-{name[-1]}"}).encode() for name in names)


def names_on(bootstrap: str) -> list[str]:
    return sorted(json.loads(record.value)["event_id"] for record in asyncio.run(records(bootstrap)))


def test_each_event_is_once_on_the_partition_of_its_account_and_the_command_ends_cleanly(broker: EmbeddedBroker, tmp_path: Path) -> None:
    """A record elsewhere is misrouted; a retry that is written again is counted twice by whoever reads the topic."""
    fresh_topics(broker.bootstrap, topics=(Topic.REQUESTS,))
    names = [f"e-{number}" for number in range(300)]
    with ingesting(broker.bootstrap, tmp_path, spool=False) as process:
        process.until("guard_ingest_kafka_up", 1)
        assert process.send(batch(*names)).json() | {"refused": 0} == {"accepted": 300, "duplicates": 0, "refused_total": 0, "refused": 0}
        assert process.send(batch(*names)).json()["duplicates"] == 300
        process.until("guard_ingest_produced_total", 300)
        process.process.send_signal(signal.SIGTERM)
        assert process.process.wait(20) == 0
        said = process.said()
    found = asyncio.run(records(broker.bootstrap))

    assert sorted(json.loads(record.value)["event_id"] for record in found) == sorted(names)
    assert all(record.key == json.loads(record.value)["account_id"].encode() for record in found)
    assert all(record.partition == partition_of(record.key.decode(), SHARDS) for record in found)
    assert "Traceback" not in said


def test_while_kafka_is_away_events_go_to_the_spool_and_from_there_to_kafka_once_each(tmp_path: Path) -> None:
    """A broker that hangs is the common outage; what the producer had taken already must not be sent a second time."""
    with broker_behind_proxy() as (broker, proxy):
        fresh_topics(broker.bootstrap, topics=(Topic.REQUESTS,))

        async def story() -> None:
            async with ingest(tmp_path, f"127.0.0.1:{proxy.port}") as house:
                intake, delivery = house.service.intake, house.service.delivery
                while not house.service.kafka.is_up:
                    await asyncio.sleep(0.02)
                await intake.take(house.reading.read("/events", batch("a1", "a2")).events)
                assert delivery.spooled == 0
                proxy.hang()
                await intake.take(house.reading.read("/events", batch("b1", "b2")).events)
                assert delivery.spooled == 2
                await intake.take(house.reading.read("/events", batch("c1", "a1", "b2")).events)
                assert (delivery.spooled, len(house.service.spool or [])) == (3, 3)
                proxy.heal()
                async with asyncio.timeout(40):
                    while house.service.spool:
                        await asyncio.sleep(0.05)
                await intake.take(house.reading.read("/events", batch("d1")).events)
                assert (delivery.spooled, delivery.lost) == (3, 0)

        asyncio.run(story())
        assert names_on(broker.bootstrap) == ["a1", "a2", "b1", "b2", "c1", "d1"]


def test_a_kill_between_acceptance_and_kafka_loses_nothing_that_was_accepted(broker: EmbeddedBroker, tmp_path: Path) -> None:
    """202 is a promise: power and processes end at any moment."""
    fresh_topics(broker.bootstrap, topics=(Topic.REQUESTS,))
    accepted: list[str] = []
    sent: list[str] = []

    def flood(process, number: int) -> None:
        for lot in range(10_000):
            names = [f"{number}-{lot}-{place}" for place in range(20)]
            sent.extend(names)
            try:
                if process.send(batch(*names)).status_code == 202:
                    accepted.extend(names)
            except requests.RequestException:
                return

    with ingesting(NOWHERE, tmp_path) as process:
        threads = [threading.Thread(target=flood, args=(process, number)) for number in range(3)]
        for thread in threads:
            thread.start()
        while len(accepted) < 1_000:
            time.sleep(0.01)
        process.process.kill()
        for thread in threads:
            thread.join()
    with ingesting(broker.bootstrap, tmp_path) as process:
        process.until("guard_ingest_produced_total", len(accepted))
        while process.metric("guard_ingest_spool_events"):
            time.sleep(0.05)
        assert process.metric("guard_ingest_lost_total") == 0
    found = names_on(broker.bootstrap)

    assert set(accepted) <= set(found) <= set(sent)
    assert len(found) == len(set(found))


def test_without_kafka_it_serves_says_so_in_one_line_and_waits(tmp_path: Path) -> None:
    """A gateway is started before its broker as often as after it."""
    with ingesting(NOWHERE, tmp_path) as process:
        assert process.send(batch("a1")).status_code == 202
        end = time.monotonic() + 20
        while "requests_out_of_reach" not in process.said():
            assert time.monotonic() < end, process.said()
            time.sleep(0.05)
        assert "Traceback" not in process.said()
