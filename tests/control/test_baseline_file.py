"""A baseline travels as a file: the same lessons the same bytes, every fault one line, and decisions that name it."""

import json
import random
from pathlib import Path

import msgspec
import pytest

from guard.control.baseline_file import read_baseline, starting_models, write_baseline
from guard.control.files import control_from_files
from guard.engine.accounts import MODELS_KEY, AccountsStage
from guard.engine.driver import Driver
from guard.errors import InputError
from guard.replay.fit import Fitted, fit
from guard.scoring.learned.baseline import BASELINE_BYTES_MAX, baseline_of, decode_baseline, digest, encode_baseline, models_of, short_id
from guard.scoring.learned.models import ShardModels
from guard.streaming.stages import StageKind, engine_stages
from guard.units import DAY_MS
from tests.scoring.learned.test_models import HARVEST, taught
from tests.scoring.learned.test_supervised import examples
from tests.support.events import T0, crowd, fleet, open_control


def learned() -> ShardModels:
    """Models that have seen a crowd and some examples."""
    models = taught(1_300)
    for lesson in examples(700):
        models.learn_example(lesson)
    return models


def recorded(path: Path, people: int = 120) -> Path:
    """A file of people and a fleet, in order of time."""
    dice = random.Random(5)
    told = sorted([*crowd(dice, people), *fleet(dice, "f", 6, 2, 20.0)], key=lambda one: one.event_time)
    lines = ({name: value for name, value in msgspec.structs.asdict(one).items() if value is not None} for one in told)
    path.write_bytes(b"".join(msgspec.json.encode(line) + b"\n" for line in lines))
    return path


def fitted(path: Path) -> Fitted:
    return fit([recorded(path)], open_control())


def test_models_from_a_baseline_judge_as_those_that_wrote_it(tmp_path: Path) -> None:
    """What was learned elsewhere must be worth as much here."""
    models, path = learned(), tmp_path / "baseline.json"
    write_baseline(path, baseline_of(models))
    begun = models_of(read_baseline(path))
    probe = examples(2, seed=8)[1].features

    assert begun.crowd.rank(HARVEST) == models.crowd.rank(HARVEST) > 0.99
    assert begun.supervised.score(probe) == models.supervised.score(probe) > 0.5
    assert begun.version == f"online-1+{short_id(baseline_of(models))}"


def test_the_same_lessons_give_the_same_file() -> None:
    """Two people who fit the same events must be able to compare hashes."""
    one, other = baseline_of(learned()), baseline_of(learned())

    assert encode_baseline(one) == encode_baseline(other)
    assert len(encode_baseline(one)) < BASELINE_BYTES_MAX // 2


def test_every_damaged_byte_is_noticed() -> None:
    """A baseline decides who is suspected: a torn or edited one must not start a worker."""
    content, dice = encode_baseline(baseline_of(learned())), random.Random(3)
    for _ in range(200):
        place = dice.randrange(len(content) - 1)
        with pytest.raises(InputError, match="baseline: "):
            decode_baseline(content[:place] + bytes((content[place] ^ 0x11,)) + content[place + 1 :])
        with pytest.raises(InputError, match="baseline: "):
            decode_baseline(content[:place])


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"", "guard fit"),
        (b"[]", "guard fit"),
        (b'{"format": 99, "other": 1}', "format 99, this guard reads up to 1"),
        (b" " * (BASELINE_BYTES_MAX + 1), "more than 1,048,576 bytes"),
        (b'{"format": 1, "sha256": "00", "baseline": {}}', "guard fit"),
    ],
)
def test_a_file_that_is_none_is_one_clear_line(tmp_path: Path, content: bytes, line: str) -> None:
    """What, where, and what would be right."""
    path = tmp_path / "baseline.json"
    path.write_bytes(content)
    with pytest.raises(InputError, match=line) as told:
        read_baseline(path)

    assert str(told.value).startswith(str(path))
    assert "\n" not in str(told.value)


def test_a_well_hashed_file_of_wild_numbers_is_refused() -> None:
    """The hash tells of damage, not of sense: a weight of a million would decide alone."""
    right = baseline_of(learned())
    wild = [
        msgspec.structs.replace(right, supervised=msgspec.structs.replace(right.supervised, weights={"pace_rpm": 1e6})),
        msgspec.structs.replace(right, supervised=msgspec.structs.replace(right.supervised, variances={"pace_rpm": -1.0})),
        msgspec.structs.replace(right, ranks=[0.5] * 5_000),
        msgspec.structs.replace(right, moves=[(1.0,)]),
        msgspec.structs.replace(right, crowd=[{"pace": 0.5}]),
    ]
    for one in wild:
        with pytest.raises(InputError, match="outside its limits"):
            decode_baseline(encode_baseline(one))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """A path with a slip in it is the usual mistake."""
    with pytest.raises(InputError, match=r"nowhere.json: cannot be read .*; name a file that `guard fit` wrote"):
        starting_models(tmp_path / "nowhere.json")


def test_fitting_twice_gives_one_hash_and_every_decision_names_it(tmp_path: Path) -> None:
    """Which models judged must be told by the decision alone."""
    first, second = fitted(tmp_path / "a.jsonl"), fitted(tmp_path / "b.jsonl")
    path = tmp_path / "baseline.json"
    write_baseline(path, first.baseline)
    driver = Driver(4, open_control(), models=starting_models(path))

    assert digest(first.baseline) == digest(second.baseline)
    assert first.baseline.learned > 0
    assert {models.version for models in driver.models} == {f"online-1+{json.loads(path.read_bytes())['sha256'][:8]}"}


def test_a_label_that_came_after_the_events_teaches_in_a_fit(tmp_path: Path) -> None:
    """Analysts look days later; a fit looks back, so it knows what they found."""
    label = {"scope": "account", "verdict": "extraction", "at": T0 + 9 * DAY_MS, "author": "ann"}
    members = [
        {**label, "subject": name, "label_id": name} for name in {one.account_id for one in fleet(random.Random(5), "f", 6, 2, 20.0)}
    ]
    (tmp_path / "labels.jsonl").write_bytes(b"".join(msgspec.json.encode(one) + b"\n" for one in members))
    control = control_from_files(None, tmp_path / "labels.jsonl", enforce=True)
    learned_from = fit([recorded(tmp_path / "a.jsonl")], control).baseline.supervised

    assert learned_from.extraction > 0


def test_a_recovered_snapshot_wins_over_the_file(tmp_path: Path) -> None:
    """A shard that has learned must not forget because a worker was started with a file."""
    path = tmp_path / "baseline.json"
    write_baseline(path, baseline_of(learned()))
    own = taught(300, seed=1).to_bytes()
    make = engine_stages(starting_models(path))[StageKind.ACCOUNTS]
    kept, begun = make(0, 1, {MODELS_KEY: own}, open_control()), make(0, 1, {}, open_control())

    assert isinstance(kept, AccountsStage)
    assert isinstance(begun, AccountsStage)
    assert kept.models.version == "online-1"
    assert begun.models.version != "online-1"
