"""Every metric of a worker with the question that it answers; base units, prefix `guard_`, at most `SERIES_MAX` series."""

import platform
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, ProcessCollector, disable_created_metrics

from guard import __version__
from guard.metrics.labels import EVIDENCE, RESULTS, SOURCE_TOPICS, STAGES

SERIES_MAX: Final = 300
"""Series of one worker, whatever the traffic: a scrape of a thousand takes 29 ms of the event loop."""

LATENCY_BUCKETS: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300)
"""Seconds; 0.25 is the target for the 99th percentile, 2 the service level, the rest a backlog."""

TRANSACTION_BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)
"""Seconds; the broker aborts a transaction after ten."""

RECORDS_BUCKETS: Final = (1, 10, 100, 500, 1_000, 5_000, 20_000)
RECOVERY_BUCKETS: Final = (0.1, 0.5, 1, 5, 10, 30, 60, 300)


class Instruments:
    """The metrics, registered in `registry`. One set per process: two in one registry raise ValueError."""

    def __init__(self, registry: CollectorRegistry) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # they double the counters' series, and answer no question
        self.registry = registry
        self._of_events()
        self._of_decisions()
        self._of_work()
        self._of_worker()
        for result in RESULTS:
            self.events.labels(result)  # at 0 from the start, so that an increase from nothing is seen

    def _of_events(self) -> None:
        self.events = self._counter("guard_events", "Is every event accounted for? Events by result.", "result")
        self.invalid_fields = self._counter(
            "guard_invalid_fields", "Which optional fields does the gateway get wrong? Values that counted as missing.", "field"
        )
        self.evidence = self._counter("guard_evidence", "How much travels between the stages? Records of evidence taken in.", "kind")
        for kind in EVIDENCE.values():
            self.evidence.labels(kind)

    def _of_decisions(self) -> None:
        self.decisions = self._counter(
            "guard_decisions",
            "What does the guard decide, and on what ground? Decisions by action, mode, scope and leading family of evidence.",
            *("action", "mode", "scope", "family"),
        )
        self.event_to_decision = self._histogram(
            "guard_event_to_decision_seconds",
            "How long does an event wait to be decided? Append to commit, of the oldest event in each flush: an upper bound for the others.",
            LATENCY_BUCKETS,
        )
        self.fail_open = self._counter("guard_fail_open", "Are requests let through because the guard could not be asked? Those requests.")

    def _of_work(self) -> None:
        self.transaction = self._histogram(
            "guard_transaction_seconds", "How long does a flush take? From the begin of its transaction to the commit.", TRANSACTION_BUCKETS
        )
        self.flush_records = self._histogram("guard_flush_records", "How much is in a flush? Source records, by flush.", RECORDS_BUCKETS)
        self.lag = self._gauge(
            "guard_consumer_lag_records", "How much waits? Records not committed yet, over this worker's partitions.", "topic"
        )
        self.subjects = self._gauge("guard_state_subjects", "How many subjects are remembered? Over this worker's shards.", "stage")
        self.watermark_age = self._gauge(
            "guard_watermark_age_seconds",
            "Does the work stand still? Age of the newest event decided, where records wait; 0 when none does.",
        )
        for topic in SOURCE_TOPICS:
            self.lag.labels(topic)
        for stage in STAGES:
            self.subjects.labels(stage)

    def _of_worker(self) -> None:
        self.recovery = self._histogram(
            "guard_recovery_seconds", "How long was a shard without an owner at work? From assigned to recovered.", RECOVERY_BUCKETS
        )
        self.shards = self._gauge("guard_shards", "How many shards does this worker own and have recovered?")
        self.ready = self._gauge("guard_ready", "Are all of this worker's shards recovered and at work? 1 or 0.")
        self.learned = self._counter("guard_model_learned", "Do the online models learn? Lessons taken in.")
        self.changed = self._counter(
            "guard_model_changed", "Did the crowd that the models learn from change? Changes of their scores (ADWIN)."
        )
        self.model = Info("guard_model_version", "Which models did the newest decision rest on?", registry=self.registry)
        build = Info("guard_build", "Which program is this?", registry=self.registry)
        build.info({"version": __version__, "python": platform.python_version()})
        ProcessCollector(registry=self.registry)

    def _counter(self, name: str, question: str, *labels: str) -> Counter:
        return Counter(name, question, labels, registry=self.registry)

    def _gauge(self, name: str, question: str, *labels: str) -> Gauge:
        return Gauge(name, question, labels, registry=self.registry)

    def _histogram(self, name: str, question: str, buckets: tuple[float, ...]) -> Histogram:
        return Histogram(name, question, registry=self.registry, buckets=buckets)
