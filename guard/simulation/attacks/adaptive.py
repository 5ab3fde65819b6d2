"""A12 and A15: fleets that work on the guard itself: one drifts slowly and appeals, one watches refusals and changes what it shares."""

import random
from typing import Final

from guard.simulation.attacks.campaign import Fleet, Plan
from guard.simulation.attacks.cover import Cover, Ramp
from guard.simulation.cast import Entries, Size
from guard.simulation.client import Client, Speech
from guard.simulation.draws import hashed
from guard.simulation.market import Market
from guard.simulation.pool import Pool
from guard.simulation.prompts import EXPLAINED, Template, template
from guard.simulation.talk import Style, Talk

FIRST_SHARE: Final = 0.05
"""A12 begins at a twentieth of its rate, and with as small a share of harvest."""
SLOWER: Final = 0.8
"""A15: rate kept after each change."""
SLOWEST: Final = 0.2
RECARDED_SHARE: Final = 0.3
"""Members that get another card at each change."""
WATCHED: Final = 4
"""Refusals between two changes."""


def ramping(market: Market, size: Size) -> Entries:
    """A12: fourteen days, or as long as the world is, from a trickle to the full rate; meanwhile false appeals (see `labels`)."""
    fleet = Fleet(market, Plan("A12", "slow ramp", cover_share=0.1), size)
    fleet.begins = market.start + market.span_ms // 20
    lasts = int(0.8 * (market.end - fleet.begins))
    fleet.pace.first, fleet.pace.begins, fleet.pace.lasts_ms = FIRST_SHARE, fleet.begins, lasts
    asks = template(market.dice, 4, elicitation=EXPLAINED, free_share=0.2)
    fades = Ramp(first=FIRST_SHARE, begins=fleet.begins, lasts_ms=lasts)
    for at, client in fleet.entries(lambda _: Talk(asks, Style(fleet.lengths), fleet.habit())):
        if isinstance(client.speech, Cover):
            client.speech.fades = fades
        yield at, client


class Oracle:
    """What a fleet changes when it sees refusals: template for all, cards for some, the rate for all."""

    def __init__(self, fleet: Fleet, talks: list[Talk]) -> None:
        self._fleet, self._talks = fleet, talks
        self.changes = 0

    def __call__(self, pool: Pool, client: Client, dice: random.Random) -> None:
        """One change."""
        del client
        self.changes += 1
        asks = reworded(dice)
        for talk in self._talks:
            talk.source = asks
        for member in pool.members:
            if dice.random() < RECARDED_SHARE:
                member.identity["payment_fingerprint"] = hashed(dice)
        self._fleet.pace.factor = max(SLOWEST, self._fleet.pace.factor * SLOWER)


def reworded(dice: random.Random) -> Template:
    """Another template of the oracle's."""
    return template(dice, 5, elicitation=EXPLAINED, free_share=0.2)


def guided(market: Market, size: Size) -> Entries:
    """A15: guided by refusals: after every few of them template, cards and rates change."""
    fleet = Fleet(market, Plan("A15", "oracle-guided hydra", reserve_share=0.5), size)
    asks, talks = reworded(market.dice), list[Talk]()

    def made(dice: random.Random) -> Speech:
        talks.append(Talk(asks, Style(fleet.lengths, dice.choice((0.0, 1.0))), fleet.habit()))
        return talks[-1]

    fleet.pool.adapt, fleet.pool.adapt_every = Oracle(fleet, talks), WATCHED
    return fleet.entries(made)
