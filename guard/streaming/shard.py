"""One shard: the stages over partition p of every co-partitioned topic, their single writer, and the pace of its flushes."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Final, NoReturn

from aiokafka import ConsumerRecord, TopicPartition

from guard.engine.control import Control
from guard.errors import GuardError, RestartMeError
from guard.streaming.batches import Batch
from guard.streaming.lane import Drained, Lane
from guard.streaming.meta import META_KEY, meta_value
from guard.streaming.observer import FlushReport, LaneReport, Observer
from guard.streaming.others import progress_key
from guard.streaming.pace import Pace
from guard.streaming.stages import StageKind
from guard.streaming.writer import Flush, KeyValue, Writer
from guard.topics import Topic
from guard.wall_clock import wall_clock

FINISH_SECONDS: Final = 5.0
"""How long a rebalance or the end of the worker waits for the last flush; a stuck one is abandoned with the whole worker."""

Fail = Callable[[GuardError], None]


class Shard:
    """Takes batches in and commits what comes of them. Any fault ends the worker: what is not committed is read again."""

    def __init__(self, number: int, shards: int, writer: Writer, pace: Pace, observer: Observer, fail: Fail) -> None:
        self.number = number
        self.queued = 0
        """Records delivered to the runtime and not stepped yet."""
        self.waiting = 0
        """Records stepped and not committed yet."""
        self.waiting_since = float("-inf")
        """When the oldest waiting record began to wait or the newest commit was, on the monotonic clock."""
        self.is_taking = False
        """Between two rebalances, with the state recovered."""
        self.lanes: dict[str, Lane] = {}
        """By source topic; empty until the state is recovered."""
        self._shards = shards
        self._writer = writer
        self._pace = pace
        self._observer = observer
        self._fail = fail
        self._has_meta = False
        self._work = asyncio.Event()
        self._full = asyncio.Event()
        self._flushing = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Shut out whoever wrote for this shard before. Only now may state and offsets be read."""
        await self._writer.start()

    def open(self, lanes: Mapping[str, Lane], *, has_meta: bool) -> None:
        """Begin with recovered lanes; `has_meta` when the state already says for how many shards it was built."""
        self.lanes = dict(lanes)
        self._has_meta = has_meta
        self.is_taking = True
        self._task = asyncio.create_task(self._run(), name=f"guard shard {self.number}")

    @property
    def is_open(self) -> bool:
        """The state is recovered."""
        return bool(self.lanes)

    def follow(self, control: Control) -> None:
        """All stages work by this control from the next record on."""
        for lane in self.lanes.values():
            lane.follow(control)

    def step(self, batch: Batch, records: Sequence[ConsumerRecord]) -> None:
        """Take in a piece of a batch. Raises RestartMeError if records before it are missing."""
        lane = self.lanes[batch.topic]
        if batch.start > lane.next_offset:
            raise RestartMeError(f"{batch.topic}-{batch.partition}: offsets {lane.next_offset} to {batch.start} never arrived")
        self.queued = max(0, self.queued - len(records))
        taken = lane.step(records)
        if taken and not self.waiting:
            self.waiting_since = time.monotonic()
        self.waiting += taken
        self._work.set()

    def fill(self) -> None:
        """The records that wait make up a whole flush: what comes next belongs into another."""
        self._full.set()

    async def _run(self) -> None:
        while True:
            await self._work.wait()
            delay = self._pace.delay(time.monotonic(), self.waiting, self.queued)
            if delay:
                with suppress(TimeoutError):
                    async with asyncio.timeout(delay):
                        await self._full.wait()
            await self.flush()

    async def flush(self) -> None:
        """Commit everything taken in so far; nothing if there is nothing. A fault is handed to the worker."""
        async with self._flushing:
            self._work.clear()
            self._full.clear()
            began = time.monotonic()
            self._pace.began(began)
            try:
                drained = {lane.kind: lane.drain() for lane in self.lanes.values()}
            except Exception as error:  # noqa: BLE001 (a stage promises none: a fault of ours, and what it has taken in is half handed over)
                await self._give_up(GuardError(f"shard {self.number}: a stage could not be drained ({_line(error)})"))
            flush = self._collect(drained)
            if flush.is_empty:
                return
            try:
                await self._writer.write(flush)
            except Exception as error:  # noqa: BLE001 (whatever it is, this worker must not go on: its state is ahead of what is committed)
                await self._give_up(
                    RestartMeError(f"shard {self.number}: the transaction failed ({_line(error)}); its records are read again")
                )
            self._committed(drained, began)

    async def _give_up(self, fault: GuardError) -> NoReturn:
        """Tell the worker, and hold the flush, so that nothing is committed after it, until the worker has ended."""
        self._fail(fault)
        while True:
            await asyncio.Event().wait()

    def _collect(self, drained: Mapping[StageKind, Drained]) -> Flush:
        records: dict[TopicPartition, list[KeyValue]] = {}
        offsets: dict[TopicPartition, int] = {}
        for lane in self.lanes.values():
            part = drained[lane.kind]
            changes: list[KeyValue] = list(part.outcome.changes)
            if not self._has_meta and part.offset is not None:
                changes.append((META_KEY, meta_value(self._shards)))
            if changes:
                records[lane.changelog] = changes
            for message in part.outcome.messages:
                where = TopicPartition(message.topic.value, message.partition)
                key = progress_key(self.number, lane.stage.newest_at) if message.topic is Topic.LINKS else message.key
                records.setdefault(where, []).append((key, message.value))
            if part.offset is not None:
                offsets[lane.source] = part.offset
        return Flush(records, offsets)

    def _committed(self, drained: Mapping[StageKind, Drained], began: float) -> None:
        now = time.monotonic()
        self._has_meta = True
        self.waiting = max(0, self.waiting - sum(part.records for part in drained.values()))
        self.waiting_since = now
        lanes = tuple(_report(lane, drained[lane.kind]) for lane in self.lanes.values())
        self._observer.flushed(FlushReport(self.number, lanes, now - began, wall_clock()))

    def halt(self) -> None:
        """Take nothing in any more until `resume`: a rebalance begins, and what lies in the queues is dropped."""
        self.is_taking = False
        self.queued = 0

    def resume(self) -> None:
        """The shard stays with this worker; it goes on where it stood."""
        self.is_taking = True

    async def finish(self) -> None:
        """Commit what has been taken in, within `FINISH_SECONDS`."""
        try:
            async with asyncio.timeout(FINISH_SECONDS):
                await self.flush()
        except TimeoutError:
            self._fail(RestartMeError(f"shard {self.number}: the last transaction took longer than {FINISH_SECONDS:.0f} s"))

    async def close(self) -> None:
        """Forget the state and close the writer; what is not committed is left to the next owner."""
        self.halt()
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
        self.lanes = {}
        await self._writer.stop()


def _report(lane: Lane, part: Drained) -> LaneReport:
    return LaneReport(lane.kind, part.outcome, part.records, part.appended_first, part.appended_last, lane.stage.newest_at)


def _line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0][:200]}" if lines else type(error).__name__
