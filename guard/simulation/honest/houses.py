"""N3, N5, N11: houses with many seats: a support application, a declared reseller, an enterprise that fails over between its keys."""

import random
from typing import Final

from msgspec import Struct

from guard.simulation.cast import Entries, Role, Size, caller
from guard.simulation.desk import Alike, Desk
from guard.simulation.draws import around, hashed
from guard.simulation.habits import agent_habit, chat_habit
from guard.simulation.honest.agents import LENGTHS
from guard.simulation.honest.people import PAUSE_S, SHORT_PAUSE_S, person
from guard.simulation.honest.teams import keyed
from guard.simulation.market import Market
from guard.simulation.pool import Failover
from guard.simulation.prompts import Free, Lengths, Source, interests, template
from guard.simulation.rhythm import ALWAYS, Hours, Steady
from guard.simulation.talk import Style, Talk, chat_style
from guard.units import DAY_MS, HOUR_MS

SEAT_PAUSE: Final = 0.8
"""Of a person's usual pause: seats are used at work."""


def support(market: Market, size: Size) -> Entries:
    """N3: a support application: one template, huge volume from a few keys, driven by its customers' day."""
    dice = market.dice
    org, card, networks, stack = hashed(dice), hashed(dice), market.cloud(), market.stack()
    asks, habit = template(dice, 5, free_share=0.6), chat_habit(dice)
    desk = Desk(Alike(asks, Style(Lengths(500, 0.6, 120, 0.7), 3.0), habit), 60, 0.7)
    for _ in range(size.accounts):
        identity = market.identity(plan=3, created=market.start - int(dice.uniform(30, 600) * DAY_MS), card=card, org=org)
        identity |= {"client_fingerprint": stack.fingerprint, "user_agent": stack.agent}
        wait = Steady(DAY_MS / size.per_day, hours=Hours(HOUR_MS, 0.3, 0.8) if market.has_nights else ALWAYS)
        yield (
            market.start + int(dice.random() * 60_000),
            caller(market, Role("support key", "N3"), identity, desk, wait, networks, is_serial=False),
        )


class Resold(Struct, frozen=True):
    """Opens the conversations of a reseller's customers: harnesses, public prompts, chat."""

    market: Market

    def __call__(self, dice: random.Random) -> Talk:
        """One more customer's."""
        market = self.market
        if dice.random() < 0.4:
            harness = market.harness(dice)
            style = Style(LENGTHS, 15.0, harness.tools, 0.8, harness.prefix_tokens)
            return Talk(Free(harness.prefix, interests(dice, 2)), style, agent_habit(dice))
        asks: Source = market.public_prompt(dice) if dice.random() < 0.5 else Free(None, interests(dice, 3))
        return Talk(asks, chat_style(dice), chat_habit(dice))


def reseller(market: Market, size: Size) -> Entries:
    """N5: a declared reseller: one organisation, one card, hundreds of keys, its customers' conversations on whichever is free."""
    dice = market.dice
    org, card, networks, stack = hashed(dice), hashed(dice), market.cloud(), market.stack()
    desk = Desk(Resold(market), size.accounts * 2, 0.6)
    gap_ms = DAY_MS / size.per_day
    for _ in range(size.accounts):
        identity = market.identity(plan=dice.choice((2, 3)), created=market.start - int(dice.uniform(2, 300) * DAY_MS), card=card, org=org)
        identity |= {"client_fingerprint": stack.fingerprint, "user_agent": stack.agent}
        yield keyed(market, Role("reseller key", "N5"), identity, desk, gap_ms, networks)


def enterprise(market: Market, size: Size) -> Entries:
    """N11: an enterprise: one card, one organisation, one NAT address, old and new seats at people's pace; refused requests fail over."""
    dice = market.dice
    card, org, assistant = hashed(dice), hashed(dice), hashed(dice)
    nat, failover = market.roaming(1), Failover()
    usual = PAUSE_S if market.has_nights else SHORT_PAUSE_S
    for _ in range(size.accounts):
        identity = market.identity(plan=4, card=card, org=org)
        asks = Free(assistant if dice.random() < 0.8 else None, interests(dice, 4))
        at, client = person(
            market, Role("enterprise seat", "N11"), identity, asks, nat, pause_s=usual * SEAT_PAUSE * around(dice, 1.0, 0.3)
        )
        client.reaction = failover
        failover.members.append(client)
        yield at, client
