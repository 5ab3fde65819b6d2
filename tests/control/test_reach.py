"""What the Kafka client does when a line is lost, as those see it who follow a topic."""

import asyncio

import pytest

from guard.control.reach import reaching
from guard.errors import BrokerUnreachableError


async def _awaiting_what_somebody_else_cancels() -> None:
    inner = asyncio.create_task(asyncio.sleep(60))
    asyncio.get_running_loop().call_soon(inner.cancel)
    with reaching("127.0.0.1:9092"):
        await inner


async def _waiting() -> None:
    with reaching("127.0.0.1:9092"):
        await asyncio.sleep(60)


def test_a_cancellation_that_nobody_asked_for_is_a_lost_broker() -> None:
    """The client's `stop` hands on the cancellation of its own fetches: nineteen of fifty enforcers once ended so, without a word."""
    with pytest.raises(BrokerUnreachableError, match="no broker answers"):
        asyncio.run(_awaiting_what_somebody_else_cancels())


def test_whoever_is_cancelled_ends() -> None:
    """A worker that takes its own end for a lost broker would never stop."""

    async def story() -> None:
        task = asyncio.create_task(_waiting())
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait({task})
        assert task.cancelled()

    asyncio.run(story())
