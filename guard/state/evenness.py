"""How evenly the accounts of one link key use it: sums alone, so that the order of contacts does not matter."""

from math import exp, inf, sqrt
from typing import Final

from msgspec import Struct

from guard.state.behaviour import SLOT_MS
from guard.units import HOUR_MS

SPREAD_HOURS_MIN: Final = 0.5
"""Below it, one session fills the time that an account has had."""

NEARLY_ONE: Final = 1.3
NEWTON_STEPS: Final = 4
"""From the first guess of `poisson_rate` to six digits, for any mean."""


class Evenness(Struct, array_like=True):
    """The sums since `since`, event time: the key's first use, or a later moment."""

    since: int = 0
    accounts: int = 0
    """Accounts that used the key since then."""
    uses: float = 0.0
    uses_square: float = 0.0
    """Sum over accounts of the square of each one's uses: with `uses`, how evenly the key is used over the accounts' lives."""
    hours: float = 0.0
    """Over accounts, the hours in which each one used the key."""
    pairs: float = 0.0
    """Ordered pairs of uses by one account within one hour: with `uses` and `hours`, how evenly it is used within an hour."""
    slots: float = 0.0
    """Over accounts, the slots of ten minutes of its own in which each one used the key."""
    joined_sum: float = 0.0
    """Sum over accounts of the hours from `since` to the account's first use: how long each has had."""

    def join(self, at: int) -> None:
        """Count one more account, which uses the key for the first time since then at `at`."""
        self.accounts += 1
        self.joined_sum += (at - self.since) / HOUR_MS

    def add(self, uses: int, square: int, hours: int, pairs: int, slots: int) -> None:
        """Take in by how much all of these grew."""
        self.uses += uses
        self.uses_square += square
        self.hours += hours
        self.pairs += pairs
        self.slots += slots

    def exposure_hours(self, at: int) -> float:
        """For how long the mean account has had the key at `at`."""
        life = (at - self.since) / HOUR_MS
        return max(0.0, life - self.joined_sum / self.accounts) if self.accounts else 0.0

    def spread(self, at: int) -> float | None:
        """Slots of ten minutes in which the mean account used the key, as a share of those that as many uses at random would have fallen into.

        People come in sessions and leave most of their time empty, programs and pools do not. None before `SPREAD_HOURS_MIN` hours of exposure.
        """
        exposure = self.exposure_hours(at)
        if exposure < SPREAD_HOURS_MIN or self.uses <= 0:
            return None
        slots, mean = exposure * HOUR_MS / SLOT_MS, self.uses / self.accounts
        return self.slots / self.accounts / (slots * (1.0 - exp(-mean / slots)))

    @property
    def dispersion(self) -> float | None:
        """Squared coefficient of variation of use per account beyond what chance alone gives; None before any pair of uses.

        Over the accounts' lives and over the hours in which they used the key, hours of few uses weighing less: for a perfect
        balancer 0, for a Poisson pool about 0, for people and pipelines about 1 and more.
        """
        if self.accounts < 2 or not 0 < self.hours < self.uses:
            return None  # an hour that had begun before the count was told of then
        rate = poisson_rate(self.uses / self.hours)
        weight = rate / (1.0 + rate)
        return (self._life_dispersion() + weight * self._hour_dispersion(rate)) / (1.0 + weight)

    @property
    def errors_below_people(self) -> float:
        """How surely the use is even: its distance from people's own, in standard errors of a sample of so many accounts but for a factor."""
        dispersion = self.dispersion
        return -inf if dispersion is None else (1.0 - dispersion) * sqrt(self.accounts)

    def _life_dispersion(self) -> float:
        """Larger where accounts joined late or left early: people do not use a thing for as long as they have it."""
        mean = self.uses / self.accounts
        return max(0.0, self.uses_square / self.accounts - mean) / (mean * mean) - 1.0

    def _hour_dispersion(self, rate: float) -> float:
        """Who joins late or leaves changes nothing; of a few uses an hour, chance alone makes any pool look even."""
        return self.pairs / (self.uses * rate) - 1.0


def poisson_rate(mean: float) -> float:
    """The rate of the Poisson process whose hours with any event at all have `mean` events, above 1 (zero-truncated Poisson)."""
    rate = 2.0 * (mean - 1.0) if mean < NEARLY_ONE else mean
    for _ in range(NEWTON_STEPS):
        absent = exp(-rate)
        rate -= (rate - mean * (1.0 - absent)) / (1.0 - mean * absent)
    return rate
