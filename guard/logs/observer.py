"""What a worker does, said in lines. It fits the shell's observer protocol by its shape, and imports none of it."""

from collections.abc import Sequence
from typing import Protocol

import structlog
from msgspec import UNSET

from guard.decisions.decision import Decision
from guard.engine.stage import Outcome
from guard.logs.rate import DECISION

_log = structlog.get_logger()


class Lane(Protocol):
    """One stage's part of a committed flush."""

    @property
    def outcome(self) -> Outcome:
        """What came of its records."""


class Flush(Protocol):
    """A committed flush of one shard."""

    @property
    def shard(self) -> int:
        """Whose flush."""

    @property
    def lanes(self) -> Sequence[Lane]:
        """One for each stage of the shard."""


class LogObserver:
    """One line for each committed decision; one for dead letters in a flush, a shard that comes or goes, and the end."""

    def __init__(self) -> None:
        self._is_ready = False

    def flushed(self, report: Flush) -> None:
        """A transaction has been committed."""
        for lane in report.lanes:
            for decision in lane.outcome.decided:
                log_decision(decision)
            letters = lane.outcome.tallies.get("events.dead_letter")
            if letters:
                _log.warning("dead_letters", shard=report.shard, records=letters)

    def recovered(self, shard: int, records: int, seconds: float) -> None:
        """A shard's state is back."""
        _log.info("shard_recovered", shard=shard, records=records, seconds=round(seconds, 3))

    def released(self, shard: int) -> None:
        """The shard is another worker's now."""
        _log.info("shard_released", shard=shard)

    def lag(self, topic: str, partition: int, records: int) -> None:
        """Lag is a matter of the metrics."""

    def ready(self, *, is_ready: bool) -> None:
        """Says so when it changes."""
        if is_ready != self._is_ready:
            self._is_ready = is_ready
            _log.info("ready" if is_ready else "not_ready")

    def interrupted(self, reason: str) -> None:
        """The worker ends for this reason."""
        _log.error("interrupted", reason=reason)


def log_decision(decision: Decision) -> None:
    """The line of a decision: whom, what, until when, on which grounds. The grounds' numbers stand in the decision itself."""
    optional = {"campaign": decision.campaign_id, "members": decision.members_total, "rate_rpm": decision.rate_rpm}
    _log.info(
        DECISION,
        id=decision.decision_id,
        scope=decision.scope,
        subject=decision.subject,
        part=decision.part,
        action=decision.action,
        mode=decision.mode,
        origin=decision.origin,
        score=decision.score,
        reasons=[reason.code for reason in decision.reasons],
        issued_at=decision.issued_at,
        expires_at=decision.expires_at,
        policy_version=decision.policy_version,
        model_version=decision.model_version,
        **{name: value for name, value in optional.items() if value is not UNSET},
    )
