"""Accounts that come in the place of those that were stopped: met by what they ask, however it is worded, and held by what convicted the first."""

import random

import msgspec
import pytest

from guard.decisions.decision import Decision
from guard.engine.accounts import AccountsStage
from guard.engine.campaign_record import ACTIVE, new_campaign, publish
from guard.engine.campaigns import CampaignsStage
from guard.engine.control import Control
from guard.engine.forwards import Report, Suspicion, decode_tip
from guard.engine.watchlist import PARAPHRASES_MAX, CampaignKey, WatchList
from guard.scoring.account_rules import reason
from guard.scoring.fusion import fuse
from guard.scoring.successors import REMEMBERED_MS, WEIGHT_MAX, successors
from guard.state.behaviour import KEYS_MAX, NEAR_BITS
from guard.state.link import KeyKind
from guard.topics import Topic
from guard.units import HOUR_MS, MINUTE_MS
from tests.support.events import T0, event, open_control

QUESTION = 0x5DEECE66D1234567
FIRST = tuple(f"first-{number}" for number in range(30))
FRESH = tuple(f"fresh-{number}" for number in range(10))
STOPPED_AT = T0 + HOUR_MS


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


def test_a_family_whose_key_gave_way_to_others_is_no_key_that_the_account_carries() -> None:
    """Two bounds, one of keys and one of families: where they part, the account is judged on, and nobody is reported."""
    built_in = open_control()
    accounts = AccountsStage(0, 1, {}, Control(built_in.policies, built_in.labels, _watching(QUESTION)))
    for turn in range(4):
        accounts.take(event("fresh", T0 + turn, prefix="own", simhash=f"{QUESTION ^ 1 << turn:016x}"), T0 + turn)
    for turn in range(16 * KEYS_MAX):
        at = T0 + (1 + turn) * MINUTE_MS
        accounts.take(event("fresh", at, prefix=f"own-{turn // 16}", client_fingerprint=f"c-{turn // 16}"), at)

    assert accounts.drain().decided == []


def test_no_more_families_are_watched_for_than_the_bound() -> None:
    """Each account's families are held against all of them."""
    assert len(_watching(*range(PARAPHRASES_MAX + 10)).paraphrases) == PARAPHRASES_MAX


def _told(
    stage: CampaignsStage, at: int, members: tuple[str, ...], lift: float, even: float, kind: KeyKind = KeyKind.PARAPHRASE
) -> list[Decision]:
    """What is decided when a key is told of with these weights for its strangeness to the trusted and its evenness."""
    found = [reason("template_lift", 30, 5, 0.2, lift), reason("even_rates", 0.1, 0.4, 0.6, even)]
    verdict = fuse([one for one in found if one.weight])
    key = (int(kind), f"{QUESTION:016x}", at, T0)
    stage.take(Suspicion(*key, verdict.score, verdict.reasons, len(members), 10 * len(members), 0, members, verdict.families))
    return list(stage.drain().decided)


@pytest.fixture
def challenged() -> CampaignsStage:
    """A campaign of thirty that a challenge has stopped at `STOPPED_AT`, as it ends a throttle that took nothing from them."""
    stage = CampaignsStage(0, 1, {}, open_control())
    decided = [one for at in range(T0, STOPPED_AT + 1, 5 * MINUTE_MS) for one in _told(stage, at, FIRST, 0.5, 0.5)]
    assert [one.action for one in decided[:1]] == ["throttle"]
    assert (decided[-1].action, decided[-1].issued_at) == ("challenge", STOPPED_AT)
    return stage


def test_whoever_comes_in_the_place_of_the_stopped_is_named(challenged: CampaignsStage) -> None:
    """Newcomers beside accounts that were stopped make the use look uneven: the guard's own doing, and no ground to let both go."""
    decided = _told(challenged, STOPPED_AT + 50 * MINUTE_MS, FIRST + FRESH, 0.5, 0.0)

    assert {one.action for one in decided} == {"challenge"}
    assert set(decided[-1].members or ()) == {*FIRST, *FRESH}
    assert "successors" in {one.code for one in decided[-1].reasons}


def test_newcomers_who_came_one_by_one_count_together(challenged: CampaignsStage) -> None:
    """Each of them has the order written anew: whoever is named by it already has come since the stop all the same."""
    for number in range(1, len(FRESH) + 1):
        decided = _told(challenged, STOPPED_AT + number * MINUTE_MS, FIRST + FRESH[:number], 0.5, 0.5)
        assert set(decided[-1].members or ()) == {*FIRST, *FRESH[:number]}

    assert [one.action for one in _told(challenged, STOPPED_AT + 50 * MINUTE_MS, FIRST + FRESH, 0.5, 0.0)] == ["challenge"]


