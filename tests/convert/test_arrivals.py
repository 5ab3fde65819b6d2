"""Drawn arrivals keep the window's rate, stay in the window, and vary as its law says."""

import itertools
import random
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guard.convert.arrivals import ArrivalWindow, draw_arrivals

WINDOWS = st.builds(
    ArrivalWindow,
    start_ms=st.integers(0, 10**9),
    length_ms=st.integers(1, 600_000),
    rate_per_second=st.floats(0, 2),
    law=st.sampled_from(["Gamma", "Weibull", ""]),
    shape=st.floats(0, 1e5),
)


@given(WINDOWS, st.integers(0, 99))
def test_arrivals_rise_and_stay_in_their_window(window, seed):
    """A resampled trace that leaves its windows would have another rhythm than the one measured."""
    times = list(draw_arrivals(window, random.Random(seed), 0))

    assert times == sorted(times)
    assert all(window.start_ms <= at < window.start_ms + window.length_ms for at in times)
    assert abs(len(times) - window.rate_per_second * window.length_ms / 1_000) <= 1


@pytest.mark.parametrize(("law", "shape", "low", "high"), [("Gamma", 1.0, 0.9, 1.1), ("Gamma", 0.2, 1.8, 2.7), ("Weibull", 0.4, 2.2, 4.5)])
def test_the_gaps_vary_as_the_law_says(law, shape, low, high):
    """Burstiness is what tells people from schedulers: drawing it wrong would calibrate us wrong."""
    times = list(draw_arrivals(ArrivalWindow(0, 10**9, 0.02, law, shape), random.Random(3), 0))
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]

    assert low < statistics.stdev(gaps) / statistics.mean(gaps) < high
