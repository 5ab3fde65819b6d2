"""A1: the naive burst: one account, as fast as its plan lets it, until it has what it wants."""

from typing import Final

from guard.simulation.cast import Entries, Role, Size, caller
from guard.simulation.habits import pipeline_habit
from guard.simulation.market import Market
from guard.simulation.prompts import EXPLAINED, Lengths, template
from guard.simulation.rhythm import Steady
from guard.simulation.talk import Style, Talk
from guard.units import DAY_MS

GAP_MS: Final = 20.0
"""50 requests a second are wanted (reference); the plan's limit answers the rest with 429."""


def burst(market: Market, size: Size) -> Entries:
    """A1: `size.accounts` accounts, each with at most `size.per_day` answers, so that they do not dominate a world."""
    dice = market.dice
    for number in range(size.accounts):
        asks = template(dice, 3, elicitation=EXPLAINED)
        identity = market.identity(plan=2, created=market.start - int(dice.uniform(0.1, 2) * DAY_MS))
        talk = Talk(asks, Style(Lengths(260, 0.5, 800, 0.6)), pipeline_habit(dice, reasons=True))
        role = Role("burst", "A1", "burst" if size.accounts == 1 else f"burst {number + 1}")
        client = caller(market, role, identity, talk, Steady(GAP_MS), market.home(), is_serial=False)
        client.calls_left = int(size.per_day)
        yield market.start + int(dice.uniform(0.2, 0.6) * market.span_ms), client
