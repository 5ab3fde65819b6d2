"""What all fleets are made of: accounts with a past, cards, clients, lines, a balancer with weights, sessions and nights, a pool."""

import random
from collections.abc import Callable
from typing import Any, Final

from msgspec import Struct

from guard.simulation.attacks.cover import Cover, Ramp
from guard.simulation.cast import Entries, Role, Size, caller
from guard.simulation.client import Client, Speech
from guard.simulation.draws import around, hashed, opened_at
from guard.simulation.habits import Habit, pipeline_habit
from guard.simulation.market import Market, Network, Stack
from guard.simulation.pool import Pool
from guard.simulation.prompts import Lengths
from guard.simulation.rhythm import ALWAYS, Hours
from guard.units import DAY_MS, HOUR_MS

HARVEST: Final = Lengths(300, 0.7, 800, 0.7)
"""Short questions, worked answers; each campaign has its own lengths around these (OpenR1-like pipelines allow 16,384 tokens)."""
BEGINS_AT: Final = (0.25, 0.4)
"""A campaign begins between these shares of the world: what was before is its accounts' past."""
EXCHANGES_MIN: Final = 6.0
"""In a world too short for its rate a fleet is played faster, so that each member makes about so many exchanges."""
PAST_SHARE: Final = 0.6
"""Members that make ordinary traffic before: aged accounts have owners, or somebody to make a past for them (assumption)."""
LINE_USERS: Final = 2.0
"""Members for each residential line of the pool; a member uses one to three (assumption)."""
SHELL_SHARE: Final = 0.15
"""Members with an organisation: shell companies of a handful of accounts, as many as others have (assumption)."""


Harvests = Callable[[random.Random], Speech]
"""Makes one member's harvest."""


class Plan(Struct, frozen=True):
    """One campaign."""

    family: str
    name: str
    cards: int = 0
    """0: a card for each account."""
    reserve_share: float = 0.5
    """Accounts in reserve for each member; the disclosed standby pools were of equal size, which only some here have."""
    cover_share: float = 0.1
    """Exchanges that are anybody's: public prompts, harness prompts, chat."""
    stacks: int = 4
    tail_stack: bool = False
    """One stack that few others use, for nearly all members."""
    reasons: bool = True
    has_nights: bool = True
    pivots: bool = False
    """Half the exchanges to the new model within a day of its release."""


class Fleet:
    """The goods of one campaign in one world."""

    def __init__(self, market: Market, plan: Plan, size: Size) -> None:
        dice = market.dice
        self.market, self.plan, self.size = market, plan, size
        self.begins = market.start + int(dice.uniform(*BEGINS_AT) * market.span_ms)
        self.pool = Pool()
        self.pace = Ramp()
        left = market.end - self.begins
        self.gap_ms = min(DAY_MS / size.per_day, left / EXCHANGES_MIN)
        self.lengths = Lengths(
            around(dice, HARVEST.input_median, 0.5), dice.uniform(0.4, 0.9), around(dice, HARVEST.output_median, 0.3), 0.7
        )
        self.cards = [hashed(dice) for _ in range(plan.cards)]
        reserve = round(size.accounts * plan.reserve_share)
        self.total = size.accounts + reserve
        self.lines = market.roaming(max(2, round(self.total / LINE_USERS)))
        self.stacks = self._own_stacks()
        self.shells = [hashed(dice) for _ in range(max(1, round(self.total * SHELL_SHARE / 5)))]

    def _own_stacks(self) -> list[Stack]:
        dice, stacks = self.market.dice, self.market.stacks
        if self.plan.tail_stack:
            return [stacks[-1 - int(dice.random() * len(stacks) / 2)]]
        return [self.market.stack() for _ in range(self.plan.stacks)]

    def habit(self) -> Habit:
        """A member's constant parameters, from the same menu as any program's."""
        habit = pipeline_habit(self.market.dice, reasons=self.plan.reasons)
        return self.market.pivoting(habit, 0.9, 0.5) if self.plan.pivots else self.market.curious(habit)

    def identity(self, number: int) -> dict[str, Any]:
        """The `number`-th account: bought with a past, registered in batches, or ordinary."""
        dice, market = self.market.dice, self.market
        kind = dice.random()
        young = market.young_share
        days = dice.uniform(0.3, 13) if kind < young else dice.uniform(60, 900)
        is_ordinary = kind > young + (1 - young) * 0.6
        created = opened_at(dice, market.start) if is_ordinary else market.start - int(days * DAY_MS)
        card = self.cards[number % len(self.cards)] if self.cards else None
        org = dice.choice(self.shells) if dice.random() < SHELL_SHARE else None
        identity = market.identity(plan=dice.choice((1, 1, 2, 2, 3)), created=created, card=card, org=org)
        if dice.random() < 0.9:
            stack = dice.choice(self.stacks)
            identity |= {"client_fingerprint": stack.fingerprint, "user_agent": stack.agent}
        return identity

    def networks(self) -> tuple[Network, ...]:
        """One to three of the pool's lines, now and then a line that everybody uses or a rented machine."""
        dice = self.market.dice
        lines = tuple(dice.choice(self.lines) for _ in range(dice.choice((1, 1, 2, 3))))
        kind = dice.random()
        return (*lines, *self.market.home()) if kind < 0.25 else self.market.cloud() if kind < 0.35 else lines

    def member(self, number: int, harvest: Speech) -> tuple[int, Client]:
        """The `number`-th member and when it calls first; the last ones are the reserve, called when needed."""
        dice, market, plan = self.market.dice, self.market, self.plan
        is_reserve = number >= self.size.accounts
        begins = market.start if is_reserve else self.begins + int(dice.random() * min(0.1 * market.span_ms, 2 * HOUR_MS))
        has_past = not is_reserve and dice.random() < PAST_SHARE
        hours = Hours(dice.choice((-8, 0, 1, 7, 8, 8, 9)) * HOUR_MS, dice.uniform(0.02, 0.4), dice.choice((0.5, 1.0)))
        gap_ms = self.gap_ms * around(dice, 1.0, 0.6)
        cover = Cover(market, harvest, begins, self.pace, gap_ms, hours if market.has_nights and plan.has_nights else ALWAYS)
        cover.share = plan.cover_share * dice.uniform(0.7, 1.3) if plan.cover_share < 0.7 else plan.cover_share
        role = Role("fleet", plan.family, plan.name, self.begins)
        client = caller(market, role, self.identity(number), cover, cover.wait, self.networks(), reaction=self.pool, is_serial=False)
        (self.pool.reserve if is_reserve else self.pool.members).append(client)
        at = market.start + int(dice.random() * (begins - market.start)) if has_past else begins + int(dice.random() * gap_ms)
        return at, client

    def entries(self, harvests: Harvests) -> Entries:
        """All members; those in reserve have no first call."""
        for number in range(self.total):
            at, client = self.member(number, harvests(self.market.dice))
            yield (at if number < self.size.accounts else -1), client
