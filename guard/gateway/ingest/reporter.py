"""Reports exchanges from within a gateway: read into events beside the requests, texts dropped, events handed on until somebody takes them.

Nothing here makes a request wait. What finds no room is counted as lost.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from random import Random
from typing import Final

import structlog

from guard.errors import DecodeError
from guard.events.clean import CleanEvent
from guard.events.decode import UNKNOWN_MODEL
from guard.events.told import CHARS_A_TOKEN
from guard.gateway.ingest.reading import Reading

HELD_BYTES_MAX: Final = 64 << 20
"""Texts of exchanges that have not been read yet."""
EVENTS_MAX: Final = 20_000
"""Exchanges and events that nobody has taken yet, about 20 MB without their texts."""
AT_ONCE: Final = 500
RETRY_SECONDS: Final = (0.5, 2.0)
FAREWELL_SECONDS: Final = 5.0
"""How long `stop` waits for what was reported last."""
_log = structlog.get_logger(__name__)


class NotTakenError(Exception):
    """The events may be handed on again, and were not taken now."""


Deliver = Callable[[list[CleanEvent]], Awaitable[None]]
"""Returns once the events are safe. Raises NotTakenError."""


class Exchange:
    """One exchange as a gateway saw it: what it knows, and the request and the reply as bytes or objects. Its repr shows nothing."""

    __slots__ = ("known", "read", "size_bytes")

    def __init__(self, known: dict[str, object], read: Callable[[], tuple[object, object]], size_bytes: int) -> None:
        self.known = known
        self.read = read
        """Request and reply, parsed."""
        self.size_bytes = size_bytes

    def without_texts(self) -> "Exchange":
        """What is left when there is no room: its tokens are guessed from its bytes. Nobody escapes judgement by sending much."""
        guess = {"model": UNKNOWN_MODEL, "input_tokens": self.size_bytes // CHARS_A_TOKEN, "output_tokens": 0}
        return Exchange(guess | self.known, lambda: (None, None), 0)


class Reporter:
    """Runs within an event loop. `report` may be called before `start`."""

    def __init__(self, reading: Reading, deliver: Deliver) -> None:
        self._reading = reading
        self._deliver = deliver
        self._dice = Random()
        self._exchanges: deque[Exchange] = deque()
        self._held_bytes = 0
        self._events: list[CleanEvent] = []
        self._came, self._idle = asyncio.Event(), asyncio.Event()
        self._idle.set()
        self._task: asyncio.Task[None] | None = None
        self._reader = ThreadPoolExecutor(1, "reporting")
        self.delivered = 0
        self.refused = 0
        """Exchanges that make no event, such as those without an account."""
        self.textless = 0
        """Exchanges reported without their content, since too many texts were waiting to be read."""
        self.lost = 0
        """Exchanges for which there was no room, or no time at the end."""

    @property
    def waiting(self) -> int:
        """Exchanges and events that nobody has taken yet."""
        return len(self._exchanges) + len(self._events)

    def report(self, exchange: Exchange) -> None:
        """Take note of an exchange; returns at once."""
        if self.waiting >= EVENTS_MAX:
            self.lost += 1
            return
        if self._held_bytes + exchange.size_bytes > HELD_BYTES_MAX:
            exchange = exchange.without_texts()
            self.textless += 1
        self._exchanges.append(exchange)
        self._held_bytes += exchange.size_bytes
        self._idle.clear()
        self._came.set()

    def start(self) -> None:
        """Begin; returns at once. A second time does nothing."""
        if self._task is None:
            self._task = asyncio.create_task(self._work())

    async def stop(self) -> None:
        """Hand on what is there, for `FAREWELL_SECONDS` at most; the rest is lost, and counted."""
        if self._task is not None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._idle.wait(), FAREWELL_SECONDS)
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        self.lost += self.waiting
        self._exchanges.clear()
        self._events.clear()
        self._reader.shutdown(wait=False)

    async def _work(self) -> None:
        while True:
            await self._came.wait()
            self._came.clear()
            while self.waiting:
                await self._read_some()
                await self._hand_on()
            self._idle.set()

    async def _read_some(self) -> None:
        """Texts go as soon as they can, also while nobody takes events."""
        while self._exchanges and len(self._events) < EVENTS_MAX:
            exchange = self._exchanges[0]
            event = await asyncio.get_running_loop().run_in_executor(self._reader, self._event, exchange)
            self._exchanges.popleft()
            self._held_bytes -= exchange.size_bytes
            if event is None:
                self.refused += 1
            else:
                self._events.append(event)
            if len(self._events) == AT_ONCE:
                return

    def _event(self, exchange: Exchange) -> CleanEvent | None:
        try:
            request, reply = exchange.read()
            return self._reading.exchange(exchange.known | {"request": request, "reply": reply})
        except DecodeError as error:
            _log.warning("exchange_not_reported", reason=str(error))
        except Exception as error:  # noqa: BLE001 (its text may hold what was said: only its name is told)
            _log.error("exchange_not_reported", reason=type(error).__name__)
        return None

    async def _hand_on(self) -> None:
        if not self._events:
            return
        lot = self._events[:AT_ONCE]
        try:
            await self._deliver(lot)
        except NotTakenError:
            await asyncio.sleep(self._dice.uniform(*RETRY_SECONDS))
        except Exception as error:  # noqa: BLE001 (whatever it is, the next lot must have its turn)
            _log.error("events_not_taken", reason=type(error).__name__)
            await asyncio.sleep(self._dice.uniform(*RETRY_SECONDS))
        else:
            del self._events[: len(lot)]
            self.delivered += len(lot)
