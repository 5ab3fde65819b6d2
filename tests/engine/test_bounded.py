"""Bounded records: what was put is there, never more than the bound, and what gives way is old."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guard.engine.bounded import BUCKET_MAX, PER_BUCKET, Bounded, taken

KEYS = st.integers(0, 40)


def _key(number: int) -> int:
    """Keys are hashes: their places follow no order."""
    return number * 0x9E3779B97F4A7C15 & (1 << 64) - 1


@given(st.integers(1, 50), st.lists(st.tuples(KEYS, st.one_of(st.none(), st.binary(max_size=300)))))
def test_it_holds_what_a_dictionary_would_but_for_what_gave_way(most: int, writes: list[tuple[int, bytes | None]]) -> None:
    """None stands for forgetting; whatever gave way was told of."""
    records, expected = Bounded(most), {}
    for number, packed in writes:
        if packed is None:
            assert records.pop(_key(number)) == (expected.pop(_key(number), None) is not None)
            continue
        expected[_key(number)] = packed
        gone = records.put(_key(number), packed)
        if gone is not None:
            assert gone != _key(number)
            del expected[gone]

    assert len(records) == len(expected) <= most
    assert {key: records.get(key) for key in expected} == expected
    assert sorted(records) == sorted(expected.values())
    assert records.get(_key(41)) is None


def test_a_small_one_forgets_in_the_order_of_first_sights() -> None:
    """What is written again is no younger."""
    records = Bounded(PER_BUCKET)
    assert [records.put(_key(number), b"") for number in (*range(PER_BUCKET), 0)] == [None] * (PER_BUCKET + 1)

    assert [records.put(_key(number), b"") for number in (16, 17)] == [_key(0), _key(1)]


def test_in_a_large_one_what_gives_way_is_among_the_oldest() -> None:
    """Each bucket forgets its own oldest, and all fill alike: nothing of the newest half is lost, next to nothing of the next quarter."""
    records = Bounded(10_000)
    for number in range(30_000):
        records.put(_key(number), b"")
    kept = [number for number in range(30_000) if records.get(_key(number)) is not None]

    assert len(kept) == 10_000
    assert kept[-5_000:] == list(range(25_000, 30_000))
    assert sum(number >= 22_500 for number in kept) > 0.9 * 7_500


def test_keys_that_were_picked_to_meet_in_one_bucket_stay_few() -> None:
    """Some of what is hashed, a client may choose; each write copies its bucket."""
    records = Bounded(1 << 20)
    gone = [records.put(number, b"") for number in range(2 * BUCKET_MAX)]

    assert gone == [None] * BUCKET_MAX + list(range(BUCKET_MAX))
    assert len(records) == BUCKET_MAX


def test_keys_of_one_shard_fill_all_buckets() -> None:
    """They agree in their low bits: a shard is the remainder of a key."""
    records = Bounded(100_000)
    gone = [records.put(_key(number) & ~0xFFF, b"") for number in range(100_000)]

    assert gone == [None] * 100_000


def test_a_key_whose_bytes_lie_across_two_others_is_not_found() -> None:
    """They are one string, and a match counts only where a key begins."""
    dice = random.Random(1)
    first, second = dice.randbytes(8), dice.randbytes(8)
    records = Bounded(PER_BUCKET)
    for key in (first, second):
        records.put(int.from_bytes(key, "little"), key)

    assert records.get(int.from_bytes(first[3:] + second[:3], "little")) is None
    assert records.get(int.from_bytes(second, "little")) == second


def test_recovered_records_are_taken_out_of_the_shards() -> None:
    """Another kind's stay for their own owner."""
    all_records = {
        b"f:" + (2).to_bytes(8, "little"): b"two",
        b"o:" + (3).to_bytes(8, "little"): b"",
        b"f:" + (1).to_bytes(8, "little"): b"one",
    }
    found, gone = taken(all_records, b"f:", 10)

    assert (list(found), gone) == ([b"two", b"one"], [])
    assert list(all_records) == [b"o:" + (3).to_bytes(8, "little")]


def test_of_more_recovered_records_than_the_bound_those_that_give_way_are_told_of() -> None:
    """Their removal belongs into the changelog, or it keeps them for ever."""
    keys = [b"o:" + number.to_bytes(8, "little") for number in range(5)]

    assert taken(dict.fromkeys(keys, b""), b"o:", 3)[1] == keys[:2]


def test_a_record_that_is_too_long_spoils_nothing() -> None:
    """Nothing that events carry is, but a bucket is shared."""
    records = Bounded(PER_BUCKET)
    records.put(1, b"one")
    for key in (1, 2):
        with pytest.raises(OverflowError):
            records.put(key, bytes(1 << 16))
    records.put(3, b"three")

    assert [records.get(key) for key in (1, 2, 3)] == [b"one", None, b"three"]
