"""Where a subject crosses: elsewhere for each, the same each time, never below the rung."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guard.control.board import opening_control
from guard.decisions.decision import Action
from guard.decisions.standing import Order
from guard.engine.control import Control
from guard.engine.driver import Driver
from guard.policy.errors import PolicyError
from guard.policy.jitter import offset_of, raised
from guard.policy.judge import judge
from guard.policy.parse import parse_policy
from guard.policy.policy import Jitter
from guard.policy.schedule import policy_json
from guard.scoring.fusion import Verdict
from guard.simulation.presets import build
from guard.simulation.world import OpenGateway
from guard.units import DAY_MS, MINUTE_MS
from tests.support.policies import document

AT = 1_790_000_000_000
KEY = "a-secret-of-many-letters"
JITTER = Jitter(share_max=0.3, key=KEY)
POLICY = parse_policy(document(mode="enforce", ladder={"jitter": {"share_max": 0.3, "key": KEY}}))
DOUBTS = [number / 1_000 for number in range(600, 1_000)]


def _crosses_at(subject: str, at: int = AT) -> float:
    """What an attacker learns with this account: the lowest score at which it is throttled."""
    offset = offset_of(POLICY.jitter, "account", subject, at)
    return next(score for score in DOUBTS if judge(Verdict(score, (), 1), None, POLICY, at, offset) is not None)


def test_two_subjects_with_the_same_evidence_cross_at_different_points() -> None:
    """What a fleet learns by giving up one account does not hold for its next one: fifty accounts show many boundaries."""
    boundaries = {_crosses_at(f"a-{number}") for number in range(50)}

    assert len(boundaries) > 20
    assert min(boundaries) >= 0.7
    assert max(boundaries) < 0.7 + 0.3 * 0.3 + 0.001


def _lost(jitter: Jitter, probes: int) -> float:
    """The share of a fleet that crosses, when it stays just below the lowest point at which `probes` accounts of it crossed."""
    points = [raised(0.7, offset_of(jitter, "account", f"a-{number}", AT)) for number in range(4_000)]
    fleets = [points[start : start + 40] for start in range(0, len(points), 40)]
    losses = [sum(point < min(fleet[:probes]) for point in fleet[probes:]) / (40 - probes) for fleet in fleets]
    return sum(losses) / len(losses)


def test_who_learned_the_boundary_from_one_account_loses_half_of_the_others() -> None:
    """One in n + 1 for n accounts given up, as theory says; without jitter the first account tells all."""
    assert _lost(Jitter(), 1) == 0.0
    assert _lost(JITTER, 1) == pytest.approx(1 / 2, abs=0.1)
    assert _lost(JITTER, 9) == pytest.approx(1 / 10, abs=0.05)


def test_the_same_subject_crosses_at_the_same_point_all_period_long() -> None:
    """New draws at every judgement would soon offer the lowest; a fixed one would be learned in the end."""
    first = AT - AT % DAY_MS
    of_day = {_crosses_at("a-1", first + hour * DAY_MS // 24) for hour in range(24)}
    of_days = {_crosses_at("a-1", first + day * DAY_MS) for day in range(20)}

    assert len(of_day) == 1
    assert len(of_days) > 5


def test_without_the_key_the_offsets_are_others() -> None:
    """Whoever has read this code still knows nothing."""
    ours = [offset_of(JITTER, "account", f"a-{number}", AT) for number in range(20)]
    guessed = [offset_of(Jitter(share_max=0.3, key="a-guess-of-many-letters"), "account", f"a-{number}", AT) for number in range(20)]

    assert not set(ours) & set(guessed)


@given(score=st.floats(0.0, 1.0), subject=st.text(max_size=8), at=st.integers(0, 2**45), share=st.floats(0.0, 0.5))
def test_a_rung_is_only_ever_raised_and_stays_within_reach(score: float, subject: str, at: int, share: float) -> None:
    """Nobody honest may be judged more strictly than the policy says, and no subject may be out of reach."""
    found = raised(score, offset_of(Jitter(share, DAY_MS, KEY), "account", subject, at))

    assert score <= found <= score + (1.0 - score) * share


@given(subject=st.text(max_size=8))
def test_the_rungs_keep_their_order(subject: str) -> None:
    """A block that is reached before its throttle would turn the ladder round."""
    offset = offset_of(JITTER, "account", subject, AT)
    scores = [raised(rung.score, offset) for rung in POLICY.rungs]

    assert scores == sorted(set(scores))


def test_an_order_in_force_is_renewed_at_the_policys_own_numbers() -> None:
    """Whoever stands under an order has crossed already: a new period must not let it go."""
    held = Order(Action.THROTTLE, AT - MINUTE_MS, AT + MINUTE_MS, "d-1")

    assert judge(Verdict(0.66, (), 1), held, POLICY, AT, 0.3) is not None
    assert judge(Verdict(0.75, (), 1), None, POLICY, AT, 0.3) is None


def test_without_a_share_nothing_is_hashed_and_nothing_moves() -> None:
    """The built-in policy has no secret, so it has no jitter: its decisions are those of the rungs alone."""
    assert offset_of(Jitter(key=KEY), "account", "a-1", AT) == 0.0
    assert raised(0.7, 0.0) == 0.7


def test_the_secret_is_not_shown_with_the_policy() -> None:
    """`guard policy show` goes into terminals and tickets."""
    told = json.loads(policy_json(POLICY))["jitter"]

    assert (told["share_max"], told["key"]) == (0.3, "(withheld)")


@pytest.mark.parametrize("wrong", ["a-secret-of-many-letters" * 20, ["a-secret-of-many-letters"], "a-secret\nof-many-letters"])
def test_a_wrong_secret_is_named_and_not_told(wrong) -> None:
    """Faults go to the status topic, which more people read than write policies."""
    with pytest.raises(PolicyError) as caught:
        parse_policy(document(ladder={"jitter": {"share_max": 0.2, "key": wrong}}))

    (line,) = caught.value.lines
    assert line.startswith("ladder.jitter.key: (withheld); ")
    assert "a-secret" not in line


def test_an_offset_is_the_same_on_every_machine_and_in_every_release() -> None:
    """A replay may run years later; the number is HMAC-SHA-256 by hand: its first 48 bits of 2**48, times the share."""
    assert offset_of(JITTER, "account", "a-1", 20_717 * DAY_MS) == offset_of(JITTER, "account", "a-1", 20_718 * DAY_MS - 1)
    assert offset_of(JITTER, "account", "a-1", 20_717 * DAY_MS) == 0.3 * 0xAE5B494491C7 / 2**48


@pytest.fixture(scope="module")
def small():
    """The exchanges of the smallest world, nobody refused."""
    built = build("small", 1, AT)
    return [exchange.event for exchange in built.world.play(OpenGateway())]


def _decided(events, ladder):
    opening = opening_control(enforce=True)
    policies = opening.policies.with_document(document(mode="enforce", ladder=ladder))
    driver = Driver(8, Control(policies, opening.labels, opening.watch))
    for event in events:
        driver.take(event, event.event_time)
    driver.finish()
    return driver.drained()


def test_the_same_input_gives_the_same_decisions_with_jitter_and_others_without(small) -> None:
    """No dice: a replay of what the stream decided says the same, byte for byte."""
    low = {"scores": {"throttle": 0.3, "challenge": 0.5, "block": 0.7}}
    ladder = {**low, "jitter": {"share_max": 0.5, "key": KEY}}
    once, again, without = _decided(small, ladder), _decided(small, ladder), _decided(small, low)

    assert [decision.decision_id for decision in once] == [decision.decision_id for decision in again]
    assert {one.subject for one in once} < {one.subject for one in without}
