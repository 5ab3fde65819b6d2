"""Pools: what callers with siblings do about refusals. Fleets hand over, replace and change; an enterprise fails over between its keys."""

import random
from collections.abc import Callable
from typing import Any, Final

from msgspec import Struct

from guard.simulation.client import SDK, Client, Extra, Refusal, Retry
from guard.units import MINUTE_MS, SECOND_MS

STANDBY_AT_SHARE: Final = 0.3
"""A pool whose members are blocked to this share is given up for the standby pool at once (disclosed: first pool banned, second used)."""
BACK_OFFS_MAX: Final = 6
"""A member that is refused again and again pauses twice as long each time, up to this many doublings of a minute."""


class Failover(Struct):
    """Honest: a refused request goes to another of the house's own keys; nobody is replaced."""

    members: list[Client] = []

    def refused(self, client: Client, refusal: Refusal, fields: dict[str, Any], dice: random.Random) -> tuple[Retry, tuple[Extra, ...]]:
        """Retry as the SDKs do, and after the first failure let a colleague's key take the request over."""
        retry, _ = SDK.refused(client, refusal, fields, dice)
        others = _others(self.members, client, dice)
        if others is None or refusal.tries > 0:
            return retry, ()
        taken = Retry(client.wait(dice, refusal.at, client.speech.is_over) + 30 * SECOND_MS)
        return taken, (Extra(others, dice.uniform(0.5, 4.0) * SECOND_MS, fields),)


class Pool(Struct, eq=False):
    """A fleet: hands refused requests to siblings within seconds, backs off, replaces what is blocked, moves to its standby pool."""

    members: list[Client] = []
    reserve: list[Client] = []
    replace_after_ms: tuple[float, float] = (0.2 * MINUTE_MS, 8.0 * MINUTE_MS)
    """A replacement begins between these two after the block; disclosed pools took under an hour."""
    moves_at_share: float = 2.0
    """Share of blocked members at which the whole pool moves; more than 1: never, it is replaced one by one."""
    adapt: Callable[["Pool", Client, random.Random], None] | None = None
    """What an attacker that watches refusals changes after every few of them."""
    adapt_every: int = 5
    refusals: int = 0
    blocked: int = 0
    strikes: dict[str, int] = {}
    """Refusals in a row by account: at most one entry a member."""

    def refused(self, client: Client, refusal: Refusal, fields: dict[str, Any], dice: random.Random) -> tuple[Retry, tuple[Extra, ...]]:
        """Whatever keeps the answers coming."""
        if refusal.status >= 500:
            return SDK.refused(client, refusal, fields, dice)
        self.refusals += 1
        if self.adapt is not None and self.refusals % self.adapt_every == 0:
            self.adapt(self, client, dice)
        extras = self._handed_over(client, fields, dice)
        if refusal.is_final:
            client.is_retired = True
            self.blocked += 1
            return Retry(None), (*extras, *self._replaced(dice))
        strikes = self.strikes[client.account] = min(BACK_OFFS_MAX, self.strikes.get(client.account, 0) + 1)
        return Retry(dice.uniform(0.5, 1.0) * 2**strikes * MINUTE_MS), extras

    def _handed_over(self, client: Client, fields: dict[str, Any], dice: random.Random) -> tuple[Extra, ...]:
        sibling = _others(self.members, client, dice)
        return () if sibling is None else (Extra(sibling, dice.uniform(0.5, 5.0) * SECOND_MS, fields),)

    def _replaced(self, dice: random.Random) -> tuple[Extra, ...]:
        if self.reserve and self.blocked >= self.moves_at_share * len(self.members):
            return self._moved(dice)
        if not self.reserve:
            return ()
        fresh = self.reserve.pop(0)
        self.members.append(fresh)
        return (Extra(fresh, dice.uniform(*self.replace_after_ms)),)

    def _moved(self, dice: random.Random) -> tuple[Extra, ...]:
        """The standby pool takes over whole; what is left of the first one falls silent."""
        fresh, self.reserve = self.reserve, []
        for member in self.members:
            member.is_retired = True
        self.members, self.blocked = fresh, 0
        return tuple(Extra(member, dice.uniform(0.3, 6.0) * MINUTE_MS) for member in fresh)


def _others(members: list[Client], client: Client, dice: random.Random) -> Client | None:
    """One of the other members that still call, or None; a few tries are enough."""
    for _ in range(8):
        other = members[int(dice.random() * len(members))] if members else client
        if other is not client and not other.is_retired:
            return other
    return None
