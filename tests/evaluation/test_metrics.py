"""Hand-made ledgers whose figures one can work out on paper."""

import math

import pytest

from guard.evaluation import metrics
from guard.evaluation.chance import shuffled
from guard.evaluation.intervals import NOTHING_MEASURED, Measured, bootstrap, quantile, quantile_of, ratio, wilson
from guard.evaluation.leakage import folded_auc
from guard.evaluation.ledger import Ledger
from guard.evaluation.targets import TARGETS, Verdict, held
from guard.simulation.client import Truth
from tests.support.ledgers import decision, result_of

FLEET = [Truth(f"bot-{number}", "hydra", honest=False, family="A3", campaign="c-1") for number in range(4)]
PERSON = Truth("person", "person", honest=True)
LAB = Truth("student", "student", honest=True, family="N4")


def _fleet_ledger():
    """Four bots call once a second in turn, 40 times in all; at 10 s a campaign throttles three of them, at 30 s it blocks them."""
    ledger = Ledger([*FLEET, PERSON, LAB])
    for second in range(40):
        ledger.exchange(FLEET[second % 4], second * 1_000, was_refused=False)
        ledger.exchange(PERSON, second * 1_000, was_refused=False)
        ledger.exchange(LAB, second * 1_000, was_refused=False)
    named = tuple(truth.account_id for truth in FLEET[:3])
    ledger.decision(decision("campaign", "k-1", "throttle", 10_000, (*named, "student")))
    ledger.decision(decision("campaign", "k-1", "challenge", 20_000, named))
    ledger.decision(decision("campaign", "k-1", "block", 30_000, named))
    return ledger


def test_a_leak_counts_answers_up_to_the_moment_the_decision_was_issued():
    """Eleven exchanges from second 0 to second 10; what came after, while the decision travelled, is the gateway's delay."""
    campaign = _fleet_ledger().campaigns()[0]

    assert (campaign.leaked_to_throttle, campaign.leaked_to_stop, campaign.leaked_to_block) == (11, 21, 31)
    assert campaign.answered == 40
    assert campaign.throttled_at == 10_000


def test_what_accounts_did_before_their_campaign_began_is_no_leak():
    """Bought accounts have owners with a past; the harvest begins on one day, and the clock of the detection with it."""
    bot = Truth("bot", "hydra", honest=False, family="A4", campaign="c-1", begins_at=20_000)
    ledger = Ledger([bot])
    for second in range(40):
        ledger.exchange(bot, second * 1_000, was_refused=False)
    ledger.decision(decision("account", "bot", "throttle", 30_000))
    campaign = ledger.campaigns()[0]

    assert (campaign.answered, campaign.leaked_to_throttle, campaign.first_at) == (20, 11, 20_000)


def test_a_throttle_that_refuses_nothing_catches_nobody():
    """Else a promise of six requests a minute would count against a bot that calls once an hour."""
    ledger = Ledger(FLEET)
    for truth in FLEET:
        ledger.exchange(truth, 0, was_refused=False)
        ledger.decision(decision("account", truth.account_id, "throttle", 1))
    ledger.exchange(FLEET[0], 2, was_refused=True)
    ledger.decision(decision("account", FLEET[1].account_id, "challenge", 3))

    assert metrics.recall([result_of(ledger)], ("A3",)).value == pytest.approx(0.5)


def test_a_cluster_is_judged_at_its_largest_by_its_commonest_campaign():
    """Three bots and a student are a cluster of purity 3/4 that misses four fifths of the campaign."""
    result = result_of(_fleet_ledger())

    assert metrics.purity([result], ()).value == pytest.approx(0.75)
    assert metrics.cluster_recall([result], ("A3",)).value == 0.0
    assert result.campaigns[0].largest_cluster_share == pytest.approx(0.75)


def test_parts_of_a_campaign_decision_are_one_cluster():
    """A campaign of more than a thousand members is written in parts; each alone would look like a failure."""
    ledger = Ledger(FLEET)
    for truth in FLEET:
        ledger.exchange(truth, 0, was_refused=False)
    for part, pair in enumerate((FLEET[:2], FLEET[2:])):
        ledger.decision(decision("campaign", "k-1", "throttle", 1, tuple(truth.account_id for truth in pair), part))

    assert metrics.cluster_recall([result_of(ledger)], ()).value == 1.0


def test_honest_accounts_that_were_sanctioned_are_named_with_their_severestdecision():
    """A false positive without its reasons cannot be mended."""
    ledger = _fleet_ledger()
    ledger.decision(decision("account", "student", "block", 20_000))
    result = result_of(ledger)

    assert [(one.account_id, one.family, one.action) for one in result.false_positives] == [("student", "N4", "block")]
    assert metrics.honest_sanctioned([result], ()).value == pytest.approx(0.5)
    assert metrics.negatives_blocked([result], ()).value == 1.0


def test_refused_honest_requests_are_counted_of_a_million_and_per_negative():
    """One of four requests of the lab and none of the person's four."""
    ledger = Ledger([PERSON, LAB])
    for at in range(4):
        ledger.exchange(PERSON, at, was_refused=False)
        ledger.exchange(LAB, at, was_refused=at == 3)
    result = result_of(ledger)

    assert metrics.honest_refused_per_million([result], ()).value == pytest.approx(125_000)
    assert metrics.negatives_affected([result], ()).value == pytest.approx(0.25)


