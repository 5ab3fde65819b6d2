"""How much a throttled account gets through, over one enforcer and over several."""

from random import Random

import pytest

from guard.gateway.enforcer import Caller, Enforcer
from guard.gateway.throttle import BUCKETS_MAX, Throttles
from tests.support.decisions import decision

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
    """A throttle that lets through more is none; one that lets through less is a block."""
    assert abs(passed(rate_rpm, (1,)) - MINUTES * rate_rpm) <= 0.05 * MINUTES * rate_rpm


@pytest.mark.parametrize("rate_rpm", [6, 17, 60])
def test_three_enforcers_under_even_load_let_through_about_that_together(rate_rpm: int) -> None:
    """Each knows only its share; together they owe the account its rate."""
    assert 0.8 <= passed(rate_rpm, (1, 1, 1)) / (MINUTES * rate_rpm) <= 1.05


@pytest.mark.parametrize("weights", [(1, 1, 1), (98, 1, 1), (1, 0, 0), (5, 3, 1), (50, 50, 1)])
def test_no_split_of_the_load_gets_more_than_the_rate_and_one_each(weights: tuple[int, ...]) -> None:
    """A fleet that finds the gateways by their addresses must gain nothing by choosing."""
    for seed in range(5):
        assert passed(6, weights, seed) <= MINUTES * 6 + len(weights)


def test_waiting_as_long_as_told_is_enough() -> None:
    """A client that does as it is told and is refused again stops doing so."""
    throttles = Throttles()
    assert throttles.wait_ms("alice", 7, AT, 3) == 0
    wait = throttles.wait_ms("alice", 7, AT + 5, 3)
    assert throttles.wait_ms("alice", 7, AT + 5 + wait - 1, 3) > 0
    assert throttles.wait_ms("alice", 7, AT + 5 + wait, 3) == 0


def test_a_clock_that_is_set_back_gives_nothing_twice() -> None:
    """Else every correction of the time would refill every bucket."""
    throttles = Throttles()
    assert throttles.passes("alice", 6, AT)
    assert not any(throttles.passes("alice", 6, AT - 3_600_000 + second * 1_000) for second in range(9))


def test_buckets_are_bounded_and_the_one_longest_silent_goes() -> None:
    """A campaign of any size must not fill the memory of a gateway's neighbour."""
    throttles = Throttles()
    for number in range(BUCKETS_MAX + 10):
        throttles.passes(f"a{number}", 6, AT)
    assert len(throttles) == BUCKETS_MAX
    assert not throttles.passes(f"a{BUCKETS_MAX}", 6, AT)
    assert throttles.passes("a0", 6, AT)


def hammered(times: int) -> tuple[int, int]:
    """A blocked client asks so many times within its block: how often it was refused, and how much longer it was blocked, in ms."""
    now = [AT]
    enforcer = Enforcer(now=lambda: now[0])
    enforcer.is_ready = True
    enforcer.orders.apply(decision("mallory", issued_at=AT, expires_at=AT + 60_000))
    for number in range(times):
        now[0] = AT + number * 60_000 // times
        enforcer.rule(Caller("mallory"))
    refused = enforcer.counts["blocked"]
    now[0] = AT + 60_000
    while enforcer.rule(Caller("mallory")).refusal is not None:
        now[0] += 1
    return refused, now[0] - AT - 60_000


def test_a_blocked_client_that_hammers_does_not_lengthen_its_block() -> None:
    """Refusals are answered from memory and change nothing there; `python -m tests.bench precedence` plays a million."""
    assert hammered(20_000) == (20_000, 0)
