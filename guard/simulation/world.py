"""The world: clients on one clock, a gateway in between, and the request events that it reports, in the order in which they ended."""

import heapq
import random
from collections.abc import Iterable, Iterator
from typing import Any, Final, Protocol

from msgspec import Struct

from guard.decisions.decision import Action
from guard.events.request import RequestEvent
from guard.gateway.orders import PASS, Answer
from guard.simulation.client import Client, Refusal, Truth
from guard.units import MINUTE_MS

STATUS: Final = {Action.ALLOW: 200, Action.THROTTLE: 429, Action.CHALLENGE: 403, Action.BLOCK: 403}
PLAN_LIMIT_STATUS: Final = 429
OUTAGE_STATUS: Final = 503
LATENCY_MS_MAX: Final = 5 * MINUTE_MS
CONCURRENCY_MAX: Final = 500
"""Requests of one program in flight; the pipelines' own code goes up to 1,000."""
HAND_OVERS_MAX: Final = 3
"""A refused request is handed on at most so often, so that no request breeds others."""


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
    """One event and the truth about its caller. `was_refused`: under a decision; a plan's own limit is none."""

    event: RequestEvent
    truth: Truth
    was_refused: bool

    @property
    def was_answered(self) -> bool:
        """The model was reached."""
        return self.event.status < 400


class Outage(Struct, frozen=True):
    """A spell in which the service fails `share` of all requests."""

    start: int
    end: int
    share: float


class _Call(Struct):
    client: Client
    fields: dict[str, Any] | None = None
    """A request sent again or taken over; None: a new one."""
    tries: int = 0
    hand_overs: int = 0
    is_extra: bool = False
    """Out of turn: its client has its own next call in the queue already."""


