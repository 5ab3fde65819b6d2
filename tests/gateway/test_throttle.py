"""How much a throttled account gets through, over one enforcer and over several."""

from random import Random

import pytest

from guard.decisions.decision import Action, Decision
from guard.gateway.enforcer import Caller, Enforcer
from guard.gateway.throttle import BUCKETS_MAX, Throttles

MINUTES = 10
AT = 1_790_000_000_000


def passed(rate_rpm: int, weights: tuple[int, ...], seed: int = 3) -> int:
    """Requests let through in ten minutes of forty times as many, sent to the enforcers by these weights."""
    dice = Random(seed)
    enforcers = [Throttles() for _ in weights]
    calls = sorted(dice.randrange(MINUTES * 60_000) for _ in range(40 * MINUTES * rate_rpm))
    chosen = dice.choices(enforcers, weights, k=len(calls))
    return sum(one.wait_ms("alice", rate_rpm, AT + at, len(weights)) == 0 for one, at in zip(chosen, calls, strict=True))


@pytest.mark.parametrize("rate_rpm", [6, 17, 60])
def test_one_enforcer_lets_through_what_the_decision_says(rate_rpm: int) -> None:
    assert abs(passed(rate_rpm, (1,)) - MINUTES * rate_rpm) <= 0.05 * MINUTES * rate_rpm


@pytest.mark.parametrize("rate_rpm", [6, 17, 60])
def test_three_enforcers_under_even_load_let_through_about_that_together(rate_rpm: int) -> None:
    assert 0.8 <= passed(rate_rpm, (1, 1, 1)) / (MINUTES * rate_rpm) <= 1.05


@pytest.mark.parametrize("weights", [(1, 1, 1), (98, 1, 1), (1, 0, 0), (5, 3, 1), (50, 50, 1)])
def test_no_split_of_the_load_gets_more_than_the_rate_and_one_each(weights: tuple[int, ...]) -> None:
    for seed in range(5):
        assert passed(6, weights, seed) <= MINUTES * 6 + len(weights)


def test_waiting_as_long_as_told_is_enough() -> None:
    throttles = Throttles()
    assert throttles.wait_ms("alice", 7, AT, 3) == 0
    wait = throttles.wait_ms("alice", 7, AT + 5, 3)
    assert throttles.wait_ms("alice", 7, AT + 5 + wait - 1, 3) > 0
    assert throttles.wait_ms("alice", 7, AT + 5 + wait, 3) == 0


def test_a_clock_that_is_set_back_gives_nothing_twice() -> None:
    throttles = Throttles()
    assert throttles.passes("alice", 6, AT)
    assert not any(throttles.passes("alice", 6, AT - 3_600_000 + second * 1_000) for second in range(9))


def test_buckets_are_bounded_and_the_one_longest_silent_goes() -> None:
    throttles = Throttles()
    for number in range(BUCKETS_MAX + 10):
        throttles.passes(f"a{number}", 6, AT)
    assert len(throttles) == BUCKETS_MAX
    assert not throttles.passes(f"a{BUCKETS_MAX}", 6, AT)
    assert throttles.passes("a0", 6, AT)


def test_a_blocked_client_that_hammers_does_not_lengthen_its_block() -> None:
    """Refusals are answered from memory and change nothing there; a million are played by `make bench`."""
    now = [AT]
    enforcer = Enforcer(now=lambda: now[0])
    enforcer.is_ready = True
    enforcer.orders.apply(
        Decision(
            decision_id="d",
            scope="account",
            subject="mallory",
            action="block",
            issued_at=AT,
            expires_at=AT + 60_000,
            score=1.0,
            reasons=(),
            policy_version=1,
            model_version="m",
            origin="automatic",
            mode="enforce",
        )
    )
    for _ in range(20_000):
        assert enforcer.rule(Caller("mallory")).action is Action.BLOCK
        now[0] += 2
    now[0] = AT + 60_000
    assert enforcer.rule(Caller("mallory")).refusal is None
    assert enforcer.counts["blocked"] == 20_000
