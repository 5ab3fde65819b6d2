"""A subject against its own past: the two stories it is there for, and the honest ones that look alike."""

import math
import random
from collections.abc import Iterable, Iterator

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from guard.scoring.learned.drift import WEIGHTS, DriftModel
from guard.scoring.learned.past import MOVES, OwnPast
from guard.units import DAY_MS, HOUR_MS

T0 = 1_790_000_000_000
DRIFT_SCORE = 0.7
"""The built-in policy's threshold."""

Exchange = tuple[int, float, float, float]


def chat(dice: random.Random, start: int, days: int) -> Iterator[Exchange]:
    """A person by day: three sessions of a few turns, answers of 300 tokens, reasoning hardly ever asked for."""
    for day in range(days):
        for begins in sorted(8 + 12 * dice.random() for _ in range(3)):
            at = start + day * DAY_MS + int(begins * HOUR_MS)
            for turn in range(1 + int(dice.expovariate(0.2))):
                yield at, dice.lognormvariate(5.7, 0.8), dice.betavariate(1, 20), float(turn == 0)
                at += int(dice.lognormvariate(11, 0.8))


def take(past: OwnPast, exchanges: Iterable[Exchange]) -> OwnPast:
    for exchange in exchanges:
        past.observe(*exchange)
    return past


def settled(seed: int) -> OwnPast:
    """An account after eight quiet days."""
    return take(OwnPast(), chat(random.Random(seed), T0, 8))


def score(past: OwnPast, model: DriftModel | None = None) -> float:
    moves = past.moves()
    return 0.0 if moves is None else (model or DriftModel()).score(moves)


def harvest(dice: random.Random, start: int, exchanges: int) -> Iterator[Exchange]:
    """Six a minute: long answers with their reasoning written out, one turn each."""
    for number in range(exchanges):
        yield start + number * 10_000, dice.lognormvariate(7.8, 0.3), dice.betavariate(17, 3), 1.0


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_stolen_key_is_seen_within_fifty_exchanges_and_stays_seen(seed: int) -> None:
    """Whoever steals the key of a quiet account has neither its pace nor its questions; going on must not make it normal."""
    past, dice = settled(seed), random.Random(seed)
    take(past, harvest(dice, T0 + 9 * DAY_MS, 50))
    after_fifty = score(past)
    take(past, harvest(dice, past.at + 10_000, 5_000))

    assert after_fifty >= DRIFT_SCORE
    assert score(past) >= DRIFT_SCORE


@pytest.mark.parametrize("days", [3, 7, 14])
def test_a_slow_ramp_leaves_its_past_behind(days: int) -> None:
    """Boiling the frog: every day a little more, until the account harvests. Its past may not come along."""
    past, dice, start = settled(4), random.Random(4), T0 + 8 * DAY_MS
    at = start
    while at < start + days * DAY_MS:
        done = (at - start) / (days * DAY_MS)
        at += 1 + int(dice.expovariate(1.5 * 133.0**done) * HOUR_MS)
        asking = min(1.0, max(0.0, 0.05 + 0.8 * done + dice.gauss(0, 0.05)))
        past.observe(at, math.exp(5.7 + 2.1 * done), asking, float(dice.random() < 0.25 + 0.75 * done))

    assert score(past) >= DRIFT_SCORE


def test_a_launch_is_no_drift() -> None:
    """Twenty times the rate with the same questions is success, not theft (hard negative N6)."""
    past, dice = settled(5), random.Random(5)
    worst = 0.0
    for number in range(2_000):
        past.observe(T0 + 9 * DAY_MS + number * 6_000, dice.lognormvariate(5.7, 0.8), dice.betavariate(1, 20), float(dice.random() < 0.25))
        worst = max(worst, score(past))

    assert worst < 0.5


def test_a_migration_to_longer_answers_is_no_drift() -> None:
    """A new model writes three times as much (hard negative N10)."""
    past, worst = settled(6), 0.0
    for at, output, asking, single in chat(random.Random(6), T0 + 9 * DAY_MS, 7):
        past.observe(at, 3 * output, asking, single)
        worst = max(worst, score(past))

    assert worst < 0.5


def test_people_with_nights_and_pauses_do_not_drift() -> None:
    """Day and night, a busy afternoon, a long answer now and then: 100 people, two weeks, none near the threshold."""
    worst = 0.0
    for person in range(100):
        past = OwnPast()
        for exchange in chat(random.Random(person), T0, 14):
            past.observe(*exchange)
            worst = max(worst, score(past))

    assert worst < 0.5


def test_one_odd_exchange_after_a_pause_says_little() -> None:
    """After a night the recent side is a single exchange."""
    past = settled(7)
    past.observe(T0 + 9 * DAY_MS, 8_000.0, 1.0, 1.0)

    assert score(past) < 0.3


def test_moving_away_from_extraction_scores_nothing() -> None:
    """Only one side is of interest."""
    past = take(OwnPast(), (exchange for day in range(3) for exchange in harvest(random.Random(day), T0 + day * DAY_MS, 500)))
    take(past, ((T0 + 4 * DAY_MS + number * HOUR_MS, 20.0, 0.0, 0.0) for number in range(48)))

    assert score(past) == 0.0


def test_a_newcomer_has_no_past_to_drift_from() -> None:
    """Thirty exchanges over a day come first."""
    young = take(OwnPast(), harvest(random.Random(8), T0, 500))
    few = take(OwnPast(), ((T0 + day * DAY_MS, 300.0, 0.0, 0.0) for day in range(29)))

    assert young.moves() is None
    assert few.moves() is None


@given(st.lists(st.tuples(st.integers(-HOUR_MS, DAY_MS), st.floats(0, 1e7), st.floats(0, 1), st.floats(0, 1)), max_size=60))
def test_a_restored_past_goes_on_as_one_that_stayed(steps: list[tuple[int, float, float, float]]) -> None:
    """A crash between any two exchanges changes nothing, and late ones break nothing."""
    stayed, packed, at = OwnPast(), msgspec.msgpack.encode(OwnPast()), T0
    for step, *told in steps:
        at = max(1, at + step)
        stayed.observe(at, *told)
        restored = msgspec.msgpack.decode(packed, type=OwnPast)
        restored.observe(at, *told)
        packed = msgspec.msgpack.encode(restored)

    assert packed == msgspec.msgpack.encode(stayed)
    assert len(packed) <= 107
    assert all(math.isfinite(move) for move in stayed.moves() or ())


@given(st.tuples(*(st.floats(-20, 20) for _ in MOVES)), st.integers(0, 3), st.floats(0, 20))
def test_more_of_any_move_never_scores_less(moves: tuple[float, ...], place: int, more: float) -> None:
    """Monotone, and within 0-1."""
    model = DriftModel()
    further = tuple(move + more if number == place else move for number, move in enumerate(moves))

    assert 0.0 <= model.score(moves) <= model.score(further) <= 1.0


def test_no_lesson_can_switch_drift_off() -> None:
    """Even a crowd that is nothing but harvesters widens the scales to twice their size at most."""
    model, dice = DriftModel(), random.Random(9)
    for _ in range(1_000):
        model.learn(tuple(dice.uniform(-50, 50) for _ in MOVES))

    assert model.score((4.0, 2.5, 0.4, 0.6)) > 1.0 - math.prod(1.0 - weight / 2.1 for weight in WEIGHTS)
