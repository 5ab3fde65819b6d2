"""Every worker's ear for operators, analysts and the campaigns stage: three topics read whole, then followed.

The consumer has no group: each worker reads everything. A change becomes one new frozen `Control`, handed to the
subscribers between two polls. A broker that goes away leaves the last control in force.
"""

import asyncio
import contextlib
from collections.abc import Callable

from aiokafka import AIOKafkaConsumer, ConsumerRecord
from aiokafka.errors import KafkaError

from guard.control.answers import Answered, decode_answers
from guard.control.board import Taken, opening_control, take
from guard.control.desk import AnswerDesk
from guard.control.reach import reaching
from guard.control.topics_read import READ_SECONDS_MAX, groupless_consumer, read_to_end, read_topic
from guard.engine.control import Control
from guard.policy.signature import UNSIGNED, KeyRing
from guard.topics import Topic
from guard.units import EventTimeMs
from guard.wall_clock import wall_clock

FOLLOWED = (Topic.POLICY, Topic.LABELS, Topic.CAMPAIGNS)
POLL_MS = 500
RETRY_SECONDS = 1.0


class ControlFollower:
    """Follows policy, labels and campaigns, and answers policy documents under `worker_name`.

    At its start it answers the documents that no worker has answered yet, the newest one, and the one in force; so a
    restart adds at most two answers to those already given, under the same keys. Afterwards it answers every document.
    """

    def __init__(
        self,
        bootstrap: str,
        *,
        enforce: bool,
        worker_name: str,
        keys: KeyRing = UNSIGNED,
        now: Callable[[], EventTimeMs] = wall_clock,
    ) -> None:
        self.control: Control = opening_control(enforce=enforce, keys=keys)
        self.tallies = {"policy.accepted": 0, "policy.rejected": 0, "control.refused": 0, "control.interrupted": 0}
        """Counts since the start: documents by answer, label and campaign records refused, failed polls."""
        self.refused_last: tuple[str, ...] = ()
        """The newest lines about refused records or documents, for the log."""
        self._bootstrap = bootstrap
        self._worker = worker_name
        self._now = now
        self._subscribers: list[Callable[[Control], None]] = []
        self._desk = AnswerDesk(bootstrap)
        self._open = contextlib.AsyncExitStack()
        self._task: asyncio.Task[None] | None = None

    def subscribe(self, callback: Callable[[Control], None]) -> None:
        """Call `callback` with each new control, in the event loop. The current one is in `control`."""
        self._subscribers.append(callback)

    @property
    def following(self) -> "asyncio.Task[None] | None":
        """The task that follows; None before `start`. It ends by itself only through a fault of ours: then end the worker too."""
        return self._task

    async def start(self) -> None:
        """Read the three topics to their ends, then follow them.

        Raises BrokerUnreachableError, and ClusterMismatchError when a topic is missing.
        """
        try:
            with reaching(self._bootstrap):
                async with asyncio.timeout(READ_SECONDS_MAX):
                    await self._start()
        except BaseException:
            await self._open.aclose()
            raise

    async def _start(self) -> None:
        already = await _answered_already(self._bootstrap)
        consumer = await self._open.enter_async_context(groupless_consumer(self._bootstrap, FOLLOWED))
        taken = self._take(await read_to_end(consumer))
        await self._open.enter_async_context(self._desk)
        self._answer(_due_at_start(taken, already))
        self._task = asyncio.create_task(self._follow(consumer), name="guard control")

    async def stop(self) -> None:
        """Stop following; answers that are still waiting get a moment to leave."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
        await self._open.aclose()

    async def _follow(self, consumer: AIOKafkaConsumer) -> None:
        while True:
            try:
                batches = await consumer.getmany(timeout_ms=POLL_MS)
            except (KafkaError, OSError):
                self.tallies["control.interrupted"] += 1
                await asyncio.sleep(RETRY_SECONDS)
                continue
            records = [record for batch in batches.values() for record in batch]
            if records:
                self._answer(self._take(records).answered)

    def _take(self, records: list[ConsumerRecord]) -> Taken:
        taken = take(self.control, records)
        faults = tuple(line for answered in taken.answered for line in answered.faults)
        self.refused_last = (*taken.refused, *faults) or self.refused_last
        self.tallies["control.refused"] += len(taken.refused)
        for answered in taken.answered:
            self.tallies["policy.rejected" if answered.accepted is None else "policy.accepted"] += 1
        if not _is_same(taken.control, self.control):
            self.control = taken.control
            for subscriber in self._subscribers:
                subscriber(self.control)
        return taken

    def _answer(self, answered: tuple[Answered, ...]) -> None:
        self._desk.send([document.by(self._worker, self._now()) for document in answered])


def _is_same(left: Control, right: Control) -> bool:
    return left.policies is right.policies and left.labels is right.labels and left.watch is right.watch


async def _answered_already(bootstrap: str) -> set[tuple[int, str]]:
    values = [record.value for record in await read_topic(bootstrap, Topic.POLICY_STATUS)]
    return {(answer.offset, answer.document_hash) for answer in decode_answers(values)}


def _due_at_start(taken: Taken, already: set[tuple[int, str]]) -> tuple[Answered, ...]:
    in_force = taken.control.policies.newest.hash
    return tuple(
        document
        for document in taken.answered
        if (document.offset, document.document_hash) not in already
        or document is taken.answered[-1]
        or (document.accepted is not None and document.accepted.hash == in_force)
    )
