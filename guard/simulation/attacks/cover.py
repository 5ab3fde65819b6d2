"""A member's two lives: ordinary traffic as a past and as a cover, and the harvest when the campaign has begun."""

import random
from typing import Any, Final

from msgspec import Struct

from guard.simulation.client import Speech
from guard.simulation.habits import chat_habit
from guard.simulation.honest.agents import agent_talk
from guard.simulation.honest.people import sessions, source
from guard.simulation.market import Market
from guard.simulation.rhythm import Hours, Steady
from guard.simulation.talk import Talk, chat_style
from guard.units import MINUTE_MS

HARNESS_SHARE: Final = 0.3
"""Members whose cover is a coding harness rather than chat."""
SHORT_DIALOGUE: Final = 2.0
STREAK_SHARE: Final = 0.3
"""Chance that a harvest goes on within seconds: queues are worked through in small piles, not one by one (assumption)."""


class Ramp(Struct):
    """How fast a whole campaign works: a share of its full rate that grows from `first` to 1 between two times; attackers change it."""

    factor: float = 1.0
    first: float = 1.0
    begins: int = 0
    lasts_ms: int = 1

    def at(self, at: int) -> float:
        """The share of the full rate at `at`."""
        done = min(1.0, max(0.0, (at - self.begins) / self.lasts_ms))
        return self.factor * float(self.first ** (1.0 - done))


class Cover:
    """One member's speech and rhythm."""

    def __init__(self, market: Market, harvest: Speech, begins: int, pace: Ramp, gap_ms: float, hours: Hours) -> None:
        dice = market.dice
        self.share = 0.0
        """Of the exchanges after `begins`, those that are anybody's."""
        self.fades: Ramp | None = None
        """Cover that thins out: its share is 1 less what the ramp says."""
        self._begins = begins
        self._harvest, self._pace = harvest, pace
        self._ordinary = _ordinary(market)
        self._sessions = sessions(market)
        self._work = Steady(gap_ms, dice.choice((0.6, 1.0, 1.0, 2.0)), hours)
        self._streak_ms = min(gap_ms / 4, dice.uniform(3, 60) * 1_000)
        self._last: Speech = self._ordinary

    @property
    def is_over(self) -> bool:
        """The last turn was the last of its conversation."""
        return self._last.is_over

    def dropped(self) -> None:
        """The last request was given up."""
        self._last.dropped()

    def ask(self, dice: random.Random, at: int, account: str) -> dict[str, Any]:
        """Ordinary before the campaign, then a mixture; an ordinary conversation is not broken off half the time."""
        share = self.share if self.fades is None else max(self.share, 1.0 - self.fades.at(at))
        is_ordinary = at < self._begins or dice.random() < share
        self._last = self._ordinary if is_ordinary else self._harvest
        return self._last.ask(dice, at, account)

    def wait(self, dice: random.Random, at: int, is_over: bool) -> float:  # noqa: FBT001
        """Milliseconds until the next exchange: a person's gaps before the campaign, its balancer's afterwards."""
        if at < self._begins:
            pause = self._sessions(dice, at, is_over)
            return min(pause, self._begins - at + dice.random() * 10 * MINUTE_MS)
        if dice.random() < STREAK_SHARE:
            return dice.expovariate(1 / self._streak_ms)
        return self._work(dice, at, is_over) / ((1 - STREAK_SHARE) * self._pace.at(at))


def _ordinary(market: Market) -> Talk:
    dice = market.dice
    if dice.random() < HARNESS_SHARE:
        return agent_talk(market, market.harness(dice), 6.0)
    return Talk(source(market), chat_style(dice, SHORT_DIALOGUE), market.curious(chat_habit(dice)))
