"""The worker as a process against a real broker: what it commits, how it shares work, how it ends. The engine is the toy."""

import asyncio
import signal
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions
from confluent_kafka import Consumer, TopicPartition

from guard.streaming.meta import META_KEY
from guard.topics import Topic
from tests.crash.fleet import WorkerProcess
from tests.crash.referee import committed, judge, state
from tests.streaming.toy_engine import toy_event
from tests.support.broker import SHARDS, fresh_topics

PATIENCE_SECONDS = 40.0
EVENTS = 2_000


class Rig:
    """Fresh topics, a group of its own, and the workers that a test starts."""

    def __init__(self, bootstrap: str, log) -> None:
        self.bootstrap = bootstrap
        self.group = f"worker-{time.time_ns()}"
        self.expected: Counter[str] = Counter()
        self.workers: list[WorkerProcess] = []
        self._log = log

    def start(self, **environment: str) -> WorkerProcess:
        """A worker; not waited for."""
        worker = WorkerProcess({"GUARD_BOOTSTRAP": self.bootstrap, "GUARD_GROUP": self.group, **environment}, self._log)
        self.workers.append(worker)
        return worker

    def start_ready(self) -> WorkerProcess:
        """A worker that has recovered."""
        worker = self.start()
        self.until(lambda: worker.is_ready)
        return worker

    def produce(self, events: int = EVENTS, apart_ms: int = 1) -> None:
        """Events of a hundred accounts, so far apart in event time."""
        asyncio.run(self._produce(events, apart_ms))

    async def _produce(self, events: int, apart_ms: int) -> None:
        async with AIOKafkaProducer(bootstrap_servers=self.bootstrap) as producer:
            for number in range(events):
                account = f"acct-{number % 100}"
                self.expected[account] += 1
                await producer.send(Topic.REQUESTS, toy_event(number, account, 1_000 + number * apart_ms), key=account.encode())

    def counted(self, topic: Topic = Topic.ACCOUNTS_STATE) -> int:
        """Events in the committed state."""
        return sum(tally.count for tally in state(self.bootstrap, topic).values())

    def until_counted(self) -> None:
        """Wait until accounts and links have counted every event, and the campaigns every suspicion."""
        everything = self.expected.total()
        self.until(lambda: self.counted() >= everything and self.counted(Topic.LINKS_STATE) >= everything)
        self.until(lambda: judge(self.bootstrap, self.expected).is_clean)

    def until(self, condition: Callable[[], bool]) -> None:
        """Wait for a condition; fail with the workers' own words."""
        until = time.monotonic() + PATIENCE_SECONDS
        while not condition():
            assert time.monotonic() < until, (self._log.read_text()[-2_000:], [worker.lines[-5:] for worker in self.workers])
            time.sleep(0.05)

    def said(self) -> str:
        """Everything on the workers' stderr."""
        return self._log.read_text()


@pytest.fixture
def rig(broker, tmp_path) -> Iterator[Rig]:
    """A rig on fresh topics; nothing is left running."""
    fresh_topics(broker.bootstrap)
    made = Rig(broker.bootstrap, tmp_path / "workers.log")
    yield made
    for worker in made.workers:
        if worker.process.poll() is None:
            worker.process.kill()
            worker.wait()


def _group_offsets(rig: Rig) -> int:
    consumer = Consumer({"bootstrap.servers": rig.bootstrap, "group.id": rig.group})
    offsets = consumer.committed([TopicPartition(Topic.REQUESTS, shard) for shard in range(SHARDS)], timeout=10)
    consumer.close()
    return sum(max(0, partition.offset) for partition in offsets)


def test_state_decisions_forwards_and_offsets_are_all_committed(rig):
    """An event's effects travel together: state without its decision, or an offset without its state, is a wrong count later."""
    rig.start_ready()
    rig.produce()
    rig.until_counted()

    assert _group_offsets(rig) == EVENTS
    assert {key for _, key, _ in committed(rig.bootstrap, Topic.ACCOUNTS_STATE)} >= {META_KEY}


