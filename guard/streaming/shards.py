"""All shards of this worker: which ones it has, when they open, and the way of a batch to its shard."""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from aiokafka import ConsumerRecord, TopicPartition

from guard.engine.control import Control
from guard.errors import GuardError
from guard.streaming.alignment import LIVE_MS
from guard.streaming.batches import Batch
from guard.streaming.intake import Intake
from guard.streaming.lane import Lane
from guard.streaming.meta import take_meta
from guard.streaming.observer import Observer
from guard.streaming.others import Others
from guard.streaming.shard import Shard
from guard.streaming.stages import StageTable, changelog_of, kinds_of, shard_of, source_of
from guard.topics import Topic
from guard.wall_clock import wall_clock

MakeShard = Callable[[int], Shard]
HandOver = Callable[[TopicPartition], dict[bytes, bytes]]


class Shards:
    """Keeps one shard per owned partition number. `epoch` counts the stretches between rebalances."""

    def __init__(self, shards: int, make: MakeShard, stages: StageTable, control: Control, observer: Observer, *, waiting_max: int) -> None:
        self.epoch = 0
        self.failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Fails with the first fault; the worker ends then."""
        self.owned: dict[int, Shard] = {}
        self.shards: Final = shards
        self._make = make
        self._stages = stages
        self._control = control
        self._observer = observer
        self._waiting_max = waiting_max
        self._assigned_at = 0.0
        self._intake = Intake(self._step, self._may_go, self.fail)
        self._others = Others()

    def fail(self, error: GuardError) -> None:
        """End the worker for this reason: nothing is taken in or committed from here on."""
        self.halt()
        if not self.failed.done():
            self.failed.set_exception(error)

    @property
    def has_failed(self) -> bool:
        """A fault has been met."""
        return self.failed.done()

    def follow(self, control: Control) -> None:
        """Every stage, now and later, works by this control from its next record on."""
        self._control = control
        for shard in self.owned.values():
            shard.follow(control)

    async def assign(self, partitions: Iterable[TopicPartition]) -> list[int]:
        """Own the shards of these partitions; returns the numbers released. New ones shut out their previous owners first."""
        wanted = {shard_of(tp.topic, tp.partition, self.shards) for tp in partitions} - {None}
        self._assigned_at = time.monotonic()
        released = [number for number in self.owned if number not in wanted]
        await asyncio.gather(*[self._release(number) for number in released])
        new = [self._make(number) for number in sorted(number for number in wanted if number is not None) if number not in self.owned]
        await asyncio.gather(*[shard.start() for shard in new])
        self.owned.update({shard.number: shard for shard in new})
        return released

    async def _release(self, number: int) -> None:
        await self.owned.pop(number).close()
        self._observer.released(number)

    def is_recovered(self, tp: TopicPartition) -> bool:
        """The partition's shard has its state: nothing of it needs to be read back."""
        shard = self._of(tp)
        return shard is not None and shard.is_open

    def next_offset(self, source: TopicPartition) -> int | None:
        """Where the shard of this source partition stands; None while it is not open."""
        shard = self._of(source)
        lane = shard.lanes.get(source.topic) if shard else None
        return lane.next_offset if lane else None

    def has_room(self, source: TopicPartition) -> bool:
        """The shard can take more records: not too many of its are queued or uncommitted."""
        shard = self._of(source)
        return shard is not None and shard.is_taking and shard.queued + shard.waiting < self._waiting_max

    def _may_go(self, source: TopicPartition, at: int) -> bool:
        """A record of this event time fits into its shard's flush and is not far ahead of other workers; or it is to be dropped."""
        shard = self._of(source)
        lane = shard.lanes.get(source.topic) if shard else None
        if shard is None or lane is None:
            return True
        if not lane.has_room(at):
            shard.fill()
            return False
        return at > wall_clock() - LIVE_MS or at <= self._others.horizon(self.owned, time.monotonic())

    def deliver(self, source: TopicPartition, records: int) -> None:
        """So many records are on their way to the shard."""
        shard = self._of(source)
        if shard is not None:
            shard.queued += records

    def uncommitted(self, source: TopicPartition) -> int:
        """Records of the partition's shard that have been fetched and not committed."""
        shard = self._of(source)
        return shard.queued + shard.waiting if shard else 0

    @property
    def stepped(self) -> int:
        """A number that changes whenever a record is stepped: the sum of the offsets that the lanes want next."""
        return sum(lane.next_offset for shard in self.owned.values() for lane in shard.lanes.values())

    def _of(self, tp: TopicPartition) -> Shard | None:
        number = shard_of(tp.topic, tp.partition, self.shards)
        return self.owned.get(number) if number is not None else None

    def open(self, offsets: Mapping[TopicPartition, int], hand_over: HandOver) -> None:
        """Everything is recovered: go on, new shards at these source offsets. State built for another N ends the worker."""
        if self.has_failed:
            return
        self.epoch += 1
        try:
            for shard in self.owned.values():
                if shard.is_open:
                    shard.resume()
                else:
                    self._open(shard, offsets, hand_over)
        except GuardError as error:
            self.fail(error)
        else:
            self._observer.ready(is_ready=True)

    def _open(self, shard: Shard, offsets: Mapping[TopicPartition, int], hand_over: HandOver) -> None:
        lanes: dict[str, Lane] = {}
        has_meta, keys = True, 0
        for kind in kinds_of(shard.number, self.shards):
            changelog, source = changelog_of(kind, shard.number), source_of(kind, shard.number)
            records = hand_over(changelog)
            has_meta &= take_meta(records, self.shards, f"{changelog.topic}-{changelog.partition}")
            keys += len(records)
            stage = self._stages[kind](shard.number, self.shards, records, self._control)
            lanes[source.topic] = Lane(kind, shard.number, stage, offsets[source])
        shard.open(lanes, has_meta=has_meta)
        self._observer.recovered(shard.number, keys, time.monotonic() - self._assigned_at)

    def halt(self) -> None:
        """A rebalance or the end begins: whatever is on its way to a shard is dropped, and read again by its next owner."""
        self.epoch += 1
        self._intake.clear()
        for shard in self.owned.values():
            shard.halt()
        self._observer.ready(is_ready=False)

    async def finish(self) -> None:
        """Commit what all shards have taken in, unless the worker has failed."""
        if not self.has_failed:
            await asyncio.gather(*[shard.finish() for shard in self.owned.values() if shard.is_open])

    async def close(self) -> None:
        """Give all shards up."""
        await self._intake.stop()
        await asyncio.gather(*[self._release(number) for number in list(self.owned)])

    async def take(self, batch: Batch) -> None:
        """Step a batch through its stage. Request events wait for those of other partitions that are older."""
        if batch.topic == Topic.REQUESTS:
            self._intake.put(batch)
            return
        if batch.topic == Topic.LINKS:
            self._others.hear(batch.records, time.monotonic())
        for piece in batch.pieces():
            if not self._step(batch, piece):
                return
            await asyncio.sleep(0)

    def _step(self, batch: Batch, piece: Sequence[ConsumerRecord]) -> bool:
        """Step a piece; False if it is dropped, since a rebalance has begun meanwhile or a fault was met."""
        shard = self._of(TopicPartition(batch.topic, batch.partition))
        if shard is None or batch.epoch != self.epoch or not shard.is_taking:
            return False
        try:
            shard.step(batch, piece)
        except GuardError as error:
            self.fail(error)
        except Exception as error:  # noqa: BLE001 (a stage promises none: a fault of ours, and its state can no longer be trusted)
            self._fail_by_stage(batch, error)
        else:
            return True
        return False

    def _fail_by_stage(self, batch: Batch, error: Exception) -> None:
        fault = GuardError(f"{batch.topic}-{batch.partition}: the stage failed at offset {batch.start} or later ({error!r})")
        fault.__cause__ = error
        self.fail(fault)
