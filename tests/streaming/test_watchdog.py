"""What counts as life: progress, and nothing else."""

from aiokafka import TopicPartition

from guard.streaming import watchdog
from guard.streaming.watchdog import Progress, Silence, Standstill

REQUESTS = TopicPartition("guard.requests", 0)


def test_a_partition_with_records_that_never_arrive_has_stalled():
    """A consumer that slowly dies looks alive from outside."""
    progress = Progress(30.0)

    assert progress.stalled(0.0, {REQUESTS: (5, 9)}) is None
    assert progress.stalled(29.0, {REQUESTS: (5, 12)}) is None
    assert progress.stalled(31.0, {REQUESTS: (5, 12)}) == REQUESTS


def test_a_partition_that_moves_or_has_nothing_to_read_has_not_stalled():
    """A long backlog and a quiet night are no faults."""
    progress = Progress(30.0)
    progress.stalled(0.0, {REQUESTS: (5, 9)})

    assert progress.stalled(31.0, {REQUESTS: (6, 900)}) is None
    assert progress.stalled(62.0, {REQUESTS: (900, 900)}) is None
    assert progress.stalled(93.0, {REQUESTS: (900, 900)}) is None


def test_a_partition_that_comes_back_is_judged_anew(monkeypatch):
    """It was somebody else's meanwhile."""
    progress = Progress(30.0)
    progress.stalled(0.0, {REQUESTS: (5, 9)})
    progress.stalled(10.0, {})

    assert progress.stalled(31.0, {REQUESTS: (5, 9)}) is None


def test_a_long_rebalance_is_not_held_against_the_partitions_that_stay():
    """Nothing is read meanwhile; the time begins anew when the worker is ready again."""
    progress = Progress(30.0)
    progress.stalled(0.0, {REQUESTS: (5, 9)})
    progress.forget()

    assert progress.stalled(31.0, {REQUESTS: (5, 9)}) is None
    assert progress.stalled(62.0, {REQUESTS: (5, 9)}) == REQUESTS


def test_a_process_that_did_not_run_stood_still_and_one_that_worked_hard_did_not():
    """A stopped machine has lost its partitions; a busy one has kept its heartbeat, which runs in a thread of its own."""
    stopped, busy = Standstill(6.0), Standstill(6.0)
    wall, cpu = stopped._wall, stopped._cpu

    assert stopped.stood_still(wall + 20.0, cpu + 0.1) > 19.0
    assert busy.stood_still(busy._wall + 20.0, busy._cpu + 19.0) == 0.0
    assert watchdog.BEAT_SECONDS < 6.0


def test_a_broker_that_answers_nothing_for_longer_than_the_limit_is_silent():
    """An idle worker has no records that wait: silence alone tells that it is cut off."""
    silence = Silence(30.0)

    assert silence.unanswered(100.0, 130.0) == 0.0
    assert silence.unanswered(131.0, 161.0) == 61.0


def test_one_lost_answer_or_a_broker_that_is_back_in_time_is_no_silence():
    """A broker is restarted now and then, and a busy loop may miss an answer that has come."""
    silence = Silence(30.0)

    assert silence.unanswered(100.0, 140.0) == 0.0
    silence.answered()
    assert silence.unanswered(150.0, 151.0) == 0.0
    assert silence.unanswered(152.0, 153.0) == 0.0
