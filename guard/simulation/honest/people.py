"""People: sessions of a few conversations, then a pause; on their own or through a public application; some families on one card."""

import random
from collections.abc import Callable
from typing import Any, Final

from guard.simulation.cast import Entries, Entry, Role, Size, caller
from guard.simulation.draws import around
from guard.simulation.habits import Habit, chat_habit
from guard.simulation.market import Market, Network
from guard.simulation.prompts import Free, Source, interests
from guard.simulation.rhythm import ALWAYS, Sessions, office
from guard.simulation.talk import Style, Talk, chat_style
from guard.units import DAY_MS, HOUR_MS, MINUTE_MS

PAUSE_S: Final = 7.0 * HOUR_MS / 1_000
"""Between two sessions, at the median: with nights about two sessions and a dozen exchanges a day (assumption)."""
SHORT_PAUSE_S: Final = 1_340.0
"""In worlds without nights the sessions are squeezed together."""
FAMILY_SHARE: Final = 0.03
"""People who pay with the card of another one."""
NEWCOMERS_A_DAY: Final = 0.004
"""Accounts opened during the world, as a share of all."""
CARDS_REMEMBERED: Final = 200


class PublicPrompts:
    """Another public prompt for each conversation, half of them the same favourite."""

    def __init__(self, market: Market, dice: random.Random) -> None:
        self._market = market
        self._favourite = market.public_prompt(dice)
        self._now = self._favourite

    def fields(self, dice: random.Random, turn: int) -> dict[str, Any]:
        """The content fields of a prompt that strangers send as well."""
        if turn == 0:
            self._now = self._favourite if dice.random() < 0.5 else self._market.public_prompt(dice)
        return self._now.fields(dice, turn)


def source(market: Market) -> Source:
    """What a person asks with: own words, an application's prompt around them, or public templates."""
    dice = market.dice
    kind = dice.random()
    if kind < 0.3:
        return PublicPrompts(market, dice)
    prefix = None if kind < 0.6 else market.public_prompt(dice).prefix
    return Free(prefix, interests(dice, dice.randint(1, 6)))


def sessions(market: Market, pause_s: float | None = None) -> Sessions:
    """A person's rhythm; each has its own pace."""
    dice = market.dice
    usual = PAUSE_S if market.has_nights else SHORT_PAUSE_S
    pause = around(dice, usual if pause_s is None else pause_s, 0.9)
    return Sessions(around(dice, 36.0, 0.4), 1.0, pause, 0.7, dice.uniform(0.3, 0.9), office(dice) if market.has_nights else ALWAYS)


def first_call(market: Market, created: int, wait: Sessions) -> int:
    """When somebody calls first: within its usual pause, or soon after the account was opened."""
    dice = market.dice
    at = created + dice.expovariate(1 / (10 * MINUTE_MS))
    if created < market.start:
        at = market.start + dice.random() * min(market.span_ms, 2.5 * wait.pause_s * 1_000)
    return int(wait.hours.awake_at(dice, at) if wait.hours != ALWAYS else at)


def opened(market: Market, newcomers_a_day: float = NEWCOMERS_A_DAY) -> int | None:
    """When a newcomer opened an account during a long world; None for most, whose account is older."""
    share = newcomers_a_day * market.span_ms / DAY_MS
    return market.start + int(market.dice.random() * market.span_ms) if market.has_nights and market.dice.random() < share else None


def person(  # noqa: PLR0913, PLR0917
    market: Market,
    role: Role,
    identity: dict[str, Any],
    asks: Source,
    networks: tuple[Network, ...],
    style: Style | None = None,
    habit: Habit | None = None,
    pause_s: float | None = None,
) -> Entry:
    """Somebody who chats, and when first; everything not given is drawn."""
    dice = market.dice
    wait = sessions(market, pause_s)
    used = market.curious(chat_habit(dice) if habit is None else habit)
    talk = Talk(asks, chat_style(dice) if style is None else style, used)
    at = first_call(market, identity["account_created"], wait)
    return at, caller(market, role, identity, talk, wait, networks)


def people(market: Market, size: Size) -> Entries:
    """The crowd."""
    dice = market.dice
    cards: list[str] = []
    for _ in range(size.accounts):
        identity = market.identity(created=opened(market))
        if cards and dice.random() < FAMILY_SHARE:
            identity["payment_fingerprint"] = dice.choice(cards)
        elif len(cards) < CARDS_REMEMBERED:
            cards.append(identity["payment_fingerprint"])
        yield person(market, Role("person"), identity, source(market), market.home())


Builder = Callable[[Market, Size], Entries]
