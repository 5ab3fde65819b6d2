"""The report as people read it, over results made by hand."""

import json

import msgspec

from guard.evaluation.ledger import Ledger
from guard.evaluation.page import page
from guard.evaluation.report import summary, write
from guard.evaluation.tables import LessTold, by_variant_of, hostile_families, less_told, totals
from guard.simulation.client import Truth
from tests.support.ledgers import decision, result_of

FLEETS = {"A3": 10, "A4": 10, "A10": 10}


def _run(variant, caught, refused=0):
    """Three fleets of ten, of which so many accounts each are blocked; every account gets five answers, less what is refused."""
    truths = [
        Truth(f"{family}-{number}", "fleet", honest=False, family=family, campaign=f"c-{family}")
        for family, count in FLEETS.items()
        for number in range(count)
    ]
    person = Truth("person", "person", honest=True)
    ledger = Ledger([*truths, person])
    ledger.exchange(person, 0, was_refused=False)
    for truth in truths:
        for turn in range(5):
            ledger.exchange(truth, turn, was_refused=turn < refused, was_answered=turn >= refused)
        if int(truth.account_id.rpartition("-")[2]) < caught[truth.family]:
            ledger.decision(decision("account", truth.account_id, "block", 9))
    scores = {truth.account_id: 0.9 for truth in truths}
    return msgspec.structs.replace(result_of(ledger, score_of=lambda account: scores.get(account, 0.0)), variant=variant)


GUARDED = _run("full", {"A3": 10, "A4": 9, "A10": 8}, refused=4)
POOR = _run("required-only", {"A3": 1, "A4": 5, "A10": 9})
FREE = _run("unguarded", {"A3": 0, "A4": 0, "A10": 0})


def test_families_are_told_apart_by_how_many_are_still_caught():
    """What a gateway withholds costs these families, and these not."""
    assert less_told(by_variant_of([GUARDED, POOR, FREE])) == [
        LessTold("full", ("A3", "A4", "A10"), (), ()),
        LessTold("required-only", ("A10",), ("A4",), ("A3",)),
    ]


def test_a_variant_is_summed_over_all_families():
    """What an ablation costs as a whole; accounts weigh alike, whichever family they play."""
    lines = [total.line for total in totals(by_variant_of([GUARDED, POOR, FREE]))]

    assert lines[0] == (
        "full: caught 100 % of 30 hostile accounts; sanctioned 0 of 1 honest ones, refused 0.0 of a million honest requests; "
        "0 % of 3 campaigns in one cluster, purity -; pooled exchanges to a throttle 10, to a challenge or block 10"
    )
    assert [line.partition(" of ")[0] for line in lines] == ["full: caught 100 %", "required-only: caught 50 %", "unguarded: caught 0 %"]


def test_families_stand_in_the_order_of_their_numbers():
    """A10 after A4, not before A2."""
    assert hostile_families([GUARDED]) == ["A3", "A4", "A10"]


def test_a_page_tells_what_is_still_caught_and_what_fleets_got_away_with():
    """The two questions that the table of targets does not answer."""
    told = page([GUARDED, POOR, FREE])

    assert "What is still caught where gateways tell less" in told
    assert "<td>10 by 10 accounts</td><td>5 x</td>" in told
    assert "Not measured: " in told


def test_a_page_without_those_variants_does_not_ask_the_questions():
    """An empty table is worse than none."""
    told = page([GUARDED])

    assert "tell less" not in told
    assert "got away with" not in told


def test_the_json_says_the_same_as_the_page(tmp_path):
    """Programs and people read one report; every number of it is finite or a word."""
    file, _ = write([GUARDED, POOR, FREE], tmp_path)
    told = json.loads(file.read_bytes())

    assert told["less_told"][1] == {"variant": "required-only", "caught": ["A10"], "in_part": ["A4"], "missed": ["A3"]}
    assert [row["harvest"] for row in told["campaigns"]] == [10, 10, 10]
    assert told["calibration"]["rungs"][1]["hostile"]["value"] == 1.0
    assert summary([FREE])["calibration"] is not None
