"""What the online models say about an account, and what they may learn from it."""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from guard.engine.account_record import AccountRecord
from guard.engine.control import Control
from guard.engine.teaching import CROWD, Said, revoked, said_of, teachers_of
from guard.engine.watchlist import WatchedKey
from guard.features.accounts import ACCOUNT_FEATURES
from guard.scoring.account_rules import reason
from guard.scoring.fusion import Verdict, fuse
from guard.scoring.learned.crowd import CAP, RANK_FROM, squashed
from guard.scoring.learned.models import ShardModels
from guard.scoring.learned.past import OwnPast
from guard.scoring.learned.supervised import CAP as LIKENESS_CAP
from guard.scoring.learned.supervised import SPEAKS_FROM, Lesson, scaled
from guard.scoring.reasons import Reason
from guard.units import MINUTE_MS, EventTimeMs

LESSON_EVERY_MS: Final = 10 * MINUTE_MS
"""An account teaches at most once in ten minutes of event time: nobody dominates."""
TEACHER_SCORE_MAX: Final = 0.3
"""Whoever is suspected this much teaches nothing."""
TEACHER_EXCHANGES_MIN: Final = 16
DRIFT_CEILING: Final = 0.75
"""What drift may weigh at its strongest: a throttle, never more without a second family."""


def drift_evidence(past: OwnPast | None, models: ShardModels, threshold: float) -> Reason | None:
    """Evidence that a subject moved from its own past toward extraction; None below `threshold` or without a past."""
    moves = past.moves() if past is not None else None
    if moves is None:
        return None
    score = models.drift.score(moves)
    if score < threshold:
        return None
    return reason("drift_toward_extraction", score, threshold, 0.0, DRIFT_CEILING * score)


class Assessment(Struct):
    """One account about to be judged at event time `at`, with the watched keys it carries."""

    record: AccountRecord
    account: str
    at: EventTimeMs
    hits: tuple[WatchedKey, ...]


class Learner:
    """The models of one shard as the accounts stage uses them."""

    def __init__(self, models: ShardModels) -> None:
        self._models = models
        self._control: Control | None = None

    def follow(self, control: Control) -> None:
        """Work by this control from now on; what rested on campaigns that were revoked is taken back."""
        if self._control is not None and self._control.watch is not control.watch:
            gone = revoked(self._control.watch, control.watch)
            if gone:
                self._models.take_back(gone)
        self._control = control

    def rebaseline(self, wanted_at: int, at: int) -> None:
        """Let the crowd's models begin anew, once, when event time `at` reaches what the policy wants (0: never)."""
        if self._models.rebaselined_at < wanted_at <= at:
            self._models.begin_anew(wanted_at)

    def evidence(self, record: AccountRecord, features: Mapping[str, float], numbers: Mapping[str, float]) -> list[Reason]:
        """What the models say against the account."""
        found = []
        drift = drift_evidence(record.past, self._models, numbers["drift_score"])
        if drift is not None:
            found.append(drift)
        rank = self._models.crowd.rank(squashed(features)) if record.behaviour.exchanges >= TEACHER_EXCHANGES_MIN else 0.0
        if rank > RANK_FROM:
            found.append(reason("unlike_the_crowd", rank, RANK_FROM, 0.5, _weight(CAP, rank, RANK_FROM)))
        return found

    def likeness(self, features: Mapping[str, float], evidence: list[Reason]) -> list[Reason]:
        """How like known harvesting it looks. Asked only where something else speaks against the account: it never speaks alone."""
        model = self._models.supervised
        if not evidence or not model.is_ready:
            return []
        score = model.score(scaled(ACCOUNT_FEATURES, features))
        if score < SPEAKS_FROM:
            return []
        return [reason("like_known_extraction", score, SPEAKS_FROM, 0.5, _weight(LIKENESS_CAP, score, SPEAKS_FROM))]

    def learn(self, assessment: Assessment, features: Mapping[str, float], verdict: Verdict) -> None:
        """One lesson, if the account may teach: heard of by label or campaign, or unsuspected; not lately heard; within its share."""
        record, at, control = assessment.record, assessment.at, self._control
        is_heard = record.learned_at and at - record.learned_at < LESSON_EVERY_MS
        if is_heard or record.behaviour.exchanges < TEACHER_EXCHANGES_MIN or control is None:
            return
        said = said_of(control, assessment.account, assessment.hits, at)
        may_speak_for_crowd = (said is None or not said.is_extraction) and _is_unsuspected(record, verdict, at)
        if said is None and not may_speak_for_crowd:
            return
        teachers = teachers_of(record)
        if not self._models.quota.allows(teachers):
            return
        record.learned_at = at
        self._models.quota.note(teachers)
        self._teach(record, features, said, may_speak_for_crowd=may_speak_for_crowd)

    def _teach(self, record: AccountRecord, features: Mapping[str, float], said: Said | None, *, may_speak_for_crowd: bool) -> None:
        models = self._models
        if may_speak_for_crowd:
            models.learn(squashed(features), record.past.moves() if record.past is not None else None)
            # Of the crowd no more examples than of harvesting, or it would drown them.
            if said is None and models.supervised.benign < models.supervised.extraction:
                said = Said(is_extraction=False, provenance=CROWD)
        if said is not None:
            models.learn_example(Lesson(scaled(ACCOUNT_FEATURES, features), said.is_extraction, said.provenance))


def _weight(cap: float, score: float, speaks_from: float) -> float:
    """Nothing where a model begins to speak, `cap` where it is certain."""
    return cap * (score - speaks_from) / (1.0 - speaks_from)


def _is_unsuspected(record: AccountRecord, verdict: Verdict, at: int) -> bool:
    # The crowd's own verdict does not count here: a model that shuts out its own edge would shrink for ever.
    others = fuse(one for one in verdict.reasons if one.code != "unlike_the_crowd")
    return others.score < TEACHER_SCORE_MAX and not record.standing.is_sanctioned(at)