@pytest.mark.parametrize("action", ["challenge", "block"])
def test_a_replacement_is_an_account_that_began_after_its_campaign_was_first_shut_out(action):
    """The leak of hot-standby pools: two answers to the newcomer before its own turn; both are a 403 to the pool."""
    ledger = Ledger(FLEET)
    ledger.exchange(FLEET[0], 0, was_refused=False)
    ledger.decision(decision("account", "bot-0", action, 10))
    for at in (20, 30, 60):
        ledger.exchange(FLEET[1], at, was_refused=False)
    ledger.decision(decision("account", "bot-1", "block", 40))

    assert ledger.campaigns()[0].replacement_leaks == (2,)


def test_a_campaign_found_by_its_500th_exchange_is_in_time_however_slow_it_is():
    """Low and slow campaigns show nothing for hours; the protocol gives whichever of the two is later."""
    slow = result_of(_fleet_ledger())

    assert metrics.detection_s(5)([slow], ("A3",)).value == 5
    assert metrics.detection_s(60)([slow], ("A3",)).value == 10


def test_what_never_happened_is_infinite_and_misses_every_ceiling():
    """A campaign that nobody noticed has no leak to speak of, which must not read as a leak of nothing."""
    ledger = Ledger(FLEET)
    for truth in FLEET:
        ledger.exchange(truth, 0, was_refused=False)
    rows = {row.name: row for row in held([result_of(ledger)])}

    assert rows["pooled exchanges to throttle, median"].measured.value == math.inf
    assert rows["pooled exchanges to throttle, median"].verdict is Verdict.MISSED
    assert "never" in rows["pooled exchanges to throttle, median"].line


def test_no_false_positive_among_few_accounts_proves_little():
    """Rule of three: 0 of 3,000 shows at most 0.1 %, 0 of 300 at most 1 %."""
    assert wilson(0, 3_000).high == pytest.approx(0.001)
    assert wilson(0, 300).high == pytest.approx(0.01)
    assert wilson(0, 0) == NOTHING_MEASURED


def test_a_target_is_met_only_when_the_interval_clears_it():
    """Between met and missed lies what too few accounts cannot show."""
    blocked = next(target for target in TARGETS if target.name == "honest accounts blocked")

    assert blocked.verdict(wilson(0, 40_000)) is Verdict.MET
    assert blocked.verdict(wilson(0, 400)) is Verdict.UNPROVEN
    assert blocked.verdict(wilson(1, 400)) is Verdict.MISSED
    assert blocked.verdict(NOTHING_MEASURED) is Verdict.UNMEASURED


def test_wilsons_interval_is_the_textbooks():
    """10 of 100: 5.5 % to 17.4 %."""
    found = wilson(10, 100)

    assert (found.low, found.high) == (pytest.approx(0.0552, abs=5e-4), pytest.approx(0.1744, abs=5e-4))


def test_quantiles_are_observed_values_and_carry_infinity():
    """Interpolating towards what never happened would make a number of it."""
    assert quantile([1, 2, math.inf], 0.5) == 2
    assert quantile([1, 2, math.inf], 0.95) == math.inf
    assert quantile_of([], 0.5) == NOTHING_MEASURED


def test_a_handful_of_campaigns_has_no_interval_to_clear_a_bound_with():
    """Three campaigns that were all throttled early show a number, and prove nothing."""
    few, many = quantile_of([5.0, 6.0, 7.0], 0.5), quantile_of([float(number) for number in range(100)], 0.5)

    assert few == Measured(6.0, None, None, 3)
    assert (many.low, many.high) == (39.0, 60.0)
    assert bootstrap([1.0] * 3, max).low is None


def test_a_ratio_without_hits_has_the_rule_of_three_over_its_accounts():
    """Requests of one account are not independent: a million of them prove no more than the account."""
    assert ratio([(0.0, 1e6)] * 30) == Measured(0.0, 0.0, 0.1, 30)


def test_an_auc_of_one_feature_is_folded_and_ties_count_half():
    """Leakage is leakage in either direction."""
    assert folded_auc([1.0, 2.0], [3.0, 4.0]) == 1.0
    assert folded_auc([1.0], [1.0]) == 0.5
    assert folded_auc([], [1.0]) is None


def test_shuffled_truth_gives_chance():
    """A perfect judge of 200 accounts finds nothing once the labels are dealt out anew."""
    truths = [Truth(f"a-{number}", "any", honest=number % 2 == 0, family="A3", campaign="c") for number in range(400)]
    ledger = Ledger(truths)
    for truth in truths:
        ledger.exchange(truth, 0, was_refused=False)
        if not truth.honest:
            ledger.decision(decision("account", truth.account_id, "block", 1))
    found = metrics.informedness([result_of(ledger)])
    chance = metrics.informedness([shuffled(result_of(ledger), "shuffled")])

    assert found.value == 1.0
    assert chance.low is not None
    assert chance.high is not None
    assert chance.low < 0.0 < chance.high
