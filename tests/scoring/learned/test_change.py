"""Changes of the models' own scores: news when the crowd moves, silence while it does not."""

import random

from guard.scoring.learned.change import ScoreChange


def test_a_steady_crowd_gives_no_alarm() -> None:
    """An alarm a day would be read by nobody."""
    change, dice = ScoreChange(), random.Random(1)
    for _ in range(5_000):
        change.observe(dice.random(), dice.betavariate(1, 9))

    assert change.drain() == 0


def test_a_crowd_that_moves_is_noticed_within_five_hundred_lessons_and_told_once() -> None:
    """Boiling the frog changes what lessons score long before it changes a verdict."""
    change, dice = ScoreChange(), random.Random(1)
    for _ in range(1_000):
        change.observe(dice.random(), None)
    for _ in range(500):
        change.observe(dice.betavariate(5, 2), None)

    assert change.drain() >= 1
    assert change.drain() == 0
