"""A stage's place in its partition: outcome and offset always belong together."""

from aiokafka import ConsumerRecord
from hypothesis import given
from hypothesis import strategies as st

from guard.control.board import opening_control
from guard.streaming.lane import SPAN_MS, Lane
from guard.streaming.stages import StageKind
from tests.streaming.toy_engine import ToyAccounts, toy_event

CONTROL = opening_control(enforce=False)


def _record(offset: int) -> ConsumerRecord:
    value = toy_event(offset, "alice", 1_000 + offset)
    return ConsumerRecord("guard.requests", 0, offset, 5_000 + offset, 1, b"alice", value, None, 5, len(value), ())


def _lane(next_offset: int = 0) -> Lane:
    return Lane(StageKind.ACCOUNTS, 0, ToyAccounts(0, 1, {}, CONTROL), next_offset)


def test_a_drain_without_new_records_moves_no_offset():
    """Nothing to write and no offset moved: no transaction."""
    lane = _lane(7)
    drained = lane.drain()

    assert drained.offset is None
    assert drained.outcome.is_empty


def test_records_from_before_the_wanted_offset_are_not_taken_again():
    """After a rewind a fetch may begin early; the account was counted once already."""
    lane = _lane()
    lane.step([_record(0), _record(1)])
    taken = lane.step([_record(1), _record(2)])

    assert taken == 1
    assert lane.drain().records == 3


def test_offsets_may_skip_what_is_no_record():
    """Transaction markers take offsets of their own."""
    lane = _lane()
    lane.step([_record(4), _record(9)])
    drained = lane.drain()

    assert (drained.offset, drained.records) == (10, 2)
    assert (drained.appended_first, drained.appended_last) == (5_004, 5_009)


@given(st.lists(st.integers(1, 5), max_size=20), st.lists(st.booleans(), min_size=20, max_size=20))
def test_however_records_are_cut_every_one_is_drained_exactly_once(sizes, drains):
    """Batches and flushes fall as they may; counts and offsets must not depend on it."""
    lane, offset, drained = _lane(), 0, []
    for size, is_drained in zip(sizes, drains, strict=False):
        lane.step([_record(offset + step) for step in range(size)])
        offset += size
        if is_drained:
            drained.append(lane.drain())
    drained.append(lane.drain())

    assert sum(part.records for part in drained) == offset
    assert [part.offset for part in drained if part.offset is not None][-1:] == ([offset] if offset else [])


def test_a_flush_holds_half_a_minute_of_event_time_and_the_next_one_goes_on() -> None:
    """A backlog is told in portions; after the drain there is room again."""
    lane = _lane()
    first = lane.has_room(1_000)
    lane.step([_record(0)])
    seen = lane.has_room(1_000 + SPAN_MS), lane.has_room(1_001 + SPAN_MS)
    lane.drain()

    assert first
    assert seen == (True, False)
    assert lane.has_room(1_001 + SPAN_MS)


def test_a_late_record_leaves_room_for_those_that_are_not() -> None:
    """A flush that begins with an event of an hour ago still takes the events of now."""
    lane = _lane()
    lane.step([_record(3_600_000)])
    lane.drain()
    lane.has_room(1_000)
    lane.step([_record(3_600_001)])

    assert lane.has_room(3_601_000)
