"""The attacks: A1 naive burst, A3 hydra on shared cards, A4 hydra on distinct cards, A10 reasoning elicitation.

What a fleet shares follows the disclosures (payment, template, balancer); how much is assumption: account ages from hours to
years (bought accounts), weights of the balancer within 30 %, residential networks of their own, clients of the market.
"""

import random
from collections.abc import Callable, Iterator
from typing import Any, Final

from msgspec import Struct

from guard.simulation.client import Client, Pool, Truth
from guard.simulation.market import Market
from guard.simulation.prompts import Lengths, Template, hashed, template
from guard.units import DAY_MS, SECOND_MS

HARVEST: Final = Lengths(260, 0.5, 900, 0.6)
"""Short questions, long answers: OpenR1-like pipelines ask for up to 16,384 tokens."""
OLD_SHARE: Final = 0.25
"""Bought accounts with a past (assumption)."""
RESERVE_SHARE: Final = 0.3
"""A standby pool for blocked accounts; the disclosed ones were of equal size, which a demonstration need not be."""


class Plan(Struct, frozen=True):
    """One campaign."""

    family: str
    name: str
    accounts: int
    cards: int
    """0: a card for each account."""
    gap_s: float
    """Mean gap between two exchanges of one member."""
    elicitation: tuple[float, float] = (1.2, 12.0)
    honest_share: float = 0.1
    """Exchanges that look like anybody's."""


def fleet(market: Market, dice: random.Random, plan: Plan) -> Iterator[Client]:
    """The members of one campaign, and its reserve; all in one pool."""
    harvest = template(dice, shapes=4, elicitation=plan.elicitation, wobble_bits=2)
    cards = [hashed(dice) for _ in range(plan.cards)]
    stacks = dice.sample(market.clients, 3)
    pool = Pool()
    reserve = round(plan.accounts * RESERVE_SHARE)
    for number in range(plan.accounts + reserve):
        days = dice.uniform(60, 900) if dice.random() < OLD_SHARE else dice.uniform(0.3, 13)
        identity = market.identity(plan=1, created=market.start - int(days * DAY_MS), card=cards[number % len(cards)] if cards else None)
        identity["client_fingerprint"] = dice.choice(stacks)
        gap_ms = plan.gap_s * SECOND_MS * dice.uniform(0.85, 1.15)
        truth = Truth(market.account_id(), "fleet", honest=False, family=plan.family, campaign=plan.name)
        client = Client(truth, identity, _ask(market, harvest, plan.honest_share), _wait(gap_ms), market.home_networks(1), pool)
        (pool.members if number < plan.accounts else pool.reserve).append(client)
        if number < plan.accounts:
            yield client


def burst(market: Market, dice: random.Random, gap_s: float) -> Iterator[Client]:
    """A1: one young account, as fast as it gets."""
    harvest = template(dice, shapes=3)
    identity = market.identity(plan=2, created=market.start - int(dice.uniform(0.1, 2) * DAY_MS))
    truth = Truth(market.account_id(), "burst", honest=False, family="A1", campaign="burst")
    yield Client(truth, identity, _ask(market, harvest, 0.0), _wait(gap_s * SECOND_MS), market.home_networks(1))


def _wait(gap_ms: float) -> Callable[[random.Random], float]:
    return lambda dice: dice.expovariate(1.0 / gap_ms)


def _ask(market: Market, harvest: Template, honest_share: float) -> Callable[[random.Random], dict[str, Any]]:
    def ask(dice: random.Random) -> dict[str, Any]:
        used = market.public_prompt(dice) if dice.random() < honest_share else harvest
        given, output = HARVEST.draw(dice)
        return {
            **used.fields(dice),
            "messages": 2,
            "temperature": 0.6,
            "max_tokens": 16_384,
            "input_tokens": given,
            "output_tokens": output,
            "reasoning_tokens": int(output * 0.6),
        }

    return ask
