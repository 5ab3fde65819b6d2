"""How many new sanctions an hour may see: the blast radius of a broken rule. What exceeds a cap goes to shadow."""

from math import exp2

from msgspec import Struct

from guard.scoring.account_rules import reason
from guard.scoring.reasons import Reason
from guard.units import HOUR_MS


class CapCount(Struct, array_like=True):
    """Sanctions lately, decaying by event time with a half-life of one hour."""

    at: int = 0
    mass: float = 0.0

    def exceeded(self, at: int, amount: int, cap: int) -> Reason | None:
        """Evidence that `amount` more would exceed the cap; otherwise they are counted."""
        mass = self.mass * exp2(min(0, self.at - at) / HOUR_MS)
        if mass + amount > cap:
            return reason("cap", mass + amount, cap, 0.0, 0.0)
        self.mass = mass + amount
        self.at = max(self.at, at)
        return None