class World:
    """Plays clients from `start` until `end` (epoch milliseconds).

    `entries` are (first call, client) in the order of time, taken as they fall due, so that a crowd need not exist at once. Bounded:
    one entry in the queue for each client that has begun, at most one more for each refusal under way, and the answers in flight.
    """

    def __init__(self, entries: Iterable[tuple[int, Client]], start: int, end: int, seed: int, outages: tuple[Outage, ...] = ()) -> None:
        self._entries = iter(entries)
        self._upcoming = next(self._entries, None)
        self._start, self._end = start, end
        self._dice = random.Random(f"{seed}:world")
        self._outages = outages
        self._queue: list[tuple[int, int, _Call]] = []
        self._ended: list[tuple[int, int, Exchange]] = []
        self._turns = 0
        self._events = 0
        self._session = f"{seed:x}"
        self.in_queue_max = 0

    def _push(self, at: float, call: _Call) -> None:
        self._turns += 1
        if at < self._end:
            heapq.heappush(self._queue, (int(at), self._turns, call))

    def play(self, gateway: Gateway) -> Iterator[Exchange]:
        """Every exchange in the order in which it ended; `gateway` is asked about each when it begins.

        All that is to come is in the world itself: broken off between two exchanges it goes on when played again, a copy of it likewise.
        """
        while self._is_going_on():
            at = self._queue[0][0]
            yield from self._ended_by(at)
            _, _, call = heapq.heappop(self._queue)
            if not call.client.is_retired:
                self._exchange(call, at, gateway)
        yield from self._ended_by(self._end)

    def _is_going_on(self) -> bool:
        """Take in whoever calls first by now; whether anybody calls at all."""
        queue = self._queue
        while self._upcoming is not None and (not queue or self._upcoming[0] <= queue[0][0]):
            self._push(self._upcoming[0], _Call(self._upcoming[1]))
            self._upcoming = next(self._entries, None)
        self.in_queue_max = max(self.in_queue_max, len(queue) - 1)
        return bool(queue)

    def _ended_by(self, at: int) -> Iterator[Exchange]:
        while self._ended and self._ended[0][0] <= at:
            yield heapq.heappop(self._ended)[2]

    def _exchange(self, call: _Call, at: int, gateway: Gateway) -> None:
        client, dice = call.client, self._dice
        identity = client.identity
        fields = client.speech.ask(dice, at, client.account) if call.fields is None else call.fields
        answer = gateway.answer(client.account, identity.get("payment_fingerprint"), identity.get("org_id"), at)
        status = STATUS[answer.action]
        if status == 200:
            status = self._own_status(client, at)
        event = self._event(client, fields, answer, status, at)
        was_refused = status != 200 and answer.action is not Action.ALLOW
        heapq.heappush(self._ended, (event.event_time, self._events, Exchange(event, client.truth, was_refused)))
        if status == 200:
            self._answered(call, at, event.event_time)
        else:
            self._refused(call, fields, Refusal(status, event.event_time, call.tries, was_refused))

    def _own_status(self, client: Client, at: int) -> int:
        for outage in self._outages:
            if outage.start <= at < outage.end and self._dice.random() < outage.share:
                return OUTAGE_STATUS
        return 200 if client.is_within_limit(at) else PLAN_LIMIT_STATUS

    def _answered(self, call: _Call, at: int, ended: int) -> None:
        client = call.client
        if call.is_extra:
            return
        if client.calls_left > 0:
            client.calls_left -= 1
        if client.calls_left == 0:
            client.is_retired = True
            return
        if client.is_serial:
            self._push(ended + client.wait(self._dice, ended, client.speech.is_over), _Call(client))
        else:
            gap = max(client.wait(self._dice, at, client.speech.is_over), (ended - at) / CONCURRENCY_MAX)
            self._push(at + gap, _Call(client))

    def _refused(self, call: _Call, fields: dict[str, Any], refusal: Refusal) -> None:
        client = call.client
        retry, extras = client.reaction.refused(client, refusal, fields, self._dice)
        for extra in extras:
            if extra.fields is None:
                self._push(refusal.at + extra.after_ms, _Call(extra.client))
            elif call.hand_overs < HAND_OVERS_MAX:
                self._push(refusal.at + extra.after_ms, _Call(extra.client, extra.fields, 0, call.hand_overs + 1, is_extra=True))
        if call.is_extra or retry.after_ms is None:
            return
        if retry.is_same:
            self._push(refusal.at + retry.after_ms, _Call(client, fields, call.tries + 1))
        else:
            client.speech.dropped()
            self._push(refusal.at + retry.after_ms, _Call(client))

    def _event(self, client: Client, asked: dict[str, Any], answer: Answer, status: int, at: int) -> RequestEvent:
        dice = self._dice
        self._events += 1
        fields = {**client.identity, **asked}
        if client.networks:
            network = client.networks[int(dice.random() * len(client.networks))]
            fields["ip_prefix"], fields["asn"], fields["country"] = network.prefix, network.asn, network.country
            fields["ip"] = f"{network.prefix}-{(hash_of(client.account) + int(dice.random() * 3)) % network.hosts}"
        if status == 200:
            latency = min(LATENCY_MS_MAX, int((250 + 11 * fields["output_tokens"]) * (0.6 + 0.8 * dice.random())))
        else:
            latency = 3 + int(dice.expovariate(0.1)) if status != OUTAGE_STATUS else 200 + int(dice.expovariate(0.001))
            fields |= {"input_tokens": 0, "output_tokens": 0, "cached_tokens": 0, "conversation_after": None, "status": status}
            fields |= {"stop_reason": None, "refused": None}
            fields |= {"reasoning_tokens": 0} if "reasoning_tokens" in fields else {}
            if answer.action is not Action.ALLOW:
                fields["decision_id"] = answer.decision_id
        fields["latency_ms"] = latency
        for name in client.missing:
            fields.pop(name, None)
        return RequestEvent(event_id=f"{self._session}-{self._events:08x}", event_time=at + latency, account_id=client.account, **fields)


def hash_of(account: str) -> int:
    """A number that stays the account's own, whatever PYTHONHASHSEED."""
    return int(account[-6:], 16)
