"""What the worker reports, turned into metrics. It fits the shell's observer protocol by its shape, and imports none of it."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Final, Protocol

from prometheus_client import Counter

from guard.decisions.decision import Decision
from guard.engine.stage import Outcome
from guard.metrics.instruments import Instruments
from guard.metrics.labels import ACTIONS, EVIDENCE, FAMILIES, FIELDS, MODES, NO_FAMILY, OTHER, RESULTS, SCOPES, SOURCE_TOPICS, STAGES
from guard.metrics.watermark import Watermark
from guard.topics import Topic
from guard.units import SECOND_MS
from guard.wall_clock import wall_clock

DECISION_KINDS_MAX: Final = 90
"""Combinations of action, mode, scope and family counted apart. Later ones are counted with family `other`: at most 41 more."""

INVALID: Final = "invalid."
SUBJECTS: Final = "state.subjects."


class Lane(Protocol):
    """One stage's part of a committed flush."""

    @property
    def kind(self) -> str:
        """The stage."""

    @property
    def outcome(self) -> Outcome:
        """What came of its records."""

    @property
    def records(self) -> int:
        """Source records taken in."""

    @property
    def appended_first(self) -> int:
        """Append time of the first of them, milliseconds; 0 if there was none."""

    @property
    def newest_at(self) -> int:
        """Newest event time taken in, milliseconds; 0 before the first."""


class Flush(Protocol):
    """A committed flush of one shard."""

    @property
    def shard(self) -> int:
        """Whose flush."""

    @property
    def lanes(self) -> Sequence[Lane]:
        """One for each stage of the shard."""

    @property
    def transaction_seconds(self) -> float:
        """From begin to commit."""

    @property
    def committed_at(self) -> int:
        """The machine's clock after the commit, milliseconds."""


class MetricsObserver:
    """Counts what it is told into `instruments`. A name that is in no closed list makes no series."""

    def __init__(self, instruments: Instruments, *, now: Callable[[], int] = wall_clock) -> None:
        self.is_ready = False
        """All shards of the worker are recovered and at work."""
        self.is_live = True
        """The worker has not been told to end by a fault."""
        self._to = instruments
        self._now = now
        self._watermark = Watermark()
        self._shards: set[int] = set()
        self._decided: dict[tuple[str, str, str, str], Counter] = {}
        self._counters = _counters(instruments)
        self._held: dict[str, dict[int, int]] = {}
        """Tally of the state's size -> shard -> value."""
        for topic in SOURCE_TOPICS:
            instruments.lag.labels(topic).set_function(partial(self._watermark.lag, topic))
        instruments.watermark_age.set_function(lambda: self._watermark.age_seconds(self._now()))
        instruments.shards.set_function(lambda: len(self._shards))

    def flushed(self, report: Flush) -> None:
        """A transaction has been committed."""
        self._to.transaction.observe(report.transaction_seconds)
        self._to.flush_records.observe(sum(lane.records for lane in report.lanes))
        for lane in report.lanes:
            self._take(lane, report)

    def _take(self, lane: Lane, report: Flush) -> None:
        if lane.kind not in STAGES:
            return
        topic = SOURCE_TOPICS[STAGES.index(lane.kind)]
        self._watermark.decided((topic, 0 if topic == Topic.SUSPICIONS else report.shard), lane.newest_at)
        if topic == Topic.REQUESTS and lane.records and lane.appended_first:
            self._to.event_to_decision.observe(max(0, report.committed_at - lane.appended_first) / SECOND_MS)
        for name, count in lane.outcome.tallies.items():
            self._tally(name, count, report.shard)
        self._count_decisions(lane.outcome.decided)

    def _tally(self, name: str, count: int, shard: int) -> None:
        counter = self._counters.get(name)
        if counter is not None:
            counter.inc(count)
        elif name.startswith(INVALID):
            field = name.removeprefix(INVALID)
            self._to.invalid_fields.labels(field if field in FIELDS else OTHER).inc(count)
        elif name.startswith(SUBJECTS):
            self._hold(name, count, shard)

    def _hold(self, name: str, value: int, shard: int) -> None:
        stage = name.rsplit(".", 1)[1]
        if stage not in STAGES:
            return
        held = self._held.setdefault(name, {})
        held[shard] = value
        self._show_held(name)

    def _show_held(self, name: str) -> None:
        self._to.subjects.labels(name.rsplit(".", 1)[1]).set(sum(self._held[name].values()))

    def _count_decisions(self, decided: Sequence[Decision]) -> None:
        for decision in decided:
            kind = _kind(decision)
            counter = self._decided.get(kind) or self._decision_counter(kind)
            counter.inc()
        if decided:
            self._to.model.info({"version": decided[-1].model_version})

    def _decision_counter(self, kind: tuple[str, str, str, str]) -> Counter:
        if len(self._decided) >= DECISION_KINDS_MAX:
            return self._to.decisions.labels(*kind[:3], OTHER)
        self._decided[kind] = self._to.decisions.labels(*kind)
        return self._decided[kind]

    def recovered(self, shard: int, records: int, seconds: float) -> None:  # noqa: ARG002 (the protocol's)
        """A shard's state is back, `seconds` after it was assigned."""
        self._shards.add(shard)
        self._to.recovery.observe(seconds)

    def released(self, shard: int) -> None:
        """The shard is another worker's now: nothing of it is shown any more."""
        self._shards.discard(shard)
        self._watermark.forget(shard)
        for name, held in self._held.items():
            if held.pop(shard, None) is not None:
                self._show_held(name)

    def lag(self, topic: str, partition: int, records: int) -> None:
        """So many records of a source partition are not committed yet."""
        if topic in SOURCE_TOPICS:
            self._watermark.waits((topic, partition), records, self._now())

    def ready(self, *, is_ready: bool) -> None:
        """Whether all shards of the worker are recovered and at work."""
        self.is_ready = is_ready
        self._to.ready.set(is_ready)

    def interrupted(self, reason: str) -> None:  # noqa: ARG002 (a reason is for the log)
        """The worker ends."""
        self.is_live = False
        self.ready(is_ready=False)

    def failed_open(self, requests: int = 1) -> None:
        """An enforcer let requests through because it had no answer."""
        self._to.fail_open.inc(requests)


def _counters(instruments: Instruments) -> dict[str, Counter]:
    """Tally -> its counter, for the tallies that are one."""
    return {
        "models.learned": instruments.learned,
        "models.changed": instruments.changed,
        **{f"events.{result}": instruments.events.labels(result) for result in RESULTS},
        **{tally: instruments.evidence.labels(kind) for tally, kind in EVIDENCE.items()},
    }


def _kind(decision: Decision) -> tuple[str, str, str, str]:
    family = decision.reasons[0].family if decision.reasons else NO_FAMILY
    kind = (decision.action, decision.mode, decision.scope, family)
    return kind if _is_known(kind, (ACTIONS, MODES, SCOPES, FAMILIES)) else (OTHER, OTHER, OTHER, OTHER)


def _is_known(values: Iterable[str], sets: Iterable[frozenset[str]]) -> bool:
    return all(value in known for value, known in zip(values, sets, strict=True))
