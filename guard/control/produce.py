"""Writing single records that no transaction may hold up: operators' documents, pauses, labels, workers' answers."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaProducer

from guard.control.reach import REQUEST_TIMEOUT_MS


@asynccontextmanager
async def idempotent_producer(bootstrap: str) -> AsyncIterator[AIOKafkaProducer]:
    """A started producer whose records are acknowledged by all replicas and never doubled by a retry."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", enable_idempotence=True, request_timeout_ms=REQUEST_TIMEOUT_MS)
    try:
        await producer.start()
        yield producer
    finally:
        await producer.stop()
