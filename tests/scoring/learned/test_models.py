"""What every model that learns in the stream must keep to: pure scores, equal lessons equal bytes, snapshots that change nothing."""

import os
import random
import subprocess
import sys
import zlib

import msgspec
import pytest

from guard.errors import GuardError
from guard.scoring.learned.crowd import squashed
from guard.scoring.learned.models import SNAPSHOT_BYTES_MAX, SNAPSHOT_EVERY, ShardModels

HARVEST = squashed({"pace_rpm": 600.0, "elicitation_share": 0.9, "single_turn_share": 1.0, "output_per_input": 12.0, "rubric_share": 0.0})


def person(dice: random.Random) -> dict[str, float]:
    """Somebody of the crowd, as the trees see them."""
    return squashed({
        "pace_rpm": dice.lognormvariate(2, 1), "burstiness": dice.uniform(-0.3, 0.8), "output_per_input": dice.lognormvariate(0, 0.7),
        "elicitation_share": dice.betavariate(1, 20), "rubric_share": dice.betavariate(1, 30), "single_turn_share": dice.betavariate(2, 5),
        "same_parameters_share": dice.betavariate(5, 2), "reasoning_share": dice.betavariate(2, 2),
    })  # fmt: skip


def moves(dice: random.Random) -> tuple[float, ...]:
    return tuple(dice.gauss(0, spread) for spread in (2.0, 1.0, 0.1, 0.2))


def taught(lessons: int, seed: int = 4, dice: random.Random | None = None) -> ShardModels:
    dice = dice or random.Random(seed)
    models = ShardModels(seed)
    for _ in range(lessons):
        models.learn(person(dice), moves(dice))
    return models


def test_a_newborn_model_says_nothing() -> None:
    """Day one is blind, not dangerous."""
    models = taught(100)

    assert models.crowd.rank(HARVEST) == 0.0


def test_the_odd_ranks_beyond_the_crowd_and_the_crowd_mostly_within() -> None:
    """A rank, because raw scores of the ordinary lie anywhere between 0.5 and 0.9."""
    models, dice = taught(2_000), random.Random(5)
    ordinary = sum(models.crowd.rank(person(dice)) > 0.99 for _ in range(500))

    assert models.crowd.rank(HARVEST) > 0.99
    assert ordinary <= 25


def test_scoring_changes_nothing() -> None:
    """Whoever asks twice must be told the same, and asking must not teach."""
    models, dice = taught(600), random.Random(6)
    before = models.to_bytes()
    for _ in range(100):
        models.crowd.rank(person(dice))
        models.drift.score(moves(dice))

    assert models.to_bytes() == before


@pytest.mark.parametrize("lessons", [0, 1, 249, 250, 251, 777, 1_500])
def test_a_restored_model_goes_on_as_one_that_stayed(lessons: int) -> None:
    """A crash loses lessons at most; it never makes another judge."""
    stayed = taught(lessons)
    restored = ShardModels.from_bytes(stayed.to_bytes())
    dice = random.Random(7)
    for _ in range(600):
        lesson = person(dice), moves(dice)
        stayed.learn(*lesson)
        restored.learn(*lesson)

    probe = moves(dice)
    assert restored.crowd.rank(HARVEST) == stayed.crowd.rank(HARVEST)
    assert restored.drift.score(probe) == stayed.drift.score(probe)
    assert restored.to_bytes() == stayed.to_bytes()


def test_a_snapshot_is_due_by_lessons_and_stays_small() -> None:
    """It travels in a flush's transaction."""
    models = taught(SNAPSHOT_EVERY)
    was_due, packed = models.due_snapshot, taught(5_000).to_bytes()
    models.to_bytes()

    assert was_due
    assert not models.due_snapshot
    assert len(packed) <= SNAPSHOT_BYTES_MAX


def test_damage_and_newer_formats_are_named() -> None:
    """One clear line, no traceback."""
    packed, dice = taught(300).to_bytes(), random.Random(8)
    for _ in range(300):
        place = dice.randrange(len(packed))
        with pytest.raises(GuardError, match="model snapshot"):
            ShardModels.from_bytes(packed[:place] + bytes((packed[place] ^ 0x55,)) + packed[place + 1 :])
        with pytest.raises(GuardError, match="model snapshot"):
            ShardModels.from_bytes(packed[:place])
    body = msgspec.msgpack.decode(zlib.decompress(packed))
    for changed, message in (([99, *body[1:]], "format 99"), ([*body[:5], [[1.0]]], "model snapshot")):
        with pytest.raises(GuardError, match=message):
            ShardModels.from_bytes(zlib.compress(msgspec.msgpack.encode(changed)))


def test_the_same_lessons_give_the_same_bytes_whatever_the_hash_seed() -> None:
    """A shard that moves to another worker must judge alike."""
    program = "import hashlib, random; from tests.scoring.learned.test_models import taught; print(hashlib.sha256(taught(600).to_bytes()).hexdigest())"
    answers = {
        subprocess.run([sys.executable, "-c", program], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=True).stdout
        for seed in ("1", "77")
    }

    assert len(answers) == 1


def harvester(dice: random.Random) -> dict[str, float]:
    """One of a fleet that is itself a crowd: alike, not equal."""
    return squashed({
        "pace_rpm": dice.lognormvariate(6, 0.5), "burstiness": dice.uniform(-0.9, -0.2), "output_per_input": dice.lognormvariate(2.5, 0.4),
        "elicitation_share": dice.betavariate(17, 3), "rubric_share": dice.betavariate(1, 30), "single_turn_share": 1 - dice.betavariate(1, 30),
        "same_parameters_share": 1 - dice.betavariate(1, 30), "reasoning_share": dice.betavariate(6, 2),
    })  # fmt: skip


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_lessons_that_the_gate_keeps_out_would_blind_the_model(seed: int) -> None:
    """Poisoning: three lessons in ten from a fleet make the fleet ordinary, unless nothing suspect teaches."""
    gated, open_to_all, dice = ShardModels(seed), ShardModels(seed), random.Random(seed)
    for _ in range(3_000):
        if dice.random() < 0.3:
            open_to_all.learn(harvester(dice), moves(dice))
        else:
            lesson = person(dice), moves(dice)
            gated.learn(*lesson)
            open_to_all.learn(*lesson)

    fleet = [harvester(dice) for _ in range(100)]
    assert sum(gated.crowd.rank(member) > 0.99 for member in fleet) >= 95
    assert sum(open_to_all.crowd.rank(member) > 0.99 for member in fleet) <= 50
