"""`guard evaluate` from end to end on the smallest world."""

import json

import msgspec
import pytest
from typer.testing import CliRunner

from guard.cli.evaluate import evaluate
from guard.cli.main import command_line
from guard.errors import InputError, UsageError
from guard.evaluation.play import Play
from guard.evaluation.report import summary
from guard.evaluation.result import RunResult
from guard.evaluation.run import jobs_of, make, run
from guard.evaluation.sources import world
from guard.simulation.world import OpenGateway


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory):
    """One folder with a report over the guard, one baseline and chance."""
    out = tmp_path_factory.mktemp("evaluated")
    command = command_line("evaluate")
    done = CliRunner().invoke(
        command, ["evaluate", "--worlds", "small", "--seeds", "1", "--variants", "full,B1,shuffled", "--out", str(out)]
    )
    return out, done


def test_each_target_is_printed_as_one_line(evaluated):
    """Name, measured number with its interval, bound, and whether it is met."""
    _, done = evaluated
    line = next(line for line in done.stdout.splitlines() if line.startswith("account recall A3"))

    assert done.exit_code == 0
    assert line.endswith(("met", "met, not proven", "missed"))
    assert "bound >= 99 %" in line


def test_the_page_holds_its_figures_and_asks_nobody_for_anything(evaluated):
    """A report opens on a machine without network, years later."""
    page = (evaluated[0] / "report.html").read_text(encoding="utf-8")

    assert page.count("<svg") == 5
    assert "src=" not in page
    assert "<link" not in page
    assert "@import" not in page


def test_the_json_names_every_variant_and_chance_is_chance(evaluated):
    """Shuffled labels that beat chance would mean that the figures are made of nothing."""
    told = json.loads((evaluated[0] / "report.json").read_bytes())
    chance = told["variants"]["shuffled"]["informedness"]

    assert list(told["variants"]) == ["full", "B1", "shuffled"]
    assert told["headline"] == "full"
    assert chance["low"] < 0.0 < chance["high"]


def test_the_report_says_what_scores_are_worth_and_how_far_the_honest_are_from_the_rungs(evaluated):
    """Thresholds are set on the honest tail: a reader must see it, and whether a score means what it says."""
    told = json.loads((evaluated[0] / "report.json").read_bytes())["calibration"]
    accounts = sum(one["share"]["n"] for one in told["accounts"])

    assert accounts == next(run["accounts"] for run in json.loads((evaluated[0] / "report.json").read_bytes())["runs"])
    assert 0.0 <= told["accounts_error"] <= 1.0
    assert [rung["action"] for rung in told["rungs"]] == ["throttle", "challenge", "block"]
    assert told["tail"]["0.5"] <= told["tail"]["0.999"] <= told["tail"]["1"]


def test_a_result_that_is_there_is_not_made_again_and_another_codes_is(tmp_path):
    """Resuming after an interruption costs nothing; a changed engine must not be judged by old runs."""
    job = jobs_of(["small"], [2], ["B0"], is_closed=True)[0]
    made = []
    run([job], tmp_path, progress=lambda one, _: made.append(one))
    run([job], tmp_path, progress=lambda one, _: made.append(one))
    file = tmp_path / "runs" / job.file
    result = msgspec.json.decode(file.read_bytes(), type=RunResult)
    file.write_bytes(msgspec.json.encode(msgspec.structs.replace(result, code="older")))
    again = run([job], tmp_path, progress=lambda one, _: made.append(one))

    assert made == [job, job]
    assert again[0].code == result.code


def test_a_torn_result_is_made_again(tmp_path):
    """Whatever a crash left behind stops nobody."""
    job = jobs_of(["small"], [2], ["B0"], is_closed=True)[0]
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / job.file).write_text('{"world": "sm')

    assert run([job], tmp_path)[0].events > 0


def test_several_runs_at_once_give_what_one_after_the_other_gives(tmp_path):
    """Parallel over worlds and seeds, in separate processes, with the same rows."""
    jobs = jobs_of(["small"], [1, 2], ["B0"], is_closed=True)
    together = run(jobs, tmp_path, processes=2)

    assert [result.accounts for result in together] == [make(job).accounts for job in jobs]


def test_recorded_events_are_scored_open_loop(tmp_path):
    """Somebody else's world needs only its events and its truth."""
    source = world("small", 1)
    with (tmp_path / "mine.jsonl").open("wb") as file:
        for exchange in source.play(OpenGateway()):
            fields = {name: value for name, value in msgspec.structs.asdict(exchange.event).items() if value is not None}
            file.write(msgspec.json.encode(fields) + b"\n")
    (tmp_path / "truth.jsonl").write_bytes(b"\n".join(msgspec.json.encode(truth) for truth in source.truths))
    command = command_line("evaluate")
    given = ["--events", str(tmp_path / "mine.jsonl"), "--truth", str(tmp_path / "truth.jsonl")]
    done = CliRunner().invoke(command, ["evaluate", *given, "--variants", "B0", "--json", "--out", str(tmp_path / "out")])
    told = json.loads(done.stdout)

    assert told["runs"][0]["world"] == "mine"
    assert told["runs"][0]["is_closed"] is False
    assert told["runs"][0]["events"] == Play(world("small", 1), "B0", is_closed=False).to_end().ledger.events


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"variants": "full,none"}, "variant 'none'; it should be among full"),
        ({"seeds": "1,x"}, "--seeds has 'x'; each should be a whole number"),
        ({"worlds": " , "}, "--worlds is"),
        ({"worlds": "atlantis"}, "atlantis"),
        ({"events": "x"}, "--events and --truth belong together"),
    ],
)
def test_a_wrong_option_is_one_clear_line(tmp_path, options, says):
    """What is wrong, and what would be right."""
    with pytest.raises(UsageError) as caught:
        evaluate(tmp_path, **options)

    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_recording_that_the_truth_does_not_know_is_named(tmp_path):
    """An account without a truth would silently count as nothing."""
    truth, events = tmp_path / "truth.jsonl", tmp_path / "events.jsonl"
    truth.write_text('{"account_id": "a", "kind": "person", "honest": true}\n')
    events.write_text('{"event_id": "1", "event_time": 5, "account_id": "b", "model": "m", "input_tokens": 1, "output_tokens": 1}\n')

    with pytest.raises(InputError, match=r"no line for account 'b'"):
        evaluate(tmp_path / "out", variants="B0", events=events, truth=truth)


def test_a_summary_of_nothing_but_a_baseline_is_headed_by_it():
    """Without the guard among the variants the targets are the baseline's."""
    told = summary([make(jobs_of(["small"], [1], ["B0"], is_closed=True)[0])])

    assert told["headline"] == "B0"
