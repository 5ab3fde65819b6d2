"""Scores against truth, on numbers one can work out on paper."""

import pytest

from guard.control.board import opening_control
from guard.decisions.decision import Scope
from guard.engine.driver import Driver
from guard.evaluation.calibration import calibration, expected_error, reliability
from guard.evaluation.ledger import Ledger
from guard.evaluation.peaks import Peaks
from guard.evaluation.play import Play
from guard.evaluation.result import Candidate
from guard.evaluation.sources import world
from guard.simulation.client import Truth
from guard.simulation.world import OpenGateway
from tests.support.ledgers import result_of

FLEET = [Truth(f"bot-{number}", "fleet", honest=False, family="A3", campaign="c-1") for number in range(4)]
CROWD = [Truth(f"person-{number}", "person", honest=True) for number in range(4)]


def _scored(scores):
    """One result whose accounts, honest ones first, have these highest scores."""
    truths = [*CROWD, *FLEET][: len(scores)]
    ledger = Ledger(truths)
    for truth in truths:
        ledger.exchange(truth, 0, was_refused=False)
    known = {truth.account_id: score for truth, score in zip(truths, scores, strict=True)}
    return result_of(ledger, score_of=known.get)


def test_a_share_stands_beside_each_score_with_its_interval():
    """Of four accounts around 0.5 one is a bot: the score says twice what is true."""
    found = reliability([(0.45, False), (0.5, False), (0.5, False), (0.55, True)])

    assert [(one.low, one.high, one.mean_score) for one in found] == [(0.4, 0.6, 0.5)]
    assert found[0].share.value == pytest.approx(0.25)
    assert found[0].share.low < 0.25 < found[0].share.high
    assert expected_error(found) == pytest.approx(0.25)


def test_a_score_that_keeps_its_word_has_no_error_and_nobody_scored_has_none_to_tell():
    """Half of those at a half, all of those at one."""
    assert expected_error(reliability([(0.5, True), (0.5, False), (1.0, True), (0.0, False)])) == 0.0
    assert expected_error(()) is None


def test_a_rung_opens_the_bin_in_which_its_own_score_lies():
    """Whoever reached the throttle exactly was throttled, and is counted with those."""
    (found,) = reliability([(0.7, True)])

    assert (found.low, found.high) == (0.7, 0.85)


def test_accounts_that_nothing_ever_spoke_against_stand_alone():
    """Nearly all honest accounts have a score of 0: among others they would hide what is above."""
    told = calibration([_scored([0.0, 0.0, 0.0, 0.5, 0.5, 0.96, 0.96, 0.96])])

    assert [(one.low, one.high, one.share.n) for one in told.accounts] == [(0.0, 0.0, 3), (0.4, 0.6, 2), (0.95, 1.0, 3)]
    assert told.accounts_error == pytest.approx(3 / 8 * 0.04)
    assert told.spoken_error == pytest.approx(3 / 5 * 0.04)


def test_the_honest_tail_is_told_against_each_rung():
    """One honest account of four at 0.8: beyond the throttle, below the challenge."""
    told = calibration([_scored([0.0, 0.0, 0.3, 0.8, 0.9, 0.9, 0.9, 0.2])])

    assert [(rung.action, rung.honest.value, rung.hostile.value) for rung in told.rungs] == [
        ("throttle", 0.25, 0.75), ("challenge", 0.0, 0.75), ("block", 0.0, 0.0),
    ]  # fmt: skip
    assert (told.tail["0.5"], told.tail["1"]) == (0.0, 0.8)


def test_a_judge_without_scores_has_nothing_to_calibrate():
    """A static rate limit knows no more or less."""
    assert calibration([_scored([None] * 8)]) is None


def test_an_accounts_score_is_the_highest_of_all_that_reaches_it():
    """Its own, its card's, its campaigns': a decision about any of them is one about it."""
    peaks = Peaks([*FLEET, *CROWD])
    peaks.verdict(Scope.ACCOUNT, "bot-0", (), 0.3)
    peaks.verdict(Scope.PAYMENT, "card", ["bot-0", "bot-1"], 0.6)
    peaks.verdict(Scope.CAMPAIGN, "k-1", ["bot-1", "bot-2"], 0.9)
    peaks.verdict(Scope.ACCOUNT, "bot-0", (), 0.1)

    assert [peaks.of(f"bot-{number}") for number in range(4)] == [0.6, 0.9, 0.9, 0.0]


def test_a_considered_campaign_is_kept_at_its_highest_score_with_whom_it_named_then():
    """It may have gathered strangers later, when it no longer convinced anybody."""
    peaks = Peaks([*FLEET, *CROWD])
    peaks.verdict(Scope.CAMPAIGN, "k-1", ["bot-0", "bot-1", "person-0"], 0.9)
    peaks.verdict(Scope.CAMPAIGN, "k-1", ["person-0", "person-1"], 0.5)

    assert peaks.candidates() == (Candidate("k-1", 0.9, 3, 2),)


def test_whoever_hears_the_verdicts_changes_nothing():
    """A measurement that moved a decision would measure itself."""
    exchanges = [exchange.event for exchange in world("small", 1).play(OpenGateway())]
    decided = []
    for onlooker in (None, Peaks(())):
        driver = Driver(8, opening_control(enforce=True), onlooker=onlooker)
        for event in exchanges:
            driver.take(event, event.event_time)
        driver.finish()
        decided.append([decision.decision_id for decision in driver.drained()])

    assert decided[0] == decided[1]
    assert decided[0]


def test_every_automatic_sanction_has_a_score_at_least_as_high_behind_it():
    """The peaks are complete: nobody was sanctioned at a score that was not heard."""
    played = Play(world("small", 1), "full", is_closed=True).to_end()
    sanctioned = [row for row in played.ledger.accounts(played.peaks.of) if row.sanctioned_at is not None]

    assert sanctioned
    assert all(row.score >= 0.7 for row in sanctioned)
