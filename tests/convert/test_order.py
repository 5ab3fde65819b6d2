"""Events come out by time, whatever the size of the source."""

from hypothesis import given
from hypothesis import strategies as st

from guard.convert.order import TimeOrder


@given(st.lists(st.integers(0, 10**14), max_size=60), st.integers(1, 7))
def test_runs_on_disk_change_nothing_in_the_order(times, entries_max):
    """Memory is bounded by writing sorted runs; the merge must not show where they were cut."""
    with TimeOrder(entries_max) as order:
        for number, at_ms in enumerate(times):
            order.add(at_ms, b'{"event_id":"%04d"}' % number)
        found = list(order.in_order())

    assert found == [(at_ms, b'{"event_id":"%04d"}' % number) for at_ms, number in sorted(zip(times, range(len(times)), strict=True))]
