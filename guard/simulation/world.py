"""The world: clients on one clock, a gateway in between, and the request events that it reports, in the order of time."""

import heapq
import random
from collections.abc import Iterator
from typing import Any, Protocol

from msgspec import Struct

from guard.decisions.decision import Action
from guard.events.request import RequestEvent
from guard.gateway.orders import PASS, Answer
from guard.simulation.client import Client, Truth

STATUS = {Action.ALLOW: 200, Action.THROTTLE: 429, Action.CHALLENGE: 403, Action.BLOCK: 403}


class Gateway(Protocol):
    """Whatever answers requests: the decisions' obedient servant, or nobody."""

    def answer(self, account: str, payment: str | None, organisation: str | None, at: int) -> Answer:
        """What becomes of a request at `at`. A throttle that lets this one pass is an answer of ALLOW."""


class OpenGateway:
    """A gateway that obeys nobody: open loop."""

    def answer(self, account: str, payment: str | None, organisation: str | None, at: int) -> Answer:
        """Everything passes."""
        del account, payment, organisation, at
        return PASS


class Exchange(Struct, frozen=True):
    """One event and the truth about its caller."""

    event: RequestEvent
    truth: Truth
    was_refused: bool


class World:
    """Plays clients from `start` until `end` (epoch milliseconds). Bounded by its clients: one entry each in the queue."""

    def __init__(self, clients: list[tuple[float, Client]], missing: dict[str, frozenset[str]], start: int, end: int, seed: int) -> None:
        self._start, self._end = start, end
        self._dice = random.Random(f"{seed}:world")
        self._missing = missing
        self._queue: list[tuple[int, int, Client]] = []
        self._turns = 0
        self._events = 0
        self._session = f"{seed:x}"
        for delay_ms, client in clients:
            self._schedule(client, start + delay_ms)

    def _schedule(self, client: Client, at: float) -> None:
        self._turns += 1
        if at < self._end:
            heapq.heappush(self._queue, (int(at), self._turns, client))

    def play(self, gateway: Gateway) -> Iterator[Exchange]:
        """Every exchange in the order of time; `gateway` is asked about each before it happens."""
        while self._queue:
            at, _, client = heapq.heappop(self._queue)
            if client.is_retired:
                continue
            identity = client.identity
            answer = gateway.answer(client.account, identity.get("payment_fingerprint"), identity.get("org_id"), at)
            yield Exchange(self._event(client, answer, at), client.truth, answer.action is not Action.ALLOW)
            self._move_on(client, answer, at)

    def _move_on(self, client: Client, answer: Answer, at: int) -> None:
        delay_ms: float | None
        if answer.action is Action.ALLOW:
            delay_ms = client.after_answer(self._dice)
        elif answer.action is Action.THROTTLE:
            delay_ms = client.after_throttle(self._dice)
        else:
            delay_ms = client.after_block(self._dice)
        if delay_ms is not None:
            self._schedule(client, at + delay_ms)
        if client.pool is not None:
            for sibling in client.pool.called:
                self._schedule(sibling, at + self._dice.uniform(500, 4_000))
            client.pool.called.clear()

    def _event(self, client: Client, answer: Answer, at: int) -> RequestEvent:
        dice = self._dice
        self._events += 1
        fields: dict[str, Any] = {**client.identity, **client.ask(dice)}
        if client.networks:
            network = dice.choice(client.networks)
            fields["ip_prefix"] = network
            fields["ip"] = f"{network}-{dice.randrange(40)}"
        fields["latency_ms"] = 200 + 12 * fields["output_tokens"]
        if answer.action is not Action.ALLOW:
            fields |= {"status": STATUS[answer.action], "decision_id": answer.decision_id, "input_tokens": 0, "output_tokens": 0}
            fields |= {"cached_tokens": 0, "reasoning_tokens": 0, "conversation_after": None}
        for name in self._missing.get(client.account, ()):
            fields.pop(name, None)
        return RequestEvent(event_id=f"{self._session}-{self._events:08x}", event_time=at, account_id=client.account, **fields)
