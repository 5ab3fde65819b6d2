"""What the shard's crowd is like: the ground that a key's users are held against."""

from typing import Final

from msgspec import Struct

CROWD_SHARE_MIN: Final = 0.05
"""A crowd's share below this is an accident of a small crowd."""
MEDIAN_STEP: Final = 0.0005
DECLINED_MIN: Final = 0.02
DECLINED_MAX: Final = 0.1
"""The crowd's share of declined answers is held within: less is an accident, and a fleet that is declined cannot pass for more."""
ANSWERS_MAX: Final = 4_096
"""Answers over which that share is remembered."""
SAME_DAY_MIN: Final = 0.02
SAME_DAY_MAX: Final = 0.2
SAME_DAY_PAIRS_MIN: Final = 200
"""A service of fifty days' age has at least the former share of pairs on one day; a fleet's lots cannot pass for more than the latter."""

RELEASE_SEEN_MIN: Final = 100
"""From so many accounts the crowd's own move to a new model is known to a few hundredths."""
MOVED_SHARE_MAX: Final = 0.5
"""Where half of the crowd moves, so may anybody, and a move says nothing."""


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
    heard: int = 0
    """Contacts."""
    release_s: int = 0
    """The wave of releases, by its second, that the next two are about."""
    release_seen: int = 0
    """Accounts, once for each key, that were there before it and were told of within the day."""
    release_moved: int = 0
    """Of these, those that asked for a new model."""

    declined: float = DECLINED_MIN
    answers: int = 0
    """Answers that `declined` is of, up to `ANSWERS_MAX`."""

    def meet(self, *, is_new: bool, is_trusted: bool) -> None:
        """Take in the age of one more account at its first contact."""
        self.known += 1
        self.new += is_new
        self.trusted += is_trusted

    def hear_answer(self, declined: int) -> None:
        """Take in whether the model declined one more exchange."""
        self.answers = min(self.answers + 1, ANSWERS_MAX)
        self.declined += (declined - self.declined) / self.answers

    def declined_share(self) -> float:
        """Share of exchanges that the model declines, within [0.02, 0.1]."""
        return min(max(self.declined, DECLINED_MIN), DECLINED_MAX)

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

    def follow_release(self, release_s: int, *, is_seen: bool, has_moved: bool) -> None:
        """Take in that one more account was seen within a day of a release, or that one moved to the new model."""
        if release_s != self.release_s:
            self.release_s, self.release_seen, self.release_moved = release_s, 0, 0
        self.release_seen += is_seen
        self.release_moved += has_moved

    def moved_share(self) -> float:
        """Share of accounts that moved to the new model, within [0.05, 0.5]; the latter while few were seen."""
        if self.release_seen < RELEASE_SEEN_MIN:
            return MOVED_SHARE_MAX
        return min(max(self.release_moved / self.release_seen, CROWD_SHARE_MIN), MOVED_SHARE_MAX)

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
