"""A worker stopped inside a transaction: what it does to the others, when its shards go on elsewhere, and how it ends."""

import signal
import threading
import time
from collections import defaultdict
from pathlib import Path

import msgspec
from confluent_kafka import Consumer, TopicPartition

from guard.topics import Topic
from tests.crash.fleet import Fleet, WorkerProcess
from tests.crash.harness import catch_up, wait_for
from tests.crash.load import Load
from tests.crash.referee import SHARDS, Verdict, counted, judge
from tests.streaming.toy_worker import STOP_FILE
from tests.support.broker import fresh_topics

SESSION_SECONDS = 6.0
RESUME_SECONDS_MAX = SESSION_SECONDS + 10.0
"""Session time-out and what the issue allows for the rest."""
WORKERS = 2


class Arrivals:
    """When decisions of each partition became visible to a read-committed reader."""

    def __init__(self, bootstrap: str) -> None:
        self.at: dict[int, list[float]] = defaultdict(list)
        self._stop = threading.Event()
        settings = {"bootstrap.servers": bootstrap, "group.id": "arrivals", "isolation.level": "read_committed", "fetch.wait.max.ms": 10}
        self._consumer = Consumer({**settings, "enable.auto.commit": False})
        self._consumer.assign([TopicPartition(Topic.DECISIONS.value, shard, 0) for shard in range(SHARDS)])
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        while not self._stop.is_set():
            message = self._consumer.poll(0.1)
            if message is not None and message.error() is None:
                self.at[message.partition()].append(time.monotonic())
        self._consumer.close()

    def since(self, shards: set[int], begin: float) -> list[float]:
        """Arrivals in these partitions after `begin`, in order."""
        return sorted(at for shard in shards for at in list(self.at[shard]) if at > begin)

    def stop(self) -> None:
        """Read no more."""
        self._stop.set()
        self._thread.join()


class Stopped(msgspec.Struct, frozen=True):
    """What was seen."""

    others_while_stopped: int
    """Decisions of the other shards before the group noticed."""
    others_longest_gap_seconds: float
    """Between two decisions of the other shards in that time."""
    resumed_seconds: float
    """From the stop to the first decision of one of its shards; infinite if none came in time."""
    exit_code: int
    """Of the stopped worker, once it went on."""
    verdict: Verdict


def stopped_run(bootstrap: str, log: Path, per_second: float = 1_500.0) -> Stopped:
    """Stop one of two workers with its transaction open, let it go on after its shards have moved."""
    fresh_topics(bootstrap, SHARDS)
    environment = {"GUARD_BOOTSTRAP": bootstrap, "GUARD_GROUP": f"stopped-{time.time_ns()}", STOP_FILE: str(log.with_suffix(".stop"))}
    load = Load(bootstrap, 1_000_000, 7, per_second)
    fleet = Fleet(WORKERS, environment, log)
    arrivals = Arrivals(bootstrap)
    try:
        assert wait_for(lambda: _is_shared(fleet), fleet), "two workers do not share the shards"
        load.start()
        assert wait_for(lambda: all(arrivals.at[shard] for shard in range(SHARDS)), fleet), "no decisions"
        seen = _stop_one(fleet, arrivals, environment[STOP_FILE])
        load.stop()
        catch_up(lambda: counted(bootstrap), load.expected.total(), fleet)
        fleet.end()
    finally:
        load.stop()
        fleet.destroy()
        arrivals.stop()
    return msgspec.structs.replace(seen, verdict=judge(bootstrap, load.expected))


def _is_shared(fleet: Fleet) -> bool:
    return all(worker.is_ready and worker.shards - {SHARDS} for worker in fleet.workers)


def _stop_one(fleet: Fleet, arrivals: Arrivals, stop_file: str) -> Stopped:
    victim = fleet.workers[0]
    own = victim.shards - {SHARDS}
    others = set(range(SHARDS)) - own
    Path(f"{stop_file}.{victim.process.pid}").touch()
    until = time.monotonic() + 10.0
    while not _is_stopped(victim):
        assert time.monotonic() < until, "the worker did not stop"
        time.sleep(0.001)
    stopped_at = time.monotonic()
    time.sleep(SESSION_SECONDS - 1.5)  # shorter than the session: nobody has noticed yet
    seen = arrivals.since(others, stopped_at)
    gaps = [later - earlier for earlier, later in zip([stopped_at, *seen], [*seen, time.monotonic()], strict=True)]
    wait_for(lambda: bool(arrivals.since(own, stopped_at + 0.5)), fleet, stopped_at + RESUME_SECONDS_MAX - time.monotonic())
    resumed = arrivals.since(own, stopped_at + 0.5)
    victim.signal(signal.SIGCONT)
    code = victim.wait()
    return Stopped(len(seen), max(gaps), resumed[0] - stopped_at if resumed else float("inf"), code, Verdict())


def _is_stopped(worker: WorkerProcess) -> bool:
    state = Path(f"/proc/{worker.process.pid}/stat").read_text().rpartition(")")[2].split()[0]
    return state == "T"
