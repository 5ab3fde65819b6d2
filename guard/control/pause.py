"""The switch that suspends every sanction: one decision of scope `all`, written without any worker's help."""

from typing import Final

from guard.control.produce import idempotent_producer
from guard.control.reach import reaching
from guard.control.topics_read import partition_counts
from guard.decisions.decision import Action, Decision, Mode, Origin, Scope, encode_decision, sealed
from guard.errors import ClusterMismatchError, UsageError
from guard.scoring.reasons import Family, Reason
from guard.topics import Topic
from guard.units import DAY_MS, MINUTE_MS, EventTimeMs

PAUSE_MS_MIN: Final = MINUTE_MS
PAUSE_MS_MAX: Final = DAY_MS
"""Who wants longer wants another policy: mode `shadow`."""

NOTE_CHARS_MAX: Final = 256


def pause_decision(at: EventTimeMs, for_ms: int) -> Decision:
    """Suspend every sanction from `at` (UTC, milliseconds) for `for_ms`. Raises UsageError outside a minute to a day."""
    if not PAUSE_MS_MIN <= for_ms <= PAUSE_MS_MAX:
        raise UsageError(f"pause of {for_ms} ms; it should last between one minute and one day (for longer, set mode to shadow by policy)")
    return _everything_allowed(at, EventTimeMs(at + for_ms))


def resume_decision(at: EventTimeMs) -> Decision:
    """End a pause at `at`: an `allow` that is over as it begins."""
    return _everything_allowed(at, at)


def _everything_allowed(at: EventTimeMs, expires_at: EventTimeMs) -> Decision:
    return sealed(
        Decision(
            scope=Scope.ALL,
            subject="*",
            action=Action.ALLOW.word,
            issued_at=at,
            expires_at=expires_at,
            score=0.0,
            reasons=(Reason("operator_order", Family.LABEL, 1.0, 1.0, 0.0, 1.0),),
            policy_version=0,  # a pause asks no policy, so that it needs nothing but the broker
            model_version="none",
            origin=Origin.OPERATOR,
            mode=Mode.ENFORCE,
        )
    )


async def publish_everywhere(bootstrap: str, decision: Decision, note: str = "") -> None:
    """Write the decision to the last partition of `guard.decisions`, the campaigns stage's own (contract).

    `note` goes into the record header of that name: for people, no reader depends on it.
    """
    headers = [("note", note[:NOTE_CHARS_MAX].encode())] if note else []
    with reaching(bootstrap):
        counts = await partition_counts(bootstrap, (Topic.REQUESTS, Topic.DECISIONS))
        last = counts[Topic.REQUESTS]
        if counts[Topic.DECISIONS] != last + 1:
            raise ClusterMismatchError(
                f"{Topic.DECISIONS} has {counts[Topic.DECISIONS]} partitions; it should have {last + 1}, one more than {Topic.REQUESTS}"
            )
        async with idempotent_producer(bootstrap) as producer:
            await producer.send_and_wait(Topic.DECISIONS, encode_decision(decision), key=decision.key, partition=last, headers=headers)
