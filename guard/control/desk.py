"""Where a worker's answers wait until the broker has them: bounded, retried, never in the way of following."""

import asyncio
import contextlib
from collections import deque
from types import TracebackType
from typing import Final, Self

from aiokafka.errors import KafkaError

from guard.control.answers import PolicyAnswer, encode_answer
from guard.control.produce import idempotent_producer
from guard.topics import Topic

WAITING_MAX: Final = 1_000
"""Answers that wait while the broker is away; beyond it the oldest are dropped, since the newest say what holds."""

RETRY_SECONDS: Final = 1.0
STOP_SECONDS_MAX: Final = 2.0


class AnswerDesk:
    """Sends answers in their order, outside any transaction.

    One partition holds all workers' answers: a transaction left open by a dead worker would hide the others' answers.
    Answers are rare, so each round has a producer of its own, and nothing is left over from a broker that went away.
    """

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap
        self._waiting: deque[PolicyAnswer] = deque(maxlen=WAITING_MAX)
        self._arrived = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()

    def send(self, answers: list[PolicyAnswer]) -> None:
        """Let these answers go out; returns at once."""
        if answers:
            self._waiting.extend(answers)
            self._idle.clear()
            self._arrived.set()

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run(), name="guard policy answers")
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._idle.wait(), STOP_SECONDS_MAX)
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task

    async def _run(self) -> None:
        while True:
            await self._arrived.wait()
            while self._waiting:
                await self._round()
            self._arrived.clear()
            self._idle.set()

    async def _round(self) -> None:
        try:
            async with idempotent_producer(self._bootstrap) as producer:
                while self._waiting:
                    answer = self._waiting[0]
                    await producer.send_and_wait(Topic.POLICY_STATUS, key=answer.key, value=encode_answer(answer))
                    if self._waiting and self._waiting[0] is answer:  # it may have been dropped while it was sent
                        self._waiting.popleft()
        except (KafkaError, OSError):
            await asyncio.sleep(RETRY_SECONDS)
