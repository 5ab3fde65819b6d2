"""Request events reach their stages in turns of bounded work, and none that a rebalance has overtaken."""

import asyncio
import functools
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from aiokafka import ConsumerRecord

from guard.errors import GuardError
from guard.streaming.batches import PIECE_RECORDS, Batch
from guard.streaming.intake import Intake
from guard.topics import Topic
from tests.streaming.toy_engine import toy_event


def _batch(partition: int, records: int) -> Batch:
    values = [toy_event(offset, "alice", 1_000 * offset) for offset in range(records)]
    read = [
        ConsumerRecord(Topic.REQUESTS.value, partition, at, 10**12, 1, b"alice", value, None, 5, 0, ()) for at, value in enumerate(values)
    ]
    return Batch(Topic.REQUESTS.value, partition, 0, read, 1)


class _Stage:
    """Remembers the offsets stepped by partition, and tells when so many were."""

    def __init__(self, wanted: int, full: set[int]) -> None:
        self.stepped: list[list[int]] = [[], []]
        self.faults: list[GuardError] = []
        self.done = asyncio.Event()
        self._wanted = wanted
        self._full = full

    def step(self, batch: Batch, records: Sequence[ConsumerRecord]) -> bool:
        self.stepped[batch.partition].extend(record.offset for record in records)
        if sum(map(len, self.stepped)) >= self._wanted:
            self.done.set()
        return True

    def intake(self) -> Intake:
        return Intake(self.step, lambda where, _: where.partition not in self._full, self._fault)

    def _fault(self, error: GuardError) -> None:
        self.faults.append(error)
        self.done.set()


def in_loop(test: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    """Run the test in an event loop of its own."""

    @functools.wraps(test)
    def run() -> None:
        asyncio.run(asyncio.wait_for(test(), 10.0))

    return run


async def _idle() -> None:
    for _ in range(50):
        await asyncio.sleep(0)


@in_loop
async def test_all_that_was_put_is_stepped_in_order() -> None:
    """Two partitions, each with more than one turn's work."""
    stage = _Stage(4 * PIECE_RECORDS, set())
    intake = stage.intake()
    for partition in (0, 1):
        intake.put(_batch(partition, 2 * PIECE_RECORDS))
    await stage.done.wait()
    await intake.stop()

    assert stage.stepped == [list(range(2 * PIECE_RECORDS))] * 2
    assert not stage.faults


@in_loop
async def test_a_rebalance_between_two_turns_drops_the_rest() -> None:
    """The event loop has its turn after `PIECE_RECORDS`: a heartbeat or a rebalance never waits for a whole fetch."""
    stage = _Stage(1, set())
    intake = stage.intake()
    intake.put(_batch(0, 10 * PIECE_RECORDS))
    await stage.done.wait()
    intake.clear()
    await _idle()
    await intake.stop()

    assert len(stage.stepped[0]) <= 2 * PIECE_RECORDS


@in_loop
async def test_what_waited_for_a_flush_goes_on_after_it_without_news() -> None:
    """The end of a backlog brings no further batch that would wake anybody."""
    full = {0}
    stage = _Stage(20, full)
    intake = stage.intake()
    intake.put(_batch(0, 20))
    await _idle()
    before = list(stage.stepped[0])
    full.clear()
    await stage.done.wait()
    await intake.stop()

    assert not before
    assert stage.stepped[0] == list(range(20))


@in_loop
async def test_a_fault_in_the_intake_ends_the_worker() -> None:
    """A worker that reads nothing and lives on would be worse."""
    stage = _Stage(1, set())
    intake = stage.intake()
    intake.put(Batch(Topic.REQUESTS.value, 0, 0, _batch(0, 1).records, 1))
    stage.stepped = []
    await stage.done.wait()
    await intake.stop()

    assert ["IndexError" in str(fault) for fault in stage.faults] == [True]
