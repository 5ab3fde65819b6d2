"""Bounded records: never more than the bound, the oldest go first, and several at once where there are many."""

from guard.engine.bounded import Bounded, taken


def test_never_more_than_the_bound_and_the_oldest_go_first() -> None:
    """A sixty-fourth of them at once: looking for the oldest costs a scan."""
    records, gone = Bounded(iter(()), 640), []
    for key in range(1_000):
        gone += records.put(key, b"")
        assert len(records) <= 640

    assert gone == list(range(len(gone)))
    assert len(gone) % 10 == 0
    assert [key for key in range(1_000) if records.get(key) is not None] == list(range(len(gone), 1_000))


def test_a_record_that_is_written_again_keeps_its_place() -> None:
    """What is used often is no younger: the order is that of first sights."""
    records = Bounded(iter([(1, b"old"), (2, b"")]), 2)

    assert records.put(1, b"new") == []
    assert records.get(1) == b"new"
    assert records.put(3, b"") == [1]


def test_recovered_records_are_taken_out_of_the_shards_in_their_order() -> None:
    """Another kind's stay for their own owner."""
    all_records = {
        b"f:" + (2).to_bytes(8, "little"): b"two",
        b"o:" + (3).to_bytes(8, "little"): b"",
        b"f:" + (1).to_bytes(8, "little"): b"one",
    }
    found = taken(all_records, b"f:", 10)

    assert list(found.values()) == [b"two", b"one"]
    assert list(all_records) == [b"o:" + (3).to_bytes(8, "little")]
