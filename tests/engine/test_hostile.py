"""Hostile records through the whole step."""

from tests.bench.whole_step import whole_step


def test_ten_thousand_mutated_records_leave_nothing_uncaught_and_every_dead_letter_counted() -> None:
    """One record that escapes stops a partition for everybody."""
    counted, tallied, written = whole_step(10_000, 3)

    assert counted + written == 10_000
    assert tallied == written > 0
