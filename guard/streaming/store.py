"""The recovered records of the changelogs: bytes by key, one mapping per partition, gone when the partition is."""

from collections.abc import Sequence
from typing import Any

import faust
from aiokafka import ConsumerRecord
from faust.stores import memory
from faust.types import TP


class ChangelogStore(memory.Store[bytes, bytes]):
    """Takes changelog records a batch at a time, and hands a partition's mapping to the stage that owns it.

    After that the mapping is the stage's. Later changelog records of the partition are this worker's own and are not read.
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        self._parts: dict[int, dict[bytes, bytes]] = {}
        self._positions: dict[int, int] = {}

    def apply(self, partition: int, records: Sequence[ConsumerRecord]) -> None:
        """Take records in, in their order; a record without a value is a removal."""
        part = self._parts.setdefault(partition, {})
        for record in records:
            if record.value is None:
                part.pop(record.key, None)
            else:
                part[record.key] = record.value
        self._positions[partition] = records[-1].offset + 1

    def position(self, partition: int) -> int | None:
        """The next changelog offset wanted; None before the first."""
        return self._positions.get(partition)

    def begin(self, partition: int, offset: int) -> None:
        """Reading begins or goes on at this offset."""
        self._positions[partition] = offset

    def hand_over(self, partition: int) -> dict[bytes, bytes]:
        """The recovered records; the store forgets them."""
        return self._parts.pop(partition, {})

    def drop(self, partition: int) -> None:
        """The partition belongs to somebody else now."""
        self._parts.pop(partition, None)
        self._positions.pop(partition, None)

    def persisted_offset(self, tp: TP) -> int | None:
        """Offset of the newest record that is in the store; None if everything has to be read."""
        position = self._positions.get(tp.partition)
        return position - 1 if position else None

    async def on_recovery_completed(self, active_tps: Any, standby_tps: Any) -> None:
        """Nothing: the memory store of the runtime would drop keys here by a bookkeeping we do not keep."""


class StateTable(faust.Table):
    """A table whose only content is the store; stages change state through the flush, never through the table."""

    store: ChangelogStore

    def _new_store(self) -> ChangelogStore:
        self.store = ChangelogStore("memory://", self.app, self, table_name=self.name, key_type=bytes, value_type=bytes, loop=self.loop)
        return self.store

    async def on_start(self) -> None:
        """Start the store. The changelog topic is made by `guard topics create`, not by the runtime."""
        await self.add_runtime_dependency(self.data)
