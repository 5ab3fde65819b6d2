"""What the shard's crowd is like: the ground that a key's users are held against."""

from typing import Final

from msgspec import Struct

CROWD_SHARE_MIN: Final = 0.05
"""A crowd's share below this is an accident of a small crowd."""
MEDIAN_STEP: Final = 0.0005
SAME_DAY_MIN: Final = 0.02
SAME_DAY_MAX: Final = 0.2
SAME_DAY_PAIRS_MIN: Final = 200
"""A service of fifty days' age has at least the former share of pairs on one day; a fleet's lots cannot pass for more than the latter."""


class Crowd(Struct, array_like=True):
    """What age the shard's accounts are, over all first contacts with cards, templates, clients and networks."""

    known: int = 0
    new: int = 0
    trusted: int = 0
    voice: float = CROWD_SHARE_MIN
    rubric: float = CROWD_SHARE_MIN
    last_account: str = ""
    last_day: int = 0
    day_pairs: int = 0
    same_days: int = 0

    def register(self, account: str, created_day: int) -> None:
        """Hold the day on which an old account was registered against that of the one before: pairs at random."""
        if account == self.last_account:
            return
        self.day_pairs += bool(self.last_account)
        self.same_days += created_day == self.last_day
        self.last_account, self.last_day = account, created_day

    def same_day_share(self) -> float:
        """Share of pairs of old accounts registered on one day, within [0.02, 0.2]."""
        share = self.same_days / self.day_pairs if self.day_pairs >= SAME_DAY_PAIRS_MIN else 0.0
        return min(max(share, SAME_DAY_MIN), SAME_DAY_MAX)

    def hear(self, voice: float, rubric: float) -> None:
        """Take in how often one more account asks for reasoning and for grades: medians, which a fleet cannot move far (Robbins-Monro)."""
        self.voice += MEDIAN_STEP if voice > self.voice else -MEDIAN_STEP
        self.rubric += MEDIAN_STEP if rubric > self.rubric else -MEDIAN_STEP

    def new_share(self, ceiling: float) -> float:
        """Share of new accounts, kept within [0.05, ceiling] so that a fleet's newcomers cannot pass for the crowd's."""
        return min(max(self.new / self.known if self.known else ceiling, CROWD_SHARE_MIN), ceiling)

    def trusted_share(self) -> float:
        """Share of trusted accounts, at least 0.2: a crowd of newcomers only is no crowd to compare with."""
        return max(self.trusted / self.known if self.known else 0.0, 0.2)
