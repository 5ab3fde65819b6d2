"""Partitions of a backlog are read evenly in event time; what is live waits for nobody."""

from collections.abc import Sequence

from aiokafka import ConsumerRecord
from hypothesis import given
from hypothesis import strategies as st

from guard.streaming.alignment import CHUNK_RECORDS, LIVE_MS, TURN_RECORDS, Alignment, event_time_of
from guard.streaming.batches import Batch
from guard.topics import Topic
from guard.units import DAY_MS, HOUR_MS
from tests.streaming.toy_engine import toy_event

NOW = 1_790_000_000_000
PAST = NOW - DAY_MS


def _record(partition: int, offset: int, at: int, value: bytes | None = None) -> ConsumerRecord:
    value = toy_event(offset, "alice", at) if value is None else value
    return ConsumerRecord(Topic.REQUESTS.value, partition, offset, NOW, 1, b"alice", value, None, 5, len(value), ())


def _batch(partition: int, times: Sequence[int], start: int = 0) -> Batch:
    records = [_record(partition, start + place, at) for place, at in enumerate(times)]
    return Batch(Topic.REQUESTS.value, partition, start, records, 1)


def _every(second: float, count: int, start: int = PAST) -> list[int]:
    return [start + int(place * second * 1_000) for place in range(count)]


def _drained(alignment: Alignment, now: int = NOW) -> list[ConsumerRecord]:
    taken: list[ConsumerRecord] = []
    while (chunk := alignment.next(now)) is not None:
        taken.extend(chunk.records)
    return taken


def test_a_backlog_is_read_in_the_order_of_its_event_time() -> None:
    """One fetch holds minutes of a quiet partition and seconds of a busy one: neither may run ahead by more than a chunk."""
    alignment = Alignment(lambda _, __: True)
    alignment.put(_batch(0, _every(1.0, 600)))
    alignment.put(_batch(1, _every(0.1, 6_000)))
    times = [event_time_of(record) for record in _drained(alignment)]
    behind = [max(times[: place + 1]) - at for place, at in enumerate(times)]

    assert len(times) == 6_600
    assert max(behind) <= CHUNK_RECORDS * 1_000


def test_a_partition_where_nothing_waits_holds_back_nobody() -> None:
    """An idle partition says nothing about time."""
    alignment = Alignment(lambda _, __: True)
    alignment.put(_batch(0, _every(1.0, 3)))
    _drained(alignment)
    alignment.put(_batch(1, _every(1.0, 50, PAST + HOUR_MS)))

    assert len(_drained(alignment)) == 50


def test_what_is_live_waits_for_no_backlog_beside_it() -> None:
    """A shard taken over from a dead worker brings its backlog along; the others' decisions must not be late for it."""
    alignment = Alignment(lambda _, __: True)
    alignment.put(_batch(0, _every(1.0, 5_000)))
    alignment.put(_batch(1, _every(0.01, CHUNK_RECORDS, NOW - LIVE_MS // 2)))
    order = [record.partition for record in _drained(alignment)]

    assert order.index(1) == TURN_RECORDS


def test_a_partition_whose_flush_is_full_lets_the_others_go_on() -> None:
    """It goes on after its flush; what lies behind it is kept."""
    full = {0}
    alignment = Alignment(lambda where, _: where.partition not in full)
    alignment.put(_batch(0, _every(1.0, 20)))
    alignment.put(_batch(1, _every(1.0, 20, PAST + HOUR_MS)))
    first = [record.partition for record in _drained(alignment)]
    is_empty = alignment.is_empty
    full.clear()

    assert first == [1] * 20
    assert not is_empty
    assert [record.offset for record in _drained(alignment)] == list(range(20))


def test_what_a_rebalance_overtakes_is_forgotten() -> None:
    """Its next owner reads it again."""
    alignment = Alignment(lambda _, __: True)
    alignment.put(_batch(0, _every(1.0, 20)))
    alignment.clear()

    assert alignment.is_empty
    assert alignment.next(NOW) is None


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(1, 40), st.integers(-HOUR_MS, HOUR_MS)), max_size=12))
def test_every_record_goes_once_and_in_its_partitions_order(batches: list[tuple[int, int, int]]) -> None:
    """Whatever the times say: a stage refuses what is out of its partition's order."""
    alignment = Alignment(lambda _, __: True)
    ends = [0, 0, 0, 0]
    for partition, count, offset_ms in batches:
        alignment.put(_batch(partition, _every(1.0, count, NOW + offset_ms), ends[partition]))
        ends[partition] += count
    taken = _drained(alignment)

    for partition, end in enumerate(ends):
        assert [record.offset for record in taken if record.partition == partition] == list(range(end))


def test_the_event_time_of_a_record_is_read_without_decoding_it() -> None:
    """As gateways write it, with and without blanks; never ahead of the append time; the append time of what cannot be read."""
    texts = (b'{"account_id":"a","event_time":1700000000000}', b'{ "event_time" : 1700000000001, "model": "m" }')
    odd = (b'{"model":"\\"event_time\\":5"}', b"no json", b"", b'{"event_time":99999999999999}')

    assert [event_time_of(_record(0, 0, 0, text)) for text in texts] == [1_700_000_000_000, 1_700_000_000_001]
    assert [event_time_of(_record(0, 0, 0, text)) for text in odd] == [NOW] * 4
