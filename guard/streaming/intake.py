"""The way of a worker's request events from the runtime into their stages, aligned in event time."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from aiokafka import ConsumerRecord

from guard.errors import GuardError
from guard.streaming.alignment import Alignment, HasRoom
from guard.streaming.batches import PIECE_RECORDS, Batch
from guard.wall_clock import wall_clock

FULL_SECONDS: Final = 0.005
"""How often is looked again when all that waits belongs into a later flush."""

Step = Callable[[Batch, Sequence[ConsumerRecord]], bool]
Fail = Callable[[GuardError], None]


class Intake:
    """Steps what was put, oldest first, a few milliseconds of work between two turns of the event loop."""

    def __init__(self, step: Step, has_room: HasRoom, fail: Fail) -> None:
        self._step = step
        self._fail = fail
        self._waiting = Alignment(has_room)
        self._news = asyncio.Event()
        self._task = asyncio.get_running_loop().create_task(self._run(), name="guard intake")

    def put(self, batch: Batch) -> None:
        """The batch is stepped when its turn comes."""
        self._waiting.put(batch)
        self._news.set()

    def clear(self) -> None:
        """Drop what waits: a rebalance or the end begins."""
        self._waiting.clear()

    async def stop(self) -> None:
        """Step nothing any more."""
        self._task.cancel()
        await asyncio.wait({self._task})

    async def _run(self) -> None:
        try:
            await self._take_turns()
        except Exception as error:  # noqa: BLE001 (nobody awaits this task: without it the worker would live on and read nothing)
            self._fail(GuardError(f"the intake of request events ended by itself ({error!r})"))

    async def _take_turns(self) -> None:
        while True:
            if self._turn():
                await asyncio.sleep(0)
            elif not self._waiting.is_empty:
                await asyncio.sleep(FULL_SECONDS)
            else:
                await self._news.wait()
                self._news.clear()

    def _turn(self) -> bool:
        """Step about `PIECE_RECORDS`; False when nothing can be stepped for now. What a rebalance has overtaken is dropped."""
        stepped, now = 0, wall_clock()
        while stepped < PIECE_RECORDS:
            chunk = self._waiting.next(now)
            if chunk is None:
                return False
            self._step(chunk.batch, chunk.records)
            stepped += len(chunk.records)
        return True