def test_sigterm_commits_what_was_taken_in_and_ends_with_0(rig):
    """A rolling restart is no incident."""
    worker = rig.start_ready()
    rig.produce()
    worker.signal(signal.SIGTERM)

    assert worker.wait() == 0
    assert rig.counted() == _group_offsets(rig)


def test_a_second_worker_takes_its_share_and_gives_it_back(rig):
    """More machines must mean more work done, and one less must mean none left undone."""
    first = rig.start_ready()
    rig.produce()
    second = rig.start()
    rig.until(lambda: first.is_ready and second.is_ready and bool(first.shards) and bool(second.shards))
    rig.produce()
    second.signal(signal.SIGTERM)

    assert second.wait() == 0
    rig.until(lambda: first.is_ready and first.shards == {*range(SHARDS + 1)})
    rig.until_counted()


def test_a_worker_that_is_busy_with_a_quiet_weeks_backlog_is_not_taken_for_stalled(rig):
    """Little of event time goes into a flush: what has been fetched may last for minutes, in which nothing more can be fetched."""
    rig.produce(120_000, apart_ms=40_000)
    worker = rig.start(GUARD_STALL_MS="5000", GUARD_WAITING_RECORDS_MAX="1000")
    rig.until(lambda: worker.is_ready)
    time.sleep(12.0)
    worker.signal(signal.SIGTERM)

    assert worker.wait() == 0, rig.said()[-2_000:]
    assert 0 < rig.counted() == _group_offsets(rig) < 120_000


def test_a_worker_goes_on_counting_where_its_predecessor_stopped(rig):
    """State lives in Kafka: a new machine knows every account at its first event."""
    first = rig.start_ready()
    rig.produce()
    rig.until_counted()
    first.kill()
    second = rig.start_ready()
    rig.produce()
    rig.until_counted()

    assert sum(line["records"] for line in second.said("recovered")) >= len(rig.expected)


def test_state_built_for_another_number_of_partitions_is_refused(rig):
    """With another N an account's state lies in another shard: going on would split every count."""

    async def mark() -> None:
        async with AIOKafkaProducer(bootstrap_servers=rig.bootstrap) as producer:
            await producer.send_and_wait(Topic.ACCOUNTS_STATE, b"%d" % (SHARDS + 1), key=META_KEY, partition=0)

    asyncio.run(mark())

    assert rig.start().wait() == 5
    assert f"built for {SHARDS + 1} partitions" in rig.said()


def test_a_worker_ends_when_partitions_are_added(rig):
    """From that moment the gateways' records lie elsewhere than the accounts' state."""

    async def add() -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=rig.bootstrap)
        await admin.start()
        await admin.create_partitions({Topic.REQUESTS.value: NewPartitions(total_count=SHARDS + 1)})
        await admin.close()

    worker = rig.start_ready()
    asyncio.run(add())

    assert worker.wait() == 5


def test_topics_that_are_not_as_the_contract_says_are_named_one_per_line(broker, rig):
    """The operator fixes what the lines say, and starts again."""
    fresh_topics(broker.bootstrap, SHARDS + 1, [Topic.LINKS])

    assert rig.start().wait() == 5
    assert f"{Topic.LINKS}: {SHARDS + 1} partitions, it should have {SHARDS}" in rig.said()


def test_without_a_broker_it_ends_with_4_and_one_line(tmp_path):
    """The usual first mistake is the address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    log = tmp_path / "worker.log"

    assert WorkerProcess({"GUARD_BOOTSTRAP": address}, log).wait() == 4
    assert next(line for line in log.read_text().splitlines() if line.startswith("guard:")).startswith(f"guard: {address}:")


def test_a_fenced_worker_ends_with_6_and_nothing_of_its_is_counted_twice(rig):
    """Two owners of one shard would both be right and both be wrong; the older one must go."""

    async def fence() -> None:
        producer = AIOKafkaProducer(bootstrap_servers=rig.bootstrap, transactional_id=f"{rig.group}-0")
        await producer.start()
        await producer.stop()

    worker = rig.start_ready()
    asyncio.run(fence())
    rig.produce()

    assert worker.wait() == 6
    rig.start_ready()
    rig.until_counted()
