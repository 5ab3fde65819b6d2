"""The one producer of a shard: a flush is one Kafka transaction, and starting the producer shuts out its predecessor."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError
from msgspec import Struct

from guard.control.reach import REQUEST_TIMEOUT_MS

TRANSACTION_TIMEOUT_MS_MAX: Final = 10_000
"""A transaction left open by a dead worker hides later records of the same partitions for at most this time (contract)."""
BATCH_BYTES: Final = 500_000
"""Half of what a topic takes by default in one batch."""
BACKOFF_MS: Final = 5
"""The broker refuses a transaction while the markers of the previous one are being written: a matter of milliseconds."""
STOP_SECONDS: Final = 2.0
"""An orderly goodbye; after it the broker's own time-out ends what is open."""

KeyValue = tuple[bytes | None, bytes | None]


class Flush(Struct, frozen=True):
    """What one transaction writes: records by partition, and the source offsets they rest on."""

    records: Mapping[TopicPartition, Sequence[KeyValue]]
    offsets: Mapping[TopicPartition, int]

    @property
    def is_empty(self) -> bool:
        """There is nothing to write and no offset has moved."""
        return not (self.records or self.offsets)


class Writer:
    """Writes flushes as `transactional_id`, and with them the group's source offsets.

    The client speaks the transaction protocol without group membership, so a stale owner is shut out by its producer's
    identity alone: hence one writer per source partition, started before that partition's state and offsets are read.
    """

    def __init__(self, bootstrap: str, group: str, transactional_id: str, timeout_ms: int) -> None:
        self._bootstrap = bootstrap
        self._group = group
        self._id = transactional_id
        self._timeout_ms = min(timeout_ms, TRANSACTION_TIMEOUT_MS_MAX)
        self._producer: AIOKafkaProducer | None = None

    async def start(self) -> None:
        """Become the owner of the identity: an older owner can commit nothing from here on."""
        self._producer = AIOKafkaProducer(
            bootstrap_servers=self._bootstrap,
            client_id=self._id,
            transactional_id=self._id,
            transaction_timeout_ms=self._timeout_ms,
            request_timeout_ms=REQUEST_TIMEOUT_MS,
            retry_backoff_ms=BACKOFF_MS,
            max_batch_size=BATCH_BYTES,
            linger_ms=0,
        )
        await self._producer.start()

    async def write(self, flush: Flush) -> None:
        """Write everything in one transaction. Raises KafkaError; afterwards this writer is of no use any more."""
        producer = self._producer
        assert producer is not None, "the writer has been started"
        await producer.begin_transaction()
        sent = [future for where, records in flush.records.items() for future in await _send(producer, where, records)]
        if flush.offsets:
            await producer.send_offsets_to_transaction(dict(flush.offsets), self._group)
        await asyncio.gather(*sent)  # the client would commit without a batch that it has given up
        await producer.commit_transaction()

    async def stop(self) -> None:
        """Close the producer. An open transaction is left to the broker, which aborts it."""
        if self._producer is None:
            return
        producer, self._producer = self._producer, None
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await producer.stop()
        except (TimeoutError, KafkaError, OSError):
            await producer.client.close()


async def _send(producer: AIOKafkaProducer, where: TopicPartition, records: Iterable[KeyValue]) -> "list[asyncio.Future[object]]":
    sent = []
    batch = producer.create_batch()
    for key, value in records:
        if batch.append(key=key, value=value, timestamp=None) is None:
            sent.append(await producer.send_batch(batch, where.topic, partition=where.partition))
            batch = producer.create_batch()
            batch.append(key=key, value=value, timestamp=None)
    sent.append(await producer.send_batch(batch, where.topic, partition=where.partition))
    return sent
