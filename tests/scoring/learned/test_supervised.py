"""The supervised model: equal lessons equal weights, lessons that can be taken back, and nobody who dominates."""

import hashlib
import os
import random
import subprocess
import sys

import msgspec
import pytest

from guard.features.accounts import ACCOUNT_FEATURES
from guard.scoring.learned.models import SNAPSHOT_BYTES_MAX, ShardModels
from guard.scoring.learned.quota import LESSONS, LESSONS_PER_TEACHER_MAX, Quota, teacher
from guard.scoring.learned.supervised import EACH_MIN, LESSONS_MAX, WEIGHT_MAX, Lesson, SupervisedModel, scaled


def example(dice: random.Random, provenance: str = "label", *, is_extraction: bool) -> Lesson:
    """One account: a harvester asks for reasoning, one turn deep; people seldom do."""
    features = {
        "pace_rpm": dice.lognormvariate(4 if is_extraction else 2, 1), "day_requests": dice.lognormvariate(5, 1),
        "elicitation_share": dice.betavariate(8, 2) if is_extraction else dice.betavariate(1, 20),
        "single_turn_share": dice.betavariate(9, 1) if is_extraction else dice.betavariate(2, 5),
    }  # fmt: skip
    return Lesson(scaled(ACCOUNT_FEATURES, features), is_extraction, provenance)


def examples(count: int, seed: int = 3) -> list[Lesson]:
    dice = random.Random(seed)
    return [example(dice, is_extraction=bool(place % 2)) for place in range(count)]


def digest(count: int) -> str:
    """The bytes of models that had so many lessons, as one word."""
    models = ShardModels(1)
    for lesson in examples(count):
        models.learn_example(lesson)
    return hashlib.sha256(models.to_bytes()).hexdigest()


def test_it_says_nothing_before_it_has_seen_enough_of_both_kinds() -> None:
    """A model of a handful of examples is a rumour."""
    model = SupervisedModel(lessons=tuple(examples(2 * EACH_MIN - 2)))

    assert model.score(examples(2)[1].features) == 0.0


def test_it_tells_harvesters_from_people_after_two_hundred_examples() -> None:
    """Labels must be worth an analyst's while."""
    model, unseen = SupervisedModel(lessons=tuple(examples(200))), examples(200, seed=9)
    right = sum((model.score(lesson.features) > 0.5) == lesson.is_extraction for lesson in unseen)

    assert right >= 190


def test_it_learns_nothing_from_shuffled_verdicts() -> None:
    """What has no cause must give no evidence."""
    dice = random.Random(4)
    lessons = tuple(msgspec.structs.replace(lesson, is_extraction=dice.random() < 0.5) for lesson in examples(400))
    scores = [SupervisedModel(lessons=lessons).score(lesson.features) for lesson in examples(50, seed=9)]

    assert max(scores) < 0.9


@pytest.mark.parametrize("count", [0, 1, 39, LESSONS_MAX, LESSONS_MAX + 1, 3 * LESSONS_MAX])
def test_restored_models_go_on_as_those_that_stayed(count: int) -> None:
    """A crash must not make another judge, whatever was frozen meanwhile."""
    stayed = ShardModels(1, "0123abcd")
    for lesson in examples(count):
        stayed.learn_example(lesson)
    restored = ShardModels.from_bytes(stayed.to_bytes())
    for lesson in examples(300, seed=5):
        stayed.learn_example(lesson)
        restored.learn_example(lesson)

    assert restored.to_bytes() == stayed.to_bytes()
    assert restored.supervised.weights() == stayed.supervised.weights()
    assert len(stayed.to_bytes()) <= SNAPSHOT_BYTES_MAX


def test_equal_lessons_give_equal_bytes_whatever_the_hash_seed() -> None:
    """Sums of floats depend on their order: it must be the lessons' order and no other."""
    program = "from tests.scoring.learned.test_supervised import digest; print(digest(700))"
    answers = {
        subprocess.run([sys.executable, "-c", program], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=True).stdout
        for seed in ("1", "77")
    }

    assert answers == {f"{digest(700)}\n".encode()}


def test_lessons_taken_back_are_as_if_they_had_never_been() -> None:
    """A campaign that is revoked must not go on teaching."""
    dice, lessons = random.Random(6), examples(100)
    wrong = [example(dice, "c-7", is_extraction=True) for _ in range(30)]
    model = SupervisedModel(lessons=(*lessons[:50], *wrong, *lessons[50:]))
    gone = model.take_back(lambda provenance: provenance == "c-7")

    assert gone == 30
    assert model.weights() == SupervisedModel(lessons=tuple(lessons)).weights()
    assert model.score(lessons[0].features) == SupervisedModel(lessons=tuple(lessons)).score(lessons[0].features)


def test_no_lesson_makes_a_weight_leave_its_bounds() -> None:
    """Ten thousand copies of one lesson are a poisoning, not a truth."""
    model, dice = SupervisedModel(), random.Random(2)
    hot, cold = example(dice, is_extraction=True), example(dice, is_extraction=False)
    for _ in range(2_000):
        model.learn(hot)
        model.learn(cold)

    assert max(abs(weight) for weight in model.weights().weights.values()) <= WEIGHT_MAX
    assert len(model.lessons) <= LESSONS_MAX


def test_scoring_an_account_teaches_nothing() -> None:
    """Whoever asks twice must be told the same."""
    model = SupervisedModel(lessons=tuple(examples(100)))
    before = model.weights()
    for lesson in examples(50, seed=8):
        model.score(lesson.features)

    assert model.weights() == before


def test_one_card_gives_one_lesson_in_a_hundred_and_no_more() -> None:
    """A fleet of a thousand accounts on one card is one teacher."""
    quota, card = Quota(), teacher("payment", "k1:aa")
    taken = 0
    for place in range(200):
        teachers = (teacher("account", f"a{place}"), card)
        if quota.allows(teachers):
            quota.note(teachers)
            taken += 1

    assert taken == LESSONS_PER_TEACHER_MAX


def test_the_quota_forgets_what_is_older_than_its_window() -> None:
    """A teacher may come again once others have had their say; memory stays bounded."""
    quota, card = Quota([(7,)] * LESSONS_PER_TEACHER_MAX), (7,)
    was_full = not quota.allows(card)
    for place in range(LESSONS):
        quota.note((1_000 + place,))

    assert was_full
    assert quota.allows(card)
    assert len(quota.given) == LESSONS
