"""Hot records: bounded, also for a stage that has nothing to write for long."""

from guard.engine.hot_records import HotRecords

HOT_MAX = 8


def _records() -> HotRecords[str, str]:
    return HotRecords(
        {}, lambda name: name.encode(), lambda record: record.encode(), lambda packed, _: packed.decode(), is_journaled=False, hot_max=HOT_MAX
    )  # fmt: skip


def test_records_beyond_the_bound_ask_for_a_drain_and_are_cooled_by_it() -> None:
    """Replay puts off drains that would write nothing; the bound of memory may not wait with them."""
    records = _records()
    for number in range(HOT_MAX + 1):
        assert not records.is_full
        records.put(f"account-{number}", f"record-{number}")

    assert records.is_full
    assert list(records.drain()) == []
    assert not records.is_full
    assert [records.get(f"account-{number}") for number in range(HOT_MAX + 1)] == [f"record-{number}" for number in range(HOT_MAX + 1)]
