"""A crowd of a million: accounts made one by one when they fall due, each for a handful of exchanges, and then forgotten."""

import random
from collections.abc import Iterator
from typing import Final

from guard.simulation.cast import Entry, Role
from guard.simulation.client import Truth
from guard.simulation.draws import around
from guard.simulation.honest.agents import agent_talk
from guard.simulation.honest.people import person, source
from guard.simulation.market import Market

AGENTS_SHARE: Final = 0.06
KIND: Final = "person"


class Mass:
    """`accounts` people over the world's span, `exchanges` each in the mean. Memory: one truth each, a client only while it calls."""

    def __init__(self, market: Market, seed: int, accounts: int, exchanges: float) -> None:
        self._market = market
        self._accounts, self._exchanges = accounts, exchanges
        dice = random.Random(f"{seed}:mass")
        self._ids = [f"acct-{dice.getrandbits(48):012x}" for _ in range(accounts)]
        self._dice = random.Random(f"{seed}:visits")
        self._made = 0

    def truths(self) -> Iterator[Truth]:
        """Everybody's truth."""
        return (Truth(account, KIND, honest=True) for account in self._ids)

    def __iter__(self) -> "Mass":
        return self

    def __next__(self) -> Entry:
        """The next one in the order of the first call, evenly over the span."""
        number, market, dice = self._made, self._market, self._dice
        if number == self._accounts:
            raise StopIteration
        self._made += 1
        market.dice = dice
        identity = market.identity()
        _, client = person(market, Role(KIND), identity, source(market), market.home())
        if dice.random() < AGENTS_SHARE:
            client.speech = agent_talk(market, market.harness(dice))
        client.truth = Truth(self._ids[number], KIND, honest=True)
        client.calls_left = max(1, round(around(dice, self._exchanges * 0.5, 1.18)))
        return market.start + int(number * (market.span_ms / self._accounts)), client
