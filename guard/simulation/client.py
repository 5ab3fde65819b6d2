"""One caller: who it is to the gateway, what it asks, when it asks again, and how it takes a refusal."""

import random
from typing import Any, Final, Protocol

from msgspec import Struct

from guard.simulation.market import Network
from guard.simulation.rhythm import Wait
from guard.units import MINUTE_MS, SECOND_MS

RETRIES_MAX: Final = 2
"""The big SDKs retry a 429 and a 5xx twice by default, and never a 403."""


class Truth(Struct, frozen=True, omit_defaults=True):
    """What is true of an account: its kind, the family of attack or hard negative it plays, its campaign."""

    account_id: str
    kind: str
    honest: bool
    family: str = ""
    campaign: str = ""
    begins_at: int = 0
    """When its campaign begins, milliseconds: answers before are the past of accounts that were bought or kept, no harvest."""


class Speech(Protocol):
    """Whatever makes the content of requests."""

    @property
    def is_over(self) -> bool:
        """The last turn was the last of its conversation."""

    def ask(self, dice: random.Random, at: int, account: str) -> dict[str, Any]:
        """The content fields of the next request."""

    def dropped(self) -> None:
        """The last request was given up."""


class Refusal(Struct, frozen=True):
    """What a caller sees of a request that was not answered; `by_guard` tells the world, not the caller, whose refusal it was."""

    status: int
    at: int
    tries: int
    """How often this request was sent before."""
    by_guard: bool = False

    @property
    def is_final(self) -> bool:
        """A 403: trying again is of no use."""
        return self.status == 403


class Retry(Struct, frozen=True):
    """Call again in `after_ms`; with the same request, or with a new one. The account calls no more when `after_ms` is None."""

    after_ms: float | None
    is_same: bool = False


class Extra(Struct, frozen=True):
    """A call out of turn: a sibling that takes a refused request over, or a reserve that begins."""

    client: "Client"
    after_ms: float
    fields: dict[str, Any] | None = None
    """The request taken over; None: the client begins its own work."""


class Reaction(Protocol):
    """How a caller takes a refusal."""

    def refused(self, client: "Client", refusal: Refusal, fields: dict[str, Any], dice: random.Random) -> tuple[Retry, tuple[Extra, ...]]:
        """What it does next, and whom it calls for help."""


class Sdk:
    """Honest default: two retries with exponential back-off, then on with the work; after a 403 a pause."""

    def refused(self, client: "Client", refusal: Refusal, fields: dict[str, Any], dice: random.Random) -> tuple[Retry, tuple[Extra, ...]]:
        """Retry twice, then drop the request."""
        del fields
        if refusal.is_final:
            return Retry(dice.uniform(5.0, 40.0) * MINUTE_MS), ()
        if refusal.tries < RETRIES_MAX:
            return Retry(back_off_ms(refusal.tries, dice), is_same=True), ()
        return Retry(client.wait(dice, refusal.at, True) + dice.uniform(0.3, 2.0) * MINUTE_MS), ()


def back_off_ms(tries: int, dice: random.Random) -> float:
    """Half a second doubled at each try, at most 8 s, less up to a quarter (the SDKs' default); rarely a longer Retry-After."""
    after = 20.0 if dice.random() < 0.2 else min(0.5 * 2.0**tries, 8.0)
    return after * SECOND_MS * dice.uniform(0.75, 1.0)


SDK: Final = Sdk()


class Client(Struct, eq=False):
    """One account as it calls. `identity` are the fields that every one of its events carries."""

    truth: Truth
    identity: dict[str, Any]
    speech: Speech
    wait: Wait
    networks: tuple[Network, ...] = ()
    reaction: Reaction = SDK
    missing: frozenset[str] = frozenset()
    is_serial: bool = True
    """Waits for an answer before it thinks of the next request; programs do not."""
    calls_left: int = -1
    """Exchanges until it stays away for good; -1: never."""
    is_retired: bool = False
    minute: int = 0
    minute_calls: int = 0
    """Requests let through in that minute: what the plan's limit counts."""

    @property
    def account(self) -> str:
        """Its account id."""
        return self.truth.account_id

    def is_within_limit(self, at: int) -> bool:
        """Whether the plan lets one more request through at `at`; counts it."""
        minute = at // MINUTE_MS
        if minute != self.minute:
            self.minute, self.minute_calls = minute, 0
        limit = self.identity["rate_limit_rpm"]
        if self.minute_calls >= limit:
            return False
        self.minute_calls += 1
        return True
