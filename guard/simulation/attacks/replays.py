"""A13 and A14: other people's conversations: recorded ones replayed under many accounts, live ones handed around between them."""

import random
from typing import Any, Final

from msgspec import Struct

from guard.simulation.attacks.campaign import Fleet, Plan
from guard.simulation.cast import Entries, Size
from guard.simulation.desk import Desk
from guard.simulation.draws import hashed
from guard.simulation.habits import agent_habit
from guard.simulation.honest.agents import LENGTHS
from guard.simulation.market import Harness, Market
from guard.simulation.prompts import EXPLAINED, Free, interests, template
from guard.simulation.talk import Past, Style, Talk

RECORDED_MAX: Final = 400
"""Conversations in the vault; each new one pushes an old one out."""
REPLAYED_SHARE: Final = 0.3
TURNS: Final = 12.0
STICKY_SHARE: Final = 0.3
"""Relays that keep a conversation on its account for a while; most of a balancer's turns move on."""


class Vault(Struct):
    """Conversations that were recorded, with the reasoning signatures in them."""

    pasts: list[Past] = []

    def keep(self, past: Past, dice: random.Random) -> None:
        """Record one."""
        if len(self.pasts) < RECORDED_MAX:
            self.pasts.append(past)
        else:
            self.pasts[dice.randrange(RECORDED_MAX)] = past


class Replayed:
    """A member's harvest: own conversations, recorded as they go, and recorded ones taken up again where they stood."""

    def __init__(self, own: Talk, vault: Vault) -> None:
        self._own, self._vault = own, vault
        self._taken = Talk(own.source, own.style, own.habit)

    @property
    def is_over(self) -> bool:
        """The last turn was the last of its conversation."""
        return self._own.is_over

    def dropped(self) -> None:
        """The last request was given up."""
        self._own.dropped()

    def ask(self, dice: random.Random, at: int, account: str) -> dict[str, Any]:
        """A turn of one's own, or a recorded conversation with its signature, under this account."""
        if self._vault.pasts and dice.random() < REPLAYED_SHARE:
            return self._taken.resumed(dice.choice(self._vault.pasts), dice, at, account)
        fields = self._own.ask(dice, at, account)
        self._vault.keep(self._own.past, dice)
        return fields


def replaying(market: Market, size: Size) -> Entries:
    """A13: signatures and conversations replayed under other accounts (Xiaomi's stored conversations: 13 a day and account)."""
    dice = market.dice
    fleet = Fleet(market, Plan("A13", "replaying fleet", cover_share=0.3), size)
    asks, vault = template(dice, 6, elicitation=EXPLAINED, free_share=0.6), Vault()

    def made(dice: random.Random) -> Replayed:
        own = Talk(asks, Style(fleet.lengths, 2.0, dice.choice((0, 0, 4))), fleet.habit())
        return Replayed(own, vault)

    return fleet.entries(made)


class Relayed(Struct, frozen=True):
    """Opens end users' conversations behind one of a relay's favourite harnesses."""

    favourites: list[Harness]

    def __call__(self, dice: random.Random) -> Talk:
        """One more end user's."""
        harness = dice.choice(self.favourites)
        style = Style(LENGTHS, TURNS * dice.uniform(0.3, 1.5), harness.tools, 0.85, harness.prefix_tokens)
        asks = Free(harness.prefix if dice.random() < 0.85 else hashed(dice), interests(dice, 3))
        return Talk(asks, style, agent_habit(dice))


def relaying(market: Market, size: Size) -> Entries:
    """A14: end users' harness conversations, relayed turn by turn over whichever account is free: caches stay cold."""
    dice = market.dice
    fleet = Fleet(market, Plan("A14", "relay", cover_share=0.1, stacks=6), size)
    favourites = [market.harness(dice) for _ in range(3)]
    desk = Desk(Relayed(favourites), max(4, size.accounts), STICKY_SHARE)
    fleet.stacks = [harness.stack for harness in favourites] + fleet.stacks[:2]
    return fleet.entries(lambda _: desk)
