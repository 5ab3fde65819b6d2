"""Hours of play survive an interruption: a run that was laid aside ends as one that never was."""

import pickle
import random

import msgspec
import pytest

from guard.evaluation.checkpoint import Checkpoint
from guard.evaluation.play import Play
from guard.evaluation.run import Job, make
from guard.evaluation.sources import Source
from guard.evaluation.watch import Watch
from guard.policy.labels import LabelBook
from guard.simulation.families import ATTACKS, NEGATIVES
from guard.simulation.market import Market
from guard.simulation.mass import Mass
from guard.simulation.merged import Merged
from guard.simulation.presets import build
from guard.units import DAY_MS

SECONDS_A_LOOK = 1.0
LOOKED_AT_EVERY = 1_000


class PowerCutError(Exception):
    """The machine went down."""


class Clock:
    """A second passes from one look at it to the next."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        self.now += SECONDS_A_LOOK
        return self.now


def _interrupted_after(lines):
    """Says the lines, and ends the program with the third one of how far the run is."""

    def say(line):
        lines.append(line)
        if sum("a second" in one for one in lines) == 3:
            raise PowerCutError

    return say


def _watch(say):
    return Watch(Clock(), say, checkpoint_s=1.0, said_every_s=1.0)


@pytest.fixture(autouse=True)
def _looked_at_often(monkeypatch):
    monkeypatch.setattr("guard.evaluation.play.LOOKED_AT_EVERY", LOOKED_AT_EVERY)


def _rows(result):
    return msgspec.structs.replace(result, seconds=0.0)


@pytest.mark.parametrize(
    ("variant", "is_closed"), [("full", True), ("full", False), ("no-network", True), ("no-poisoning", True), ("B1", True), ("B5", True)]
)
def test_a_run_that_was_laid_aside_ends_as_one_that_never_was(tmp_path, variant, is_closed):
    """World, gateway, judge with its models, and what was seen: nothing begins anew, nothing comes twice."""
    job, lines = Job("small", 2, variant, is_closed), []
    with pytest.raises(PowerCutError):
        make(job, tmp_path, _watch(_interrupted_after(lines)))
    resumed = make(job, tmp_path, _watch(lines.append))

    assert any("goes on after" in line for line in lines)
    assert _rows(resumed) == _rows(make(job))


def test_how_far_a_run_is_can_be_read_on_the_way():
    """Share of the world's time, exchanges, speed."""
    lines = []
    make(Job("small", 2, "unguarded", is_closed=True), watch=_watch(lines.append))

    assert lines[0].startswith("small 2 unguarded: ")
    assert f" % of its time, {LOOKED_AT_EVERY:,} exchanges, " in lines[0]


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda data: data[:-1], "is torn"),
        (lambda data: data.replace(b"small", b"other", 1), "is of another version, world, seed or variant"),
        (lambda data: data[: len(data) // 2] + b"?" + data[len(data) // 2 + 1 :], "is torn"),
        (lambda _: b"", "is of another version, world, seed or variant"),
    ],
    ids=["short", "foreign", "changed", "empty"],
)
def test_a_checkpoint_that_cannot_be_right_is_never_unpickled(tmp_path, monkeypatch, spoil, says):
    """A torn or foreign file costs the time it would have saved, and one line."""
    job, lines = Job("small", 1, "B0", is_closed=True), []
    path = tmp_path / job.checkpoint
    Checkpoint(path, f"code {job.file}").save(Play(job.source(), job.variant, is_closed=True))
    path.write_bytes(spoil(path.read_bytes()))
    monkeypatch.setattr(pickle, "load", lambda _: pytest.fail("unpickled"))

    assert Checkpoint(path, f"code {job.file}").load() == (None, says)
    assert make(job, tmp_path, _watch(lines.append)).events > 0
    assert "the run begins anew" in lines[0]


def test_a_run_goes_on_where_no_checkpoint_can_be_written(tmp_path):
    """A full disk costs the safety, not the run."""
    job, lines = Job("small", 1, "B0", is_closed=True), []
    (tmp_path / job.checkpoint).with_suffix(".unfinished-checkpoint").mkdir()

    assert make(job, tmp_path, _watch(lines.append)).events > 0
    assert any("no checkpoint (Is a directory)" in line for line in lines)


def test_what_cannot_be_unpickled_begins_anew(tmp_path, monkeypatch):
    """A library of another version may not know its own state."""
    job = Job("small", 1, "B0", is_closed=True)
    checkpoint = Checkpoint(tmp_path / job.checkpoint, "code")
    checkpoint.save(Play(job.source(), job.variant, is_closed=True))

    def unknown(_):
        raise AttributeError

    monkeypatch.setattr(pickle, "load", unknown)
    assert checkpoint.load() == (None, "cannot be taken up here (AttributeError)")


def test_every_family_of_a_world_can_be_laid_aside():
    """One closure in one of them, and a run of hours would end with its first checkpoint."""
    built = build("demo", 1, 1_790_000_000_000, ATTACKS, NEGATIVES)
    play = Play(Source(built.truths, built.world.play, LabelBook.empty()), "full", is_closed=True)

    assert len(pickle.dumps(play)) > 100_000


def test_a_crowd_made_on_the_way_goes_on_where_it_was_laid_aside():
    """A million accounts to come are a number and dice, not a list."""
    crowd = Mass(Market(random.Random("market"), 0, DAY_MS, 0.2), 1, 200, 3.0)
    callers = Merged(iter([]), crowd)
    first = [next(callers)[1].account for _ in range(50)]
    copied = pickle.loads(pickle.dumps(callers))

    assert [(at, one.account, one.calls_left) for at, one in copied] == [(at, one.account, one.calls_left) for at, one in callers]
    assert len(set(first)) == 50
