"""The consumer under Faust: hands whole fetched batches on, and keeps its own account of what has been handed on.

Where the runtime loses records or offsets in a rebalance, this one goes by three rules. What was fetched in one epoch and
arrives in another is not delivered, and the partition is rewound to what was delivered last. After every rebalance each
partition is sought explicitly, to where its shard stands or to the committed offset. Offsets are committed by the shards'
transactions alone.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final

from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.errors import IllegalStateError
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from guard.streaming.batches import Batch, as_message
from guard.streaming.shards import Shards
from guard.streaming.stages import CHANGELOGS, SOURCES

IDLE_SECONDS: Final = 1.0
"""A fetch with nothing to return comes back after this time."""
BUSY_SECONDS: Final = 0.05
"""The same while partitions wait for room, or while state is being recovered."""
GATHER_SECONDS: Final = 0.01
"""Pause between two fetches, in which records gather: a batch of one record costs as much as one of hundreds."""
FULL_SECONDS: Final = 0.005
"""How often a worker without any room looks again."""

Fetched = Mapping[TopicPartition, Sequence[ConsumerRecord]]


class BatchConsumer(driver.Consumer):
    """One event per fetched (partition, batch); changelog batches go straight into the store."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._delivered: dict[TopicPartition, int] = {}
        """The next source offset to deliver, per partition; empty during a rebalance."""

    @property
    def _shards(self) -> Shards:
        shards: Shards = self.app.shards
        return shards

    # -- the loop -----------------------------------------------------------------------------------------------------

    async def _drain_messages(self, fetcher: Any) -> None:
        """Fetch and hand on until the consumer or its fetcher stops."""
        try:
            while not (self.should_stop or fetcher.should_stop):
                await self._turn()
        except (*self.consumer_stopped_errors, asyncio.CancelledError):
            if not self.app.should_stop:
                raise

    async def _turn(self) -> None:
        if not self.flow_active:
            await self.wait(self.can_resume_flow)
            return
        epoch = self._shards.epoch
        active = self._get_active_partitions()
        wanted = {tp for tp in active if tp.topic in CHANGELOGS or self._shards.has_room(tp)}
        if not wanted:
            await asyncio.sleep(FULL_SECONDS)
            return
        is_busy = self.app.in_recovery or len(wanted) < len(active)
        await self._hand_on(await self._getmany(wanted, BUSY_SECONDS if is_busy else IDLE_SECONDS), epoch)
        if self.app.in_recovery:
            await self.app.tables.recovery.look()
        await asyncio.sleep(GATHER_SECONDS)

    async def _hand_on(self, fetched: Fetched, epoch: int) -> None:
        undelivered = []
        for where, records in fetched.items():
            if not records:
                continue
            if self._shards.epoch != epoch or not self.flow_active:
                undelivered.append(where)
            elif where.topic in CHANGELOGS:
                self.app.tables.store_of(where.topic).apply(where.partition, records)
            elif where in self._delivered:
                await self._deliver(where, records, epoch)
        if undelivered:
            await self._rewind(undelivered)

    async def _deliver(self, where: TopicPartition, records: Sequence[ConsumerRecord], epoch: int) -> None:
        batch = Batch(where.topic, where.partition, self._delivered[where], records, epoch)
        self._delivered[where] = records[-1].offset + 1
        self._shards.deliver(where, len(records))
        await self.callback(as_message(batch, self.app.consumer_generation_id))

    async def _rewind(self, partitions: Sequence[TopicPartition]) -> None:
        """Fetch these again from what was delivered last; in a rebalance the seek at its end does that."""
        offsets = {}
        for where in partitions:
            is_changelog = where.topic in CHANGELOGS
            position = self.app.tables.store_of(where.topic).position(where.partition) if is_changelog else self._delivered.get(where)
            if position is not None:
                offsets[TP(where.topic, where.partition)] = position
        try:
            await self.seek_wait({tp: offset for tp, offset in offsets.items() if tp in self.assignment()})
        except IllegalStateError:  # a rebalance has taken the partition away meanwhile
            self.log.info("not rewound, no longer assigned: %r", offsets)

    # -- rebalances ---------------------------------------------------------------------------------------------------

    def stop_flow(self) -> None:
        """A rebalance or the end begins: nothing that is under way is taken in any more."""
        super().stop_flow()
        self._delivered.clear()
        self._shards.halt()

    async def perform_seek(self) -> None:
        """The state is recovered: put every source partition where its shard stands, and let the shards begin."""
        sources = [TopicPartition(*tp) for tp in self.assignment() if tp.topic in SOURCES]
        standing = {where: self._shards.next_offset(where) for where in sources}
        offsets = {where: offset for where, offset in standing.items() if offset is not None}
        if len(offsets) < len(sources):
            offsets.update(await self._committed([where for where in sources if where not in offsets]))
        self._delivered = dict(offsets)  # before the seek: a rewind that comes in between then goes to the same place
        await self.seek_wait({TP(*where): offset for where, offset in offsets.items()})
        self._shards.open(offsets, self.app.tables.hand_over)

    async def _committed(self, sources: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        """The group's offset, or the beginning of the log where it has none (the client would leave those where they are)."""
        committed = {TopicPartition(*tp): offset for tp, offset in (await self.seek_to_committed()).items()}
        earliest = await self.earliest_offsets(*[TP(*where) for where in sources])
        return {where: committed.get(where) or earliest[TP(*where)] for where in sources}

    async def wait_empty(self) -> None:
        """What the runtime awaits before partitions go and before the end: commit all that has been taken in."""
        await self._shards.finish()

    # -- what the runtime would do about offsets, and what would be wrong with it ---------------------------------------

    def ack(self, message: Any) -> bool:
        """Nothing: offsets are committed by the transaction that holds the records' effects."""
        message.acked = True
        return True

    def track_message(self, message: Any) -> None:
        """Nothing: see `ack`."""

    async def commit(self, topics: Any = None, start_new_transaction: bool = True) -> bool:  # noqa: FBT001, FBT002 (the runtime's signature)
        """Nothing: see `ack`."""
        del topics, start_new_transaction
        return True

    async def verify_all_partitions_active(self) -> None:
        """Nothing: the runtime goes by its own commits; the worker's watchdog goes by progress."""
