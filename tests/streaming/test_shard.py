"""A shard never goes on with a state ahead of what is committed, and never stands still in silence."""

import asyncio

from aiokafka import ConsumerRecord

from guard.control.board import opening_control
from guard.engine.stage import Outcome
from guard.errors import GuardError
from guard.streaming.batches import Batch
from guard.streaming.lane import Lane
from guard.streaming.observer import SilentObserver
from guard.streaming.pace import Pace
from guard.streaming.shard import Shard
from guard.streaming.stages import StageKind
from guard.streaming.writer import Writer
from guard.topics import Topic
from tests.streaming.toy_engine import ToyAccounts, toy_event


class _Undrainable(ToyAccounts):
    def drain(self) -> Outcome:
        raise OverflowError("a number outgrew its field")


def test_a_stage_that_cannot_be_drained_ends_the_worker_with_one_line():
    """Nobody awaits the task that flushes: without a word the shard would take records in and commit none of them, for ever."""
    faults: list[GuardError] = []

    async def play() -> None:
        writer = Writer("127.0.0.1:1", "guard", "guard-0", 10_000)
        shard = Shard(0, 1, writer, Pace(1), SilentObserver(), faults.append)
        lane = Lane(StageKind.ACCOUNTS, 0, _Undrainable(0, 1, {}, opening_control(enforce=False)), 0)
        shard.open({lane.source.topic: lane}, has_meta=True)
        value = toy_event(0, "alice", 1_000)
        record = ConsumerRecord(Topic.REQUESTS, 0, 0, 5_000, 1, b"alice", value, None, 5, len(value), ())
        shard.step(Batch(Topic.REQUESTS, 0, 0, [record], 0), [record])
        async with asyncio.timeout(5):
            while not faults:
                await asyncio.sleep(0.01)

    asyncio.run(play())

    assert [str(fault) for fault in faults] == ["shard 0: a stage could not be drained (OverflowError: a number outgrew its field)"]
