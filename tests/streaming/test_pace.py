"""When a shard may flush."""

from guard.streaming.pace import FLUSH_RECORDS, Pace


def test_the_first_flush_begins_at_once():
    """An event after a quiet night must not wait for a clock."""
    assert Pace(100).delay(now=50.0, waiting=1) == 0


def test_flushes_begin_at_the_set_distance():
    """Each transaction costs processor time whatever its size: few and large is the rule."""
    pace = Pace(100)
    pace.began(50.0)

    assert abs(pace.delay(now=50.04, waiting=1) - 0.06) < 1e-9
    assert pace.delay(now=50.2, waiting=1) == 0


def test_a_worker_that_is_behind_flushes_less_often():
    """A decision waits for the backlog then, not for the flush: the processor belongs to the backlog."""
    pace = Pace(100)
    pace.began(50.0)

    assert pace.delay(now=50.2, waiting=1, queued=10_000) > 0
    assert pace.delay(now=50.31, waiting=1, queued=10_000) == 0


def test_many_waiting_records_do_not_wait_for_the_clock():
    """During a backlog the size of a transaction is what must stay bounded."""
    pace = Pace(1_000)
    pace.began(50.0)

    assert pace.delay(now=50.001, waiting=FLUSH_RECORDS) == 0
