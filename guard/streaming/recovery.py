"""State comes back: changelogs are read a fetched batch at a time, and only for shards that are new to this worker."""

import asyncio
from typing import Any

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError
from faust.tables.manager import TableManager
from faust.tables.recovery import Recovery
from faust.types import TP
from mode import Service

from guard.errors import ClusterMismatchError, GuardError, RestartMeError
from guard.streaming.shards import Shards
from guard.streaming.stages import changelog_of, kinds_of
from guard.streaming.store import ChangelogStore
from guard.topics import Topic


class BatchRecovery(Recovery):
    """Done when the consumer's position has passed the end: the last offset may be a transaction marker, never a record."""

    def add_active(self, table: Any, tp: TP) -> None:
        """A partition whose shard went through the rebalance with its state needs nothing."""
        if not self.app.shards.is_recovered(TopicPartition(*tp)):
            super().add_active(table, tp)

    def _set_recovery_started(self) -> None:
        super()._set_recovery_started()
        self.signal_recovery_end.clear()

    async def _seek_offsets(self, consumer: Any, tps: Any, offsets: Any, title: str) -> None:  # noqa: ARG002 (the runtime's signature)
        """Begin behind the newest record in the store; the runtime would read that one again, or one before the first."""
        begin = {tp: offsets[tp] + 1 for tp in tps}
        for tp, offset in begin.items():
            self.tables.store_of(tp.topic).begin(tp.partition, offset)
        await consumer.seek_wait(begin)

    def need_recovery(self) -> bool:
        """Some changelog has records that the store does not."""
        return any(self._behind(tp, self.active_offsets[tp] + 1) for tp in self.active_tps)

    def _behind(self, tp: TP, position: int) -> bool:
        highwater: int = self.active_highwaters.get(tp, -1)
        return position <= highwater

    async def look(self) -> None:
        """Called by the consumer between two fetches, when all that was fetched is in the store: ends recovery if that is everything."""
        if not self.in_recovery or not self.active_highwaters:
            return
        partitions = [tp for tp in self.active_tps if tp in self.active_highwaters]
        positions = await asyncio.gather(*[self.app.consumer.position(tp) for tp in partitions])
        if not any(self._behind(tp, position or 0) for tp, position in zip(partitions, positions, strict=True)):
            self._set_recovery_ended()
            self.signal_recovery_end.set()

    @Service.task
    async def _slurp_changelogs(self) -> None:
        """Nothing: the consumer puts changelog batches into the store itself."""


class BatchTableManager(TableManager):
    """Owns shards before their state is read: the previous owner must be shut out first."""

    _recovery: Recovery | None

    @property
    def recovery(self) -> Recovery:
        """The recovery service."""
        if self._recovery is None:
            self._recovery = BatchRecovery(self.app, self, beacon=self.beacon, loop=self.loop)
        return self._recovery

    def store_of(self, changelog: str) -> ChangelogStore:
        """The store behind a changelog topic."""
        store: ChangelogStore = self._changelogs[changelog].data
        return store

    def hand_over(self, changelog: TopicPartition) -> dict[bytes, bytes]:
        """The recovered records of a changelog partition, for its stage."""
        return self.store_of(changelog.topic).hand_over(changelog.partition)

    async def on_rebalance(self, assigned: Any, revoked: Any, newly_assigned: Any, generation_id: int = 0) -> None:
        """Take over and give up shards, then let the runtime begin recovery."""
        shards: Shards = self.app.shards
        try:
            self._check_partitions(shards.shards)
            released = await shards.assign([TopicPartition(*tp) for tp in assigned])
        except GuardError as error:
            shards.fail(error)
            return
        except (KafkaError, OSError) as error:
            shards.fail(RestartMeError(f"the shards' producers do not start ({type(error).__name__}: {error})"))
            return
        for number in released:
            for kind in kinds_of(number, shards.shards):
                changelog = changelog_of(kind, number)
                self.store_of(changelog.topic).drop(changelog.partition)
        await super().on_rebalance(assigned, revoked, newly_assigned, generation_id)

    def _check_partitions(self, shards: int) -> None:
        now = self.app.consumer.topic_partitions(Topic.REQUESTS.value)
        if now is not None and now != shards:
            raise ClusterMismatchError(
                f"{Topic.REQUESTS} has {now} partitions now, it had {shards}: a new number needs a new topic, "
                f"with the state rebuilt from the retained log"
            )
