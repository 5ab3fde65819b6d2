"""What the online models say about an account, and what they may learn from it."""

from collections.abc import Mapping
from typing import Final

from guard.engine.account_record import AccountRecord
from guard.scoring.account_rules import reason
from guard.scoring.fusion import Verdict, fuse
from guard.scoring.learned.crowd import CAP, RANK_FROM, squashed
from guard.scoring.learned.models import ShardModels
from guard.scoring.learned.past import OwnPast
from guard.scoring.reasons import Reason
from guard.units import MINUTE_MS

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


class Learner:
    """The models of one shard as the accounts stage uses them."""

    def __init__(self, models: ShardModels) -> None:
        self._models = models

    def evidence(self, record: AccountRecord, features: Mapping[str, float], numbers: Mapping[str, float]) -> list[Reason]:
        """What the models say against the account."""
        found = []
        drift = drift_evidence(record.past, self._models, numbers["drift_score"])
        if drift is not None:
            found.append(drift)
        rank = self._models.crowd.rank(squashed(features)) if record.behaviour.exchanges >= TEACHER_EXCHANGES_MIN else 0.0
        if rank > RANK_FROM:
            weight = CAP * (rank - RANK_FROM) / (1.0 - RANK_FROM)
            found.append(reason("unlike_the_crowd", rank, RANK_FROM, 0.5, weight))
        return found

    def learn(self, record: AccountRecord, features: Mapping[str, float], verdict: Verdict, at: int) -> None:
        """One lesson, if the account may teach: unsuspected, unsanctioned, and not lately heard."""
        is_heard = record.learned_at and at - record.learned_at < LESSON_EVERY_MS
        if is_heard or record.behaviour.exchanges < TEACHER_EXCHANGES_MIN:
            return
        # The crowd's own verdict does not count here: a model that shuts out its own edge would shrink for ever.
        others = fuse(one for one in verdict.reasons if one.code != "unlike_the_crowd")
        if others.score >= TEACHER_SCORE_MAX:
            return
        if record.standing.is_sanctioned(at):
            return
        record.learned_at = at
        self._models.learn(squashed(features), record.past.moves() if record.past is not None else None)
