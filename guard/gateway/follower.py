"""The decisions topic, followed: read committed, without a group, to the end before it is ready, and again whenever Kafka comes back."""

import asyncio
import time
from collections.abc import Callable, Mapping
from random import Random
from typing import Final

import msgspec
import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from guard.control.reach import reaching
from guard.control.topics_read import groupless_consumer
from guard.decisions.decision import Decision, decode_decision
from guard.errors import ClusterMismatchError, GuardError
from guard.gateway.backoff import Backoff
from guard.gateway.order import WORDS
from guard.gateway.orders import PARTS_MAX, Orders
from guard.gateway.places import Place, Places
from guard.gateway.presence import GONE_MS, Presence
from guard.topics import Topic
from guard.wall_clock import wall_clock

FETCH_MS: Final = 50
PROBE_SECONDS: Final = 2.0
"""How often the broker is asked for the end of the topic: nothing else tells a quiet topic from a broker that is away."""
PROBE_SECONDS_MAX: Final = 5.0
RETRY_SECONDS_MIN: Final = 1.0
RETRY_SECONDS_MAX: Final = 20.0
"""Between two attempts to reach Kafka (`Backoff`)."""
START_SECONDS_MAX: Final = 1.0
"""Before the first attempt, at random: a deployment starts all its enforcers in one moment."""
TIME_MS_MAX: Final = 1 << 53
"""Beyond it JSON numbers are no longer exact everywhere."""
_log = structlog.get_logger(__name__)