def test_without_newcomers_what_rested_on_the_evidence_goes_with_it(challenged: CampaignsStage) -> None:
    """Links are reversible."""
    assert [one.action for one in _told(challenged, STOPPED_AT + 50 * MINUTE_MS, FIRST, 0.5, 0.0)] == ["allow"]


@pytest.mark.parametrize("newcomers", [4, 10])
def test_a_group_that_grows_is_not_held_by_its_growth_alone(challenged: CampaignsStage, newcomers: int) -> None:
    """Evidence below every rung, and newcomers all the time, as a viral application has: each renewal would make them news again."""
    group, last = FIRST, STOPPED_AT
    for step in range(1, 48):
        at = STOPPED_AT + step * HOUR_MS // 2
        group += tuple(f"new-{step}-{number}" for number in range(newcomers))
        for one in _told(challenged, at, group, 0.4, 0.4):
            last = at if one.action != "allow" else last

    assert last <= STOPPED_AT + REMEMBERED_MS + HOUR_MS


def test_newcomers_hold_a_campaign_and_raise_it_to_no_block(challenged: CampaignsStage) -> None:
    """A challenge that its own evidence asks for stays one, however many come."""
    group = FIRST
    for step in range(1, 24):
        group += tuple(f"new-{step}-{number}" for number in range(10))
        decided = _told(challenged, STOPPED_AT + step * HOUR_MS // 2, group, 0.75, 0.55)
        assert {one.action for one in decided} <= {"challenge"}


def test_a_key_that_clears_itself_lets_all_go_at_once(challenged: CampaignsStage) -> None:
    """People's own rhythm, or a public that turns out to share it: then the newcomers of a growing application are no successors."""
    decided = _told(challenged, STOPPED_AT + 50 * MINUTE_MS, FIRST + FRESH, 0.1, 0.0)

    assert {one.action for one in decided} == {"allow"}


def test_after_half_a_day_the_evidence_has_to_stand_by_itself(challenged: CampaignsStage) -> None:
    """By then newcomers have shown what they are."""
    decided = _told(challenged, STOPPED_AT + REMEMBERED_MS + MINUTE_MS, FIRST + FRESH, 0.5, 0.0)

    assert decided == []
    assert _told(challenged, STOPPED_AT + REMEMBERED_MS + HOUR_MS, FIRST + FRESH, 0.5, 0.5)[-1].action == "throttle"


def test_a_campaign_in_force_goes_on_when_another_turns_out_to_be_part_of_it(challenged: CampaignsStage) -> None:
    """One that only forms has no order: taken for the whole, it would set free whom the other stopped."""
    at, others = STOPPED_AT + 10 * MINUTE_MS, tuple(f"other-{number}" for number in range(12))
    assert _told(challenged, at, others, 0.3, 0.25, KeyKind.SHAPE) == []
    assert _told(challenged, at, others, 0.3, 0.25, KeyKind.PAYMENT) == []
    _told(challenged, at, FIRST, 0.5, 0.36)

    assert "allow" not in {one.action for one in _told(challenged, at + MINUTE_MS, others + FIRST, 0.3, 0.25, KeyKind.PAYMENT)}


def test_a_throttle_that_stops_nobody_falls_with_its_evidence() -> None:
    """Members under a throttle go on, so that what is seen of their use is theirs."""
    stage = CampaignsStage(0, 1, {}, open_control())
    assert _told(stage, T0, FIRST, 0.5, 0.5)[0].action == "throttle"

    assert [one.action for one in _told(stage, T0 + MINUTE_MS, FIRST + FRESH, 0.5, 0.0)] == ["allow"]


def test_the_weight_of_newcomers_fades_and_few_are_none() -> None:
    """A viral application grows for days."""
    numbers = open_control().policies.newest.thresholds
    floor = int(numbers["campaign_accounts_min"])
    weights = [found.weight for hours in (0, 6, 12) if (found := successors(floor, hours * HOUR_MS, numbers)) is not None]

    assert weights == [WEIGHT_MAX, WEIGHT_MAX / 2, WEIGHT_MAX / 4]
    assert successors(floor, 12 * HOUR_MS + 1, numbers) is None
    assert successors(floor - 1, 0, numbers) is None


def test_a_watched_paraphrase_that_is_no_simhash_is_refused_as_a_record() -> None:
    """Whoever reads the campaigns topic goes on without it: it would end every worker, at each start anew."""
    campaign = new_campaign(int(KeyKind.PARAPHRASE), "zz", T0, T0)
    campaign.state = ACTIVE
    record = publish(campaign, [CampaignKey("simhash", "zz", 0.6)])

    with pytest.raises(msgspec.ValidationError, match="simhash 'zz': it should be hexadecimal"):
        WatchList.empty().with_campaign(campaign.campaign_id.encode(), record)
