"""Workers hear from the contacts how far each other's shards have come."""

from aiokafka import ConsumerRecord
from hypothesis import given
from hypothesis import strategies as st

from guard.streaming.others import AHEAD_MS, FAR_FUTURE, FRESH_SECONDS, Others, progress_key
from guard.topics import Topic


def _told(key: bytes | None) -> ConsumerRecord:
    return ConsumerRecord(Topic.LINKS.value, 0, 0, 0, 1, key, b"", None, 0, 0, ())


def test_a_shard_goes_no_further_than_a_minute_ahead_of_another_workers_slowest() -> None:
    """Its own worker's shards are aligned already, and wait for none of themselves."""
    others = Others()
    others.hear([_told(progress_key(0, 5_000)), _told(progress_key(1, 9_000)), _told(progress_key(2, 7_000))], 1.0)

    assert others.horizon({0}, 1.0) == 7_000 + AHEAD_MS
    assert others.horizon({0, 1, 2}, 1.0) == FAR_FUTURE


def test_nobody_waits_for_a_shard_that_makes_no_progress() -> None:
    """An idle partition, a stopped worker, or one that repeats itself: no reason to stand still."""
    others = Others()
    others.hear([_told(progress_key(1, 9_000))], 1.0)
    others.hear([_told(progress_key(1, 9_000))], 3.0)

    assert others.horizon(set(), 1.0 + FRESH_SECONDS) == 9_000 + AHEAD_MS
    assert others.horizon(set(), 1.1 + FRESH_SECONDS) == FAR_FUTURE


@given(st.one_of(st.none(), st.binary(max_size=12)))
def test_a_key_that_says_nothing_is_none_of_ours(key: bytes | None) -> None:
    """Records from before the keys, or of somebody else's making, hold back nobody who is at work."""
    others = Others()
    others.hear([_told(key)], 1.0)

    assert others.horizon(set(), 1.0) >= AHEAD_MS
