"""A broker that hangs, dawdles or drops its connections: a worker ends in time, and nothing is lost or counted twice."""

import time
from collections.abc import Callable, Iterator

import pytest

from guard.streaming.broker import EmbeddedBroker
from guard.streaming.broker.properties import HOST
from guard.streaming.worker import STOP_SECONDS
from tests.crash.fleet import RESTART_ME, Fleet, WorkerProcess
from tests.crash.harness import catch_up, tend_for, wait_for
from tests.crash.load import Load
from tests.crash.referee import counted, judge
from tests.support.broker import fresh_topics
from tests.support.proxy import Proxy, broker_behind_proxy

STALL_SECONDS = 5.0
"""The shortest limit that a worker takes."""
END_SECONDS_MAX = 2 * STALL_SECONDS + STOP_SECONDS + 10.0
"""The limit twice (one question without an answer is not yet silence), an orderly end that nothing answers, and what two busy cores may add."""
PATIENCE_SECONDS = 60.0
EVENTS = 1_000_000
"""More than any of these tests needs: the load is stopped."""
PER_SECOND = 1_000.0


class Rig:
    """A broker behind a proxy with fresh topics; the load goes straight to it, the workers go through the proxy."""

    def __init__(self, broker: EmbeddedBroker, proxy: Proxy, log) -> None:
        fresh_topics(broker.bootstrap)
        self.proxy = proxy
        self.bootstrap = broker.bootstrap
        self.log = log
        self.load = Load(broker.bootstrap, EVENTS, 5, PER_SECOND)
        self.environment = {
            "GUARD_BOOTSTRAP": f"{HOST}:{proxy.port}",
            "GUARD_GROUP": f"stall-{time.time_ns()}",
            "GUARD_STALL_MS": str(int(STALL_SECONDS * 1_000)),
        }

    def until(self, condition: Callable[[], bool]) -> None:
        """Wait until it holds."""
        until = time.monotonic() + PATIENCE_SECONDS
        while not condition():
            assert time.monotonic() < until, self.log.read_text()[-2_000:]
            time.sleep(0.05)

    def finish(self, fleet: Fleet) -> None:
        """Send no more, and let the workers catch up and end."""
        self.load.stop()
        catch_up(lambda: counted(self.bootstrap), self.load.expected.total(), fleet)
        assert fleet.end() == [0] * len(fleet.workers), self.log.read_text()[-2_000:]


@pytest.fixture(scope="module")
def behind_proxy() -> Iterator[tuple[EmbeddedBroker, Proxy]]:
    with broker_behind_proxy() as pair:
        yield pair


@pytest.fixture
def rig(behind_proxy, tmp_path) -> Iterator[Rig]:
    rig = Rig(*behind_proxy, tmp_path / "workers.log")
    yield rig
    rig.proxy.heal()
    rig.proxy.delay(0.0)
    if rig.load.expected:
        rig.load.stop()


@pytest.fixture
def worker(rig) -> Iterator[WorkerProcess]:
    """One that nobody starts again; it is gone after the test, whatever came of it."""
    one = WorkerProcess(rig.environment, rig.log)
    yield one
    if one.process.poll() is None:
        one.kill()


@pytest.fixture
def fleet(rig) -> Iterator[Callable[[int], Fleet]]:
    fleets: list[Fleet] = []

    def start(workers: int) -> Fleet:
        fleets.append(Fleet(workers, rig.environment, rig.log))
        assert wait_for(lambda: all(worker.is_ready for worker in fleets[-1].workers), fleets[-1]), rig.log.read_text()[-2_000:]
        return fleets[-1]

    yield start
    for one in fleets:
        one.destroy()


def test_a_worker_whose_broker_hangs_ends_to_be_restarted_and_a_new_one_carries_on(rig, worker, fleet):
    """A hung connection tells nobody: without a limit of its own a worker would wait for ever, and the guard with it."""
    rig.until(lambda: worker.is_ready)
    rig.load.start()
    rig.until(lambda: len(worker.said("flushed")) > 10)
    rig.proxy.hang()
    hung_at = time.monotonic()
    code = worker.wait(PATIENCE_SECONDS)
    seconds = time.monotonic() - hung_at
    rig.proxy.heal()
    rig.finish(fleet(1))

    verdict = judge(rig.bootstrap, rig.load.expected)
    assert code == RESTART_ME, rig.log.read_text()[-2_000:]
    assert STALL_SECONDS <= seconds <= END_SECONDS_MAX
    assert verdict.is_clean, verdict


def test_an_idle_worker_whose_broker_hangs_ends_too(rig, worker, fleet):
    """No record waits and none is known to be missing: silence itself has to tell that the worker is cut off, and is not ready."""
    rig.until(lambda: worker.is_ready)
    rig.proxy.hang()
    code = worker.wait(PATIENCE_SECONDS)
    rig.proxy.heal()
    rig.load.start()
    workers = fleet(1)
    tend_for(1.5, workers)
    rig.finish(workers)

    verdict = judge(rig.bootstrap, rig.load.expected)
    assert code == RESTART_ME, rig.log.read_text()[-2_000:]
    assert verdict.is_clean, verdict


def test_connections_cut_again_and_again_over_a_slow_network_cost_no_event(rig, fleet):
    """Load balancers and firewalls reset connections at will; a request may have arrived although its answer never did."""
    rig.proxy.delay(0.02)
    workers = fleet(2)
    rig.load.start()
    for _ in range(6):
        tend_for(1.5, workers)
        rig.proxy.cut()
    rig.finish(workers)

    verdict = judge(rig.bootstrap, rig.load.expected)
    assert verdict.is_clean, verdict
    assert not workers.bad_ends
