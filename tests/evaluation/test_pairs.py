"""Runs of one world held against each other: what poisoning took, and what a guard costs a fleet."""

import math

import msgspec
import pytest

from guard.evaluation.intervals import NOTHING_MEASURED, difference
from guard.evaluation.ledger import Ledger
from guard.evaluation.pairs import adaptive_cost, poisoning_drop
from guard.evaluation.targets import Verdict, held
from guard.simulation.client import Truth
from tests.support.ledgers import decision, result_of


def _fleet(family, campaign, count):
    return [Truth(f"{campaign}-{number}", "fleet", honest=False, family=family, campaign=campaign) for number in range(count)]


def _run(variant, caught, poisoners=2):
    """Ten bots of A3 of which `caught` are blocked, beside a poisoning fleet."""
    fleet, poisoning = _fleet("A3", "c-3", 10), _fleet("A12", "c-12", poisoners)
    ledger = Ledger([*fleet, *poisoning])
    for truth in (*fleet, *poisoning):
        ledger.exchange(truth, 0, was_refused=False)
    for truth in fleet[:caught]:
        ledger.decision(decision("account", truth.account_id, "block", 1))
    return msgspec.structs.replace(result_of(ledger), variant=variant)


def test_the_drop_is_what_the_others_are_caught_less_for_the_poisoning():
    """Nine of ten without it, six of ten with it: 30 points; the poisoners themselves do not count."""
    found = poisoning_drop([_run("full", 6), _run("no-poisoning", 9, poisoners=0)], ())

    assert found.value == pytest.approx(0.3)
    assert found.n == 1


def test_without_a_second_run_or_without_a_poisoner_nothing_is_measured():
    """A drop of zero in a world that nobody poisons would look like a target met."""
    assert poisoning_drop([_run("full", 6)], ()) == NOTHING_MEASURED
    assert poisoning_drop([_run("full", 6, poisoners=0), _run("no-poisoning", 6, poisoners=0)], ()) == NOTHING_MEASURED


def test_campaigns_that_fare_alike_prove_as_much_as_there_are_campaigns():
    """Rule of three over campaigns: the accounts of one fall together."""
    same = difference([((9, 10), (9, 10))] * 60)

    assert (same.value, same.high, same.n) == (0.0, pytest.approx(0.05), 60)


def test_a_drop_may_be_a_gain_and_its_interval_is_wide_where_campaigns_disagree():
    """One campaign lost and one gained: nothing on average, and nothing known."""
    mixed = difference([((10, 10), (0, 10)), ((0, 10), (10, 10))])
    gained = difference([((0, 10), (5, 10))] * 20)

    assert mixed.value == 0.0
    assert mixed.high > 0.5
    assert gained.value == pytest.approx(-0.5)
    assert gained.low == pytest.approx(gained.high)


def _harvest(variant, answers, accounts, refused=0):
    """A fleet of A15 whose accounts got so many answers in all, and this many refusals by the guard and by a plan's limit each."""
    fleet = _fleet("A15", "c-15", accounts)
    ledger = Ledger(fleet)
    for number in range(answers):
        ledger.exchange(fleet[number % accounts], number, was_refused=False)
    for number in range(refused):
        ledger.exchange(fleet[0], answers + number, was_refused=True, was_answered=False)
        ledger.exchange(fleet[0], answers + number, was_refused=False, was_answered=False)
    return msgspec.structs.replace(result_of(ledger), variant=variant)


def test_the_cost_is_answers_an_account_without_a_guard_over_answers_with_one():
    """400 answers by 4 accounts, or 40 by 8: twenty times the accounts for the same harvest; refusals are none."""
    found = adaptive_cost([_harvest("full", 40, 8, refused=50), _harvest("unguarded", 400, 4)], ("A15",))

    assert found.value == pytest.approx(20.0)
    assert found.low is None


def test_a_fleet_that_gets_nothing_costs_without_end():
    """And without a run that nobody guards, there is nothing to compare with."""
    nothing = adaptive_cost([_harvest("full", 0, 4, refused=4), _harvest("unguarded", 400, 4)], ("A15",))

    assert nothing.value == math.inf
    assert adaptive_cost([_harvest("full", 40, 8)], ("A15",)) == NOTHING_MEASURED


def test_both_stand_among_the_targets_beside_the_runs_they_need():
    """Ten times the accounts is the bound; one campaign shows it and proves nothing."""
    rows = {row.name: row for row in held([_harvest("full", 40, 8)], {"unguarded": [_harvest("unguarded", 400, 4)]})}
    cost, drop = rows["accounts A15 needs for the same harvest"], rows["drop of the others' recall by A12's poisoning"]

    assert cost.verdict is Verdict.UNPROVEN
    assert "20 over 1, bound >= 10 x" in cost.line
    assert drop.verdict is Verdict.UNMEASURED
