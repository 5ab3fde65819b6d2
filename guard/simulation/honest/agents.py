"""Coding agents: dozens of turns with tools behind one of several public harnesses, nearly everything read from the cache; and N2, a team of them."""

from typing import Any, Final

from guard.simulation.cast import Entries, Entry, Role, Size, caller
from guard.simulation.draws import around, hashed
from guard.simulation.habits import agent_habit
from guard.simulation.honest.people import first_call
from guard.simulation.market import Harness, Market, Network
from guard.simulation.prompts import Free, Lengths, interests
from guard.simulation.rhythm import ALWAYS, Sessions, office
from guard.simulation.talk import Style, Talk
from guard.units import DAY_MS

LENGTHS: Final = Lengths(1_800, 0.9, 213, 1.0)
"""WEKA coding agents: output 103/213/848 (p25/50/90); the fresh part of the input is what is not shared with the turn before."""
TURNS: Final = 45.0
"""WEKA: requests a stream 15/40/86/143/335 (p25 to p99) have this spread; a smaller mean keeps worlds small."""
GAP_S: Final = 17.0
"""WEKA: gaps 8/17/130 s."""


def harnessed(market: Market, harness: Harness, identity: dict[str, Any]) -> dict[str, Any]:
    """The identity of somebody who uses a harness; a few run it behind a client of their own."""
    if market.dice.random() < 0.06:
        return identity
    return {**identity, "client_fingerprint": harness.stack.fingerprint, "user_agent": harness.stack.agent}


def agent_talk(market: Market, harness: Harness, turns_mean: float = TURNS) -> Talk:
    """The conversations of one user of `harness`."""
    dice = market.dice
    style = Style(LENGTHS, turns_mean * dice.uniform(0.2, 1.2), harness.tools, 0.85, harness.prefix_tokens)
    return Talk(Free(harness.prefix, interests(dice, 3)), style, market.curious(agent_habit(dice), share=0.35))


def agent(market: Market, role: Role, harness: Harness, identity: dict[str, Any], networks: tuple[Network, ...]) -> Entry:
    """One user of a coding harness."""
    dice = market.dice
    hours = office(dice) if market.has_nights else ALWAYS
    wait = Sessions(around(dice, GAP_S, 0.3), 1.2, around(dice, 16_000.0 if market.has_nights else 1_500.0, 0.7), 0.8, 0.8, hours)
    at = first_call(market, identity["account_created"], wait)
    return at, caller(market, role, harnessed(market, harness, identity), agent_talk(market, harness), wait, networks)


def agents(market: Market, size: Size) -> Entries:
    """Users of coding agents who have nothing to do with each other."""
    for _ in range(size.accounts):
        yield agent(
            market, Role("coding agent"), market.harness(market.dice), market.identity(plan=market.dice.choice((1, 1, 2))), market.home()
        )


def team(market: Market, size: Size) -> Entries:
    """N2: an engineering team: one harness, one organisation and card, two offices, seats bought together."""
    dice = market.dice
    harness, org, card = market.harness(dice), hashed(dice), hashed(dice)
    offices = market.roaming(2)
    bought = market.start - int(dice.uniform(5, 400) * DAY_MS)
    for _ in range(size.accounts):
        identity = market.identity(plan=2, created=bought + int(dice.uniform(0, 3) * DAY_MS), card=card, org=org)
        networks = (*offices, *market.home()) if dice.random() < 0.5 else offices
        yield agent(market, Role("agent seat", "N2"), harness, identity, networks)
