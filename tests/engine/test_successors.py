"""Accounts that come in the place of those that were stopped: met by what they ask, however it is worded, and held by what convicted the first."""

import random

import pytest

from guard.decisions.decision import Decision
from guard.engine.accounts import AccountsStage
from guard.engine.campaign_record import ACTIVE, new_campaign, publish
from guard.engine.campaigns import CampaignsStage
from guard.engine.control import Control
from guard.engine.forwards import Report, Suspicion, decode_tip
from guard.engine.watchlist import PARAPHRASES_MAX, CampaignKey, WatchList
from guard.scoring.account_rules import reason
from guard.state.behaviour import NEAR_BITS
from guard.state.link import KeyKind
from guard.topics import Topic
from guard.units import HOUR_MS, MINUTE_MS
from tests.support.events import T0, event, open_control

QUESTION = 0x5DEECE66D1234567
FIRST = tuple(f"first-{number}" for number in range(30))
FRESH = tuple(f"fresh-{number}" for number in range(10))
LIFT = reason("template_lift", 30, 5, 0.2, 0.5)


def _watching(*families: int) -> WatchList:
    campaign = new_campaign(int(KeyKind.PARAPHRASE), f"{QUESTION:016x}", T0, T0)
    campaign.state = ACTIVE
    return WatchList.empty().with_campaign(
        campaign.campaign_id.encode(), publish(campaign, [CampaignKey("simhash", f"{family:016x}", 0.6) for family in families])
    )


def _reported(watch: WatchList, question: int, bits: int = 4) -> list[Report]:
    """What the campaigns stage is told of an account that asks one question in eight wordings."""
    built_in, dice = open_control(), random.Random(1)
    accounts = AccountsStage(0, 1, {}, Control(built_in.policies, built_in.labels, watch))
    for turn in range(8):
        simhash = question
        for place in dice.sample(range(64), bits):
            simhash ^= 1 << place
        accounts.take(event("fresh", T0 + turn * MINUTE_MS, prefix="own", simhash=f"{simhash:016x}"), T0 + turn * MINUTE_MS)
    tips = [decode_tip(message.value) for message in accounts.drain().messages if message.topic is Topic.SUSPICIONS and message.value]
    return [tip for tip in tips if isinstance(tip, Report)]


def test_an_account_that_words_a_watched_question_otherwise_is_reported() -> None:
    """Each account's family is the median of its own wordings: near the campaign's, seldom the same."""
    found = _reported(_watching(QUESTION ^ 0b101), QUESTION)

    assert {(report.account, report.kinds) for report in found} == {("fresh", (int(KeyKind.PARAPHRASE),))}


def test_an_account_with_a_question_of_its_own_is_not_reported() -> None:
    """Beyond the likeness of one family's wordings everybody asks what they like."""
    assert _reported(_watching(QUESTION ^ (1 << 3 * NEAR_BITS) - 1), QUESTION) == []


def test_no_more_families_are_watched_for_than_the_bound() -> None:
    """Each account's families are held against all of them."""
    assert len(_watching(*range(PARAPHRASES_MAX + 10)).paraphrases) == PARAPHRASES_MAX


def _told(stage: CampaignsStage, at: int, score: float, members: tuple[str, ...], *, is_even: bool) -> list[Decision]:
    """What is decided when the key is told of: in full force while it is even."""
    reasons = (LIFT, reason("even_rates", 0.1, 0.4, 0.6, 0.6)) if is_even else (LIFT,)
    uses, families = 10 * len(members), len(reasons)
    stage.take(Suspicion(int(KeyKind.PARAPHRASE), f"{QUESTION:016x}", at, T0, score, reasons, len(members), uses, 0, members, families))
    return list(stage.drain().decided)


@pytest.fixture
def challenged() -> CampaignsStage:
    """A campaign of thirty that a challenge has stopped, as it ends a throttle that took nothing from them."""
    stage = CampaignsStage(0, 1, {}, open_control())
    decided = [one for minute in range(0, 70, 5) for one in _told(stage, T0 + minute * MINUTE_MS, 0.72, FIRST, is_even=True)]
    assert decided[0].action == "throttle"
    assert decided[-1].action == "challenge"
    return stage


def test_whoever_comes_in_the_place_of_the_stopped_is_named_while_they_are_stopped(challenged: CampaignsStage) -> None:
    """Newcomers beside accounts that were stopped make the use look uneven: the guard's own doing, and no ground to let both go."""
    decided = _told(challenged, T0 + 80 * MINUTE_MS, 0.55, FIRST + FRESH, is_even=False)

    assert {one.action for one in decided} == {"challenge"}
    assert set(decided[-1].members or ()) == {*FIRST, *FRESH}


def test_it_is_over_with_the_challenge_unless_new_evidence_renews_it(challenged: CampaignsStage) -> None:
    """Links stay reversible: nothing is renewed on what was."""
    expires_at = _told(challenged, T0 + 80 * MINUTE_MS, 0.55, FIRST + FRESH, is_even=False)[-1].expires_at
    decided = _told(challenged, expires_at + MINUTE_MS, 0.5, (*FIRST, *FRESH, "one-more"), is_even=False)

    assert expires_at <= T0 + 70 * MINUTE_MS + HOUR_MS
    assert {one.action for one in decided} <= {"allow"}
    assert challenged.subjects == 1


def test_a_throttle_that_stops_nobody_falls_with_its_evidence() -> None:
    """Members under a throttle go on, so that what is seen of their use is theirs."""
    stage = CampaignsStage(0, 1, {}, open_control())
    assert _told(stage, T0, 0.72, FIRST, is_even=True)[0].action == "throttle"

    assert [one.action for one in _told(stage, T0 + MINUTE_MS, 0.55, FIRST + FRESH, is_even=False)] == ["allow"]
