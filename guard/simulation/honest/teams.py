"""Small teams on one card: 3 to 40 accounts, some of one organisation, some with a gateway of their own that balances over their keys."""

from typing import Any, Final

from guard.simulation.cast import Entries, Entry, Role, Size, caller
from guard.simulation.desk import Alike, Desk
from guard.simulation.draws import around, hashed
from guard.simulation.habits import chat_habit
from guard.simulation.honest.people import person, source
from guard.simulation.market import Market, Network
from guard.simulation.prompts import Free, interests, template
from guard.simulation.rhythm import ALWAYS, Hours, Steady
from guard.simulation.talk import chat_style
from guard.units import DAY_MS, HOUR_MS

BALANCING_SHARE: Final = 0.15
"""Teams whose own gateway spreads one assistant over all their keys (assumption)."""


def teams(market: Market, size: Size) -> Entries:
    """Teams until `size.accounts` are reached."""
    left = size.accounts
    while left >= 3:
        members = min(left, max(3, min(40, int(market.dice.paretovariate(1.1) * 3))))
        left -= members
        yield from _team(market, members)


def _team(market: Market, members: int) -> Entries:
    dice = market.dice
    card, org = hashed(dice), hashed(dice) if dice.random() < 0.6 else None
    places = market.roaming(1) if dice.random() < 0.6 else ()
    began = market.start - int(dice.uniform(0.5, 500) * DAY_MS)
    if dice.random() < BALANCING_SHARE:
        yield from _balanced(market, members, card, org)
        return
    assistant = template(dice, dice.randint(1, 5)) if dice.random() < 0.5 else None
    for _ in range(members):
        created = min(market.start - HOUR_MS, began + int(dice.expovariate(1 / (10 * DAY_MS))))
        identity = market.identity(plan=dice.choice((1, 2)), created=created, card=card, org=org)
        asks = source(market) if assistant is None or dice.random() < 0.4 else assistant
        yield person(market, Role("team member"), identity, asks, places or market.home())


def _balanced(market: Market, members: int, card: str, org: str | None) -> Entries:
    dice = market.dice
    prefix, fields = hashed(dice), interests(dice, 4)
    habit, style, stack, networks = chat_habit(dice), chat_style(dice), market.stack(), market.cloud()
    desk = Desk(Alike(Free(prefix, fields), style, habit), members * 2, dice.choice((0.0, 0.5, 0.9)))
    gap_ms = around(dice, 1_500_000.0 if market.has_nights else 90_000.0, 0.5)
    for _ in range(members):
        identity = market.identity(plan=2, card=card, org=org)
        identity |= {"client_fingerprint": stack.fingerprint, "user_agent": stack.agent}
        yield keyed(market, Role("team gateway"), identity, desk, gap_ms, networks)


def keyed(market: Market, role: Role, identity: dict[str, Any], desk: Desk, gap_ms: float, networks: tuple[Network, ...]) -> Entry:
    """One key of a house that balances over its keys, unevenly."""
    dice = market.dice
    wait = Steady(gap_ms * around(dice, 1.0, 0.6), hours=Hours(dice.choice((-5, 1, 8)) * HOUR_MS, 0.15) if market.has_nights else ALWAYS)
    return market.start + int(dice.random() * min(market.span_ms, 4 * gap_ms)), caller(market, role, identity, desk, wait, networks)
