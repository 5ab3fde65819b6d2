"""When somebody calls again: sessions with pauses, steady programs, bursts, exact clocks; with days and nights in long worlds."""

import random
from collections.abc import Callable
from typing import Final

from msgspec import Struct

from guard.simulation.draws import around
from guard.units import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS

Wait = Callable[[random.Random, int, bool], float]
"""(dice, now, the conversation is over) -> milliseconds until the next exchange."""

NIGHT: Final = (
    0.25,
    0.15,
    0.08,
    0.05,
    0.05,
    0.08,
    0.2,
    0.4,
    0.7,
    0.95,
    1.0,
    1.0,
    0.85,
    0.95,
    1.0,
    1.0,
    0.95,
    0.85,
    0.8,
    0.8,
    0.85,
    0.8,
    0.6,
    0.4,
)
"""People's hours (assumption in the shape of ServeGen's rates; peak to trough there is 2.2 to 4.9 for programs, more for people)."""
MACHINE_FLOOR: Final = 0.3
"""Programs that follow their users keep at least this share of their peak at night."""


class Hours(Struct, frozen=True):
    """How active somebody is by the hour of day and week: 0-1. `zone_ms` is what local time is ahead of UTC."""

    zone_ms: int = 0
    floor: float = 0.0
    """The least activity; 1.0 for round the clock."""
    weekend: float = 1.0
    """Activity on Saturdays and Sundays."""

    def activity(self, at: int) -> float:
        """The share of the peak at `at`."""
        local = at + self.zone_ms
        hour = NIGHT[local // HOUR_MS % 24]
        is_weekend = (local // DAY_MS + 4) % 7 in {0, 6}
        return max(self.floor, hour * self.weekend if is_weekend else hour)

    def awake_at(self, dice: random.Random, at: float) -> float:
        """The first moment from `at` on at which somebody with these hours is up to a session."""
        for _ in range(60):
            if dice.random() < self.activity(int(at)):
                break
            at += dice.expovariate(1 / (40 * MINUTE_MS))
        return at


ALWAYS: Final = Hours(floor=1.0)


class Sessions(Struct, frozen=True):
    """People and agents: turns `gap_s` apart, a pause around `pause_s` after a conversation with chance `pause_share`."""

    gap_s: float
    gap_spread: float
    pause_s: float
    pause_spread: float = 0.8
    pause_share: float = 0.5
    hours: Hours = ALWAYS

    def __call__(self, dice: random.Random, at: int, is_over: bool) -> float:  # noqa: FBT001
        """Milliseconds until the next turn or session."""
        if not is_over or dice.random() >= self.pause_share:
            return around(dice, self.gap_s, self.gap_spread) * SECOND_MS
        pause = around(dice, self.pause_s, self.pause_spread) * SECOND_MS
        return pause if self.hours == ALWAYS else self.hours.awake_at(dice, at + pause) - at


class Steady(Struct, frozen=True):
    """A program: gaps of a mean, gamma distributed with `shape` (1: Poisson; more: regular; less: bursty), slower at night."""

    gap_ms: float
    shape: float = 1.0
    hours: Hours = ALWAYS

    def __call__(self, dice: random.Random, at: int, is_over: bool) -> float:  # noqa: FBT001
        """Milliseconds until the next request."""
        del is_over
        gap = dice.expovariate(1.0) if self.shape == 1.0 else dice.gammavariate(self.shape, 1.0 / self.shape)
        return gap * self.gap_ms / (1.0 if self.hours == ALWAYS else self.hours.activity(at))


class Bursts:
    """A program that works through piles: some requests at once, then a long pause. Remembers what is left of its pile."""

    def __init__(self, within_ms: float, pause_ms: float, size: int, hours: Hours = ALWAYS) -> None:
        self._within_ms, self._pause_ms, self._size, self._hours = within_ms, pause_ms, size, hours
        self._left = 0

    def __call__(self, dice: random.Random, at: int, is_over: bool) -> float:  # noqa: FBT001
        """Milliseconds until the next request."""
        del is_over
        if self._left:
            self._left -= 1
            return dice.expovariate(1 / self._within_ms)
        self._left = dice.randint(1, 2 * self._size)
        pause = dice.expovariate(1 / self._pause_ms)
        return pause if self._hours == ALWAYS else self._hours.awake_at(dice, at + pause) - at


class Clockwork(Struct, frozen=True):
    """A timer: `size` requests at every multiple of `period_ms` plus `phase_ms`, to within a tenth of a second."""

    period_ms: int
    phase_ms: int = 0

    def __call__(self, dice: random.Random, at: int, is_over: bool) -> float:  # noqa: FBT001
        """Milliseconds until the next tick."""
        del is_over
        done = (at - self.phase_ms) // self.period_ms
        return (done + 1) * self.period_ms + self.phase_ms - at + dice.uniform(0, 100)


def office(dice: random.Random) -> Hours:
    """Somebody's hours: a zone, nights, and mostly free weekends."""
    return Hours(dice.choice((-8, -5, 0, 1, 1, 2, 5, 8, 9)) * HOUR_MS, 0.0, dice.choice((0.2, 0.5, 0.9)))


def served(dice: random.Random) -> Hours:
    """A program's hours: those of its users, never quite asleep; a third never sleeps at all."""
    if dice.random() < 0.35:
        return ALWAYS
    return Hours(dice.choice((-8, -5, 0, 1, 8)) * HOUR_MS, dice.uniform(MACHINE_FLOOR, 0.7), dice.choice((0.6, 0.9, 1.0)))
