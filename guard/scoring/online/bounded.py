"""The crowd model's view of an account: a closed list of features, each squeezed into [0, 1] by a fixed scale.

Fixed, because a scale that is learnt can be stretched by whoever sends outliers (reference: half-space trees clamp beyond it).
"""

from collections.abc import Mapping
from math import log1p
from typing import Final, NamedTuple


class Scale(NamedTuple):
    """How one feature becomes a number in [0, 1]: linear or logarithmic, between `low` and `high` in the feature's unit."""

    low: float
    high: float
    is_log: bool = False

    def bounded(self, value: float) -> float:
        """The value's place on the scale; outside, the nearer end."""
        span, over = self.high - self.low, value - self.low
        if over <= 0.0:
            return 0.0
        return min(log1p(over) / log1p(span) if self.is_log else over / span, 1.0)


ACCOUNT_SCALES: Final[Mapping[str, Scale]] = {
    "hour_requests": Scale(0.0, 1e5, is_log=True),
    "pace_rpm": Scale(0.0, 6e4, is_log=True),
    "burstiness": Scale(-1.0, 1.0),
    "elicitation_share": Scale(0.0, 1.0),
    "rubric_share": Scale(0.0, 1.0),
    "single_turn_share": Scale(0.0, 1.0),
    "same_parameters_share": Scale(0.0, 1.0),
    "output_per_input": Scale(0.0, 100.0, is_log=True),
    "reasoning_share": Scale(0.0, 1.0),
    "age_days": Scale(0.0, 1e4, is_log=True),
}
"""What the crowd model sees of an account. Volume once, by the hour: three scales of one thing would outvote the rest."""

CROWD_FEATURES: Final = tuple(sorted(ACCOUNT_SCALES))
"""Names of the crowd model's features, in order."""


def bounded(features: Mapping[str, float]) -> dict[str, float]:
    """The account's features as the crowd model wants them; what is missing stays missing. About 2.5 us."""
    return {name: scale.bounded(features[name]) for name, scale in ACCOUNT_SCALES.items() if name in features}