class DecisionFollower:
    """Keeps `orders` as the topic says. What is known stays in force while Kafka is away.

    `places` are where to go on, by partition: those of a snapshot. `presence` hears of other enforcers, if given.
    """

    def __init__(
        self,
        bootstrap: str,
        orders: Orders,
        on_decision: Callable[[Decision], None] = lambda _: None,
        *,
        places: Mapping[int, Place] | None = None,
        presence: Presence | None = None,
        dice: Random | None = None,
    ) -> None:
        self._bootstrap = bootstrap
        self._on_decision = on_decision
        self._presence = presence
        self._dice = dice or Random()
        self.orders = orders
        self.places = Places(places)
        self.decisions_read = 0
        self.unreadable = 0
        self.reconnections = 0
        self._target = orders
        """What is being read into: another one than `orders` while everything is read anew."""
        self._heard_at = float("-inf")
        self._task: asyncio.Task[None] | None = None
        self._is_ready = asyncio.Event()

    @property
    def is_ready(self) -> bool:
        """The topic was read to its end once."""
        return self._is_ready.is_set()

    @property
    def is_whole(self) -> bool:
        """`orders` and `places` belong together: nothing is being read anew at the moment."""
        return self.is_ready and self._target is self.orders

    @property
    def stale_seconds(self) -> float:
        """How long the broker has not answered; infinite before it ever did."""
        return time.monotonic() - self._heard_at

    async def start(self) -> None:
        """Follow; returns once the committed end was reached. Raises when no broker answers."""
        self._task = asyncio.create_task(self._session())
        ready = asyncio.create_task(self._is_ready.wait())
        await asyncio.wait({ready, self._task}, return_when=asyncio.FIRST_COMPLETED)
        if not self._is_ready.is_set():
            ready.cancel()
            self._task.result()

    async def ready(self) -> None:
        """Returns once the topic was read to its end."""
        await self._is_ready.wait()

    def start_patiently(self) -> None:
        """Follow, and keep trying while no broker answers."""
        self._task = asyncio.create_task(self._sessions())

    async def stop(self) -> None:
        """Follow no more; the orders stay as they are."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _sessions(self) -> None:
        backoff = Backoff(RETRY_SECONDS_MIN, RETRY_SECONDS_MAX, self._dice)
        await asyncio.sleep(self._dice.uniform(0, START_SECONDS_MAX))
        while True:
            began = time.monotonic()
            try:
                await self._session()
            except GuardError as error:
                _log.warning("decisions_interrupted", error=str(error)[:300])
            except Exception as error:  # noqa: BLE001 (whatever it was: an enforcer that follows no more would be worse)
                _log.error("decisions_interrupted", error=f"{type(error).__name__}: {error!s:.300}")
            if time.monotonic() - began > RETRY_SECONDS_MAX:
                backoff.reset()
            await asyncio.sleep(backoff.next_seconds())
            self.reconnections += 1

    async def _session(self) -> None:
        """One connection, until it is lost."""
        topics = [Topic.DECISIONS] if self._presence is None else [Topic.DECISIONS, Topic.ENFORCERS]
        with reaching(self._bootstrap):
            async with groupless_consumer(self._bootstrap, topics) as consumer:
                ends = await self._seek(consumer)
                while any([await consumer.position(partition) < end for partition, end in ends.items()]):
                    await self._fetch(consumer)
                self._arrived()
                await self._follow(consumer)

    async def _follow(self, consumer: AIOKafkaConsumer) -> None:
        probe_at = time.monotonic() + PROBE_SECONDS
        while True:
            await self._fetch(consumer)
            if time.monotonic() >= probe_at:
                ends = await self._ends(consumer)
                if self._is_shorter(ends):
                    return  # the topic was made anew: begin again
                probe_at = time.monotonic() + PROBE_SECONDS

    async def _ends(self, consumer: AIOKafkaConsumer) -> dict[TopicPartition, int]:
        partitions = [partition for partition in sorted(consumer.assignment()) if partition.topic == Topic.DECISIONS]
        ends = await asyncio.wait_for(consumer.end_offsets(partitions), PROBE_SECONDS_MAX)
        self._heard_at = time.monotonic()
        return dict(ends)

    async def _seek(self, consumer: AIOKafkaConsumer) -> dict[TopicPartition, int]:
        """Go on where it was left, or at the beginning with fresh orders when the topic no longer reaches so far. The end of each partition."""
        ends = await self._ends(consumer)
        begins = await consumer.beginning_offsets(list(ends))
        if self._target is not self.orders:
            self.places.forget()  # the last attempt to read everything broke off
        if self._is_shorter(ends):
            _log.warning("decisions_read_anew", reason="the topic is shorter than what was read of it")
            self.places.forget()
        self._target = self.orders if self.places.known else Orders()
        self.places.connect()
        for partition, begin in begins.items():
            consumer.seek(partition, self.places.begin(partition.partition, begin))
        if self._presence is not None:
            where = TopicPartition(Topic.ENFORCERS, 0)
            found = await consumer.offsets_for_times({where: wall_clock() - 2 * GONE_MS})
            consumer.seek(where, found[where].offset) if found[where] else await consumer.seek_to_end(where)
        return ends

    def _is_shorter(self, ends: dict[TopicPartition, int]) -> bool:
        return any(self.places.is_beyond(partition.partition, end) for partition, end in ends.items())

    def _arrived(self) -> None:
        if self._target is not self.orders:
            self.orders.replace_with(self._target)
            self._target = self.orders
        self._is_ready.set()

    async def _fetch(self, consumer: AIOKafkaConsumer) -> None:
        for partition, records in (await consumer.getmany(timeout_ms=FETCH_MS)).items():
            if partition.topic == Topic.ENFORCERS:
                self._hear(records)
                continue
            unread = self.places.unread(partition.partition, records)
            if unread is None:
                self.places.forget()
                raise ClusterMismatchError(f"{Topic.DECISIONS}-{partition.partition} was made anew; everything is read again")
            for record in unread:
                self._take(record.value)

    def _hear(self, records: list[ConsumerRecord]) -> None:
        assert self._presence is not None
        for record in records:
            self._presence.hear((record.key or b"")[:64].decode("utf-8", "replace"), record.timestamp, is_leaving=record.value is None)

    def _take(self, value: bytes | None) -> None:
        if value is None:
            return
        try:
            decision = _checked(decode_decision(value))
        except (msgspec.MsgspecError, RecursionError) as error:
            self.unreadable += 1
            _log.warning("decision_unreadable", error=str(error)[:200])
            return
        self._target.apply(decision)
        self._on_decision(decision)
        self.decisions_read += 1


def _checked(decision: Decision) -> Decision:
    """A decision that an order can hold: one that cannot be must not stop those behind it. Raises msgspec.ValidationError."""
    if decision.action not in WORDS:
        raise msgspec.ValidationError(f"action {decision.action[:20]!a}")
    if not (0 <= decision.issued_at <= TIME_MS_MAX and 0 <= decision.expires_at <= TIME_MS_MAX and 0 <= decision.part < PARTS_MAX):
        raise msgspec.ValidationError("a time or the part; it should be in range")
    return decision
