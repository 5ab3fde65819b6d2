"""The numbers an operator reads are those that the worker reported."""

import pytest
from prometheus_client import CollectorRegistry

from guard.engine.stage import Outcome
from guard.metrics import ControlCollector, Instruments, MetricsObserver
from guard.streaming.observer import FlushReport, LaneReport, Observer
from guard.streaming.stages import StageKind
from guard.topics import Topic
from tests.support.events import T0, open_control


class Clock:
    """A clock that the test moves, milliseconds."""

    now = T0

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def observer(registry, clock) -> Observer:
    return MetricsObserver(Instruments(registry), now=clock)


def flush(kind=StageKind.ACCOUNTS, *, shard=0, tallies=(), records=1, first=0, newest=0, committed=0) -> FlushReport:
    lane = LaneReport(kind, Outcome([], [], [], dict(tallies)), records, first, first, newest)
    return FlushReport(shard, (lane,), 0.02, committed)


def test_latency_is_from_the_oldest_append_to_the_commit(observer, registry):
    """It bounds the wait of every event in the flush, which is what the service level promises."""
    observer.flushed(flush(first=T0, committed=T0 + 240))

    assert registry.get_sample_value("guard_event_to_decision_seconds_sum") == pytest.approx(0.24)


def test_a_flush_without_events_has_no_latency(observer, registry):
    """A flush of links alone would otherwise look like the fastest decision of all."""
    observer.flushed(flush(records=0))
    observer.flushed(flush(StageKind.LINKS, first=T0, committed=T0 + 10))

    assert registry.get_sample_value("guard_event_to_decision_seconds_count") == 0
    assert registry.get_sample_value("guard_transaction_seconds_count") == 2


def test_the_watermark_ages_by_the_clock_while_records_wait(observer, registry, clock):
    """A worker that stands still reports nothing any more: the gauge has to grow by itself."""
    observer.flushed(flush(newest=T0))
    observer.lag(Topic.REQUESTS, 0, 5)
    clock.now = T0 + 90_000

    assert registry.get_sample_value("guard_watermark_age_seconds") == 90
    assert registry.get_sample_value("guard_consumer_lag_records", {"topic": "guard.requests"}) == 5


def test_a_quiet_stream_is_not_a_stalled_one(observer, registry, clock):
    """Nobody wants to be woken because nobody called the model."""
    observer.flushed(flush(newest=T0))
    observer.lag(Topic.REQUESTS, 0, 5)
    observer.lag(Topic.REQUESTS, 0, 0)
    clock.now = T0 + 3_600_000

    assert registry.get_sample_value("guard_watermark_age_seconds") == 0


def test_the_first_record_after_an_hour_of_quiet_is_not_an_hour_late(observer, registry, clock):
    """A partition with few accounts would otherwise raise the alarm with every event."""
    observer.flushed(flush(newest=T0))
    observer.lag(Topic.REQUESTS, 0, 0)
    clock.now = T0 + 3_600_000
    observer.lag(Topic.REQUESTS, 0, 1)
    clock.now += 2_000

    assert registry.get_sample_value("guard_watermark_age_seconds") == 2


def test_one_shard_that_stands_still_shows_beside_others_that_run(observer, registry, clock):
    """The mean of many shards would hide the one that is stuck."""
    for shard in range(4):
        observer.flushed(flush(shard=shard, newest=T0))
        observer.lag(Topic.REQUESTS, shard, 1)
    clock.now = T0 + 120_000
    for shard in range(1, 4):
        observer.flushed(flush(shard=shard, newest=clock.now))

    assert registry.get_sample_value("guard_watermark_age_seconds") == 120


@pytest.mark.parametrize(("kind", "shard", "topic", "partition"), [
    (StageKind.ACCOUNTS, 2, Topic.REQUESTS, 2), (StageKind.CAMPAIGNS, 4, Topic.SUSPICIONS, 0),
])  # fmt: skip
def test_a_released_shard_is_the_next_owners_business(observer, registry, clock, kind, shard, topic, partition):
    """Its lag would be shown twice, and its watermark would age for ever."""
    observer.lag(Topic.REQUESTS, 1, 0)
    observer.recovered(shard, 7, 1.5)
    observer.flushed(flush(kind, shard=shard, newest=T0, tallies={f"state.subjects.{kind}": 9}))
    observer.lag(topic, partition, 8)
    observer.released(shard)
    clock.now = T0 + 90_000

    assert registry.get_sample_value("guard_watermark_age_seconds") == 0
    assert registry.get_sample_value("guard_consumer_lag_records", {"topic": topic}) == 0
    assert registry.get_sample_value("guard_state_subjects", {"stage": kind}) == 0
    assert registry.get_sample_value("guard_shards") == 0


def test_the_size_of_the_state_is_the_sum_over_shards(observer, registry):
    """Each shard reports what it holds now, not what came since."""
    for shard, subjects in ((0, 10), (1, 20), (0, 15)):
        observer.flushed(flush(shard=shard, tallies={"state.subjects.accounts": subjects}))

    assert registry.get_sample_value("guard_state_subjects", {"stage": "accounts"}) == 35


def test_a_worker_that_ends_is_not_ready(observer, registry):
    """A load balancer of workers, and the stalled alert, look at this."""
    observer.ready(is_ready=True)
    ready = registry.get_sample_value("guard_ready")
    observer.interrupted("fenced")

    assert (ready, registry.get_sample_value("guard_ready")) == (1, 0)
    assert (observer.is_ready, observer.is_live) == (False, False)


def test_dead_letters_and_fail_open_count_from_zero(observer, registry):
    """An alert on an increase sees the first one only if the series was there before it."""
    before = registry.get_sample_value("guard_events_total", {"result": "dead_letter"}), registry.get_sample_value("guard_fail_open_total")
    observer.flushed(flush(tallies={"events.dead_letter": 3}))
    observer.failed_open(2)

    assert before == (0, 0)
    assert registry.get_sample_value("guard_events_total", {"result": "dead_letter"}) == 3
    assert registry.get_sample_value("guard_fail_open_total") == 2


def test_policy_metrics_follow_the_follower(registry):
    """A rejected document changes nothing, so that only a counter can tell of it."""

    class Follower:
        control = open_control()
        tallies = {"policy.accepted": 1, "policy.rejected": 2}  # noqa: RUF012

    registry.register(ControlCollector(Follower()))

    assert registry.get_sample_value("guard_policy_version") == 0
    assert registry.get_sample_value("guard_policy_rejected_total") == 2
