"""A desk: conversations that any of several accounts may serve next, as balancers, resellers and relays do."""

import random
from collections.abc import Callable
from typing import Any, Final

from msgspec import Struct

from guard.simulation.habits import Habit
from guard.simulation.prompts import Source
from guard.simulation.talk import Style, Talk
from guard.units import SECOND_MS

TRIES: Final = 4
THINKING_MS: Final = 15 * SECOND_MS
"""Nobody answers a reply sooner than this on average; a conversation just served is not due yet."""


BRANCHING_SHARE: Final = 0.2
"""Replies that are asked for again from the same place: end users regenerate, gateways fork (assumption)."""


class Alike(Struct, frozen=True):
    """Opens conversations that ask alike."""

    asks: Source
    style: Style
    habit: Habit

    def __call__(self, dice: random.Random) -> Talk:
        """One more of them."""
        del dice
        return Talk(self.asks, self.style, self.habit)


class Desk:
    """`size` conversations at once. An account serves its last one again with chance `sticky_share`, else whichever is due."""

    is_over = True

    def __init__(self, opened: Callable[[random.Random], Talk], size: int, sticky_share: float) -> None:
        self._opened = opened
        self._size = size
        self._sticky_share = sticky_share
        self._talks: list[Talk] = []
        self._last: dict[str, Talk] = {}

    def ask(self, dice: random.Random, at: int, account: str) -> dict[str, Any]:
        """The next turn of a conversation that is due, under `account`."""
        talk = self._last.get(account)
        if talk is None or talk.is_over or dice.random() >= self._sticky_share:
            talk = self._due(dice, at)
        self._last[account] = talk
        past, is_new = talk.past, talk.is_over
        fields = talk.ask(dice, at, account)
        if not is_new and not talk.is_over and dice.random() < BRANCHING_SHARE:
            talk.past = past
        return fields

    def _due(self, dice: random.Random, at: int) -> Talk:
        if len(self._talks) < self._size:
            self._talks.append(self._opened(dice))
            return self._talks[-1]
        for _ in range(TRIES):
            place = int(dice.random() * self._size)
            talk = self._talks[place]
            if talk.is_over:
                self._talks[place] = self._opened(dice)
                return self._talks[place]
            if at - talk.past.at >= THINKING_MS:
                return talk
        return talk

    def dropped(self) -> None:
        """A turn was given up: its conversation stays on the desk, for another account to try."""
