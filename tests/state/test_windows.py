"""Decaying windows."""

import math
import random

from hypothesis import given
from hypothesis import strategies as st

from guard.state.windows import DAY_REQUESTS, HOUR_REQUESTS, MINUTE_REQUESTS, Windows
from guard.units import DAY_MS, HOUR_MS, MINUTE_MS


@given(times=st.lists(st.integers(0, 6 * HOUR_MS), min_size=1, max_size=50), dice=st.randoms())
def test_sums_do_not_depend_on_arrival_order(times: list[int], dice: random.Random) -> None:
    """Kafka may reorder events; only when they happened may matter (up to 32-bit rounding)."""
    in_order, shuffled = Windows(), Windows()
    for at in sorted(times):
        in_order.observe(at, 1.0, 100, 50, 0)
    dice.shuffle(times)
    for at in times:
        shuffled.observe(at, 1.0, 100, 50, 0)

    assert in_order.at == shuffled.at
    assert all(math.isclose(one, other, rel_tol=1e-4, abs_tol=1e-4) for one, other in zip(in_order.sums, shuffled.sums, strict=True))


def test_an_exchange_is_worth_half_after_a_half_life() -> None:
    """The unit of the three scales is their half-life."""
    windows = Windows()
    windows.observe(DAY_MS, 1.0, 0, 0, 0)

    assert math.isclose(windows.past(DAY_MS + MINUTE_MS, MINUTE_REQUESTS), 0.5, rel_tol=1e-6)
    assert math.isclose(windows.past(DAY_MS + HOUR_MS, HOUR_REQUESTS), 0.5, rel_tol=1e-6)
    assert math.isclose(windows.past(2 * DAY_MS, DAY_REQUESTS), 0.5, rel_tol=1e-6)


def test_a_steady_rate_is_read_back() -> None:
    """A rule that names a rate must mean that rate."""
    windows = Windows()
    for second in range(600):
        windows.observe(DAY_MS + second * 1_000, 1.0, 0, 0, 0)

    assert 55 < windows.steady_per_minute(MINUTE_REQUESTS) < 65
