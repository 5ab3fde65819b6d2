"""Fleets that never ask in the same words, or mostly ask what anybody asks. Each story runs the whole engine."""

import random
from collections.abc import Callable, Iterator
from math import log

import pytest
from msgspec.structs import replace

from guard.events.request import RequestEvent
from guard.state.behaviour import NEAR_BITS
from guard.units import DAY_MS, HOUR_MS, MINUTE_MS
from tests.support.events import T0, crowd, event, in_order
from tests.support.judged import judged, sanctioned

ACCOUNTS = 60
HOURS = 24
PAST_HOURS = 12
QUESTION = 0x5DEECE66D1234567
Arrivals = Callable[[random.Random], Iterator[float]]
Content = Callable[[random.Random], dict[str, str]]


def _evenly(exchanges: int) -> Arrivals:
    """So many exchanges or so at random over the day, as a weighted balancer hands out work."""

    def arrivals(dice: random.Random) -> Iterator[float]:
        pause_ms = HOURS * HOUR_MS / exchanges / dice.lognormvariate(0.0, 0.4)
        at = T0 + dice.random() * HOUR_MS
        while at < T0 + HOURS * HOUR_MS:
            yield at
            at += dice.expovariate(1 / pause_ms)

    return arrivals


def _in_sittings(dice: random.Random) -> Iterator[float]:
    """Forty or so, some minutes apart, in as many sittings as somebody likes."""
    for _ in range(1 + int(dice.expovariate(1 / 3))):
        at = T0 + dice.random() * HOURS * HOUR_MS
        for _ in range(1 + int(dice.expovariate(1 / 9))):
            yield at
            at += dice.lognormvariate(log(1.5), 0.7) * MINUTE_MS


def _reworded(dice: random.Random) -> dict[str, str]:
    """One question in words of one's own: a shape that nobody else sends, a SimHash within `NEAR_BITS` of the question's."""
    simhash = QUESTION
    for _ in range(dice.randint(1, NEAR_BITS)):
        simhash ^= 1 << dice.randrange(64)
    return {"shape": f"s{dice.getrandbits(50):x}", "simhash": f"{simhash:016x}"}


def _unlike(dice: random.Random) -> dict[str, str]:
    return {"shape": f"s{dice.getrandbits(50):x}", "simhash": f"{dice.getrandbits(64):016x}"}


def _strangers(dice: random.Random, arrivals: Arrivals, content: Content) -> Iterator[RequestEvent]:
    """Old accounts with cards, lines and leading blocks of their own."""
    for member in range(ACCOUNTS):
        created = T0 - int(dice.uniform(90, 900) * DAY_MS)
        for at in arrivals(dice):
            yield event(
                f"stranger-{member}", int(at), account_created=created, messages=2, payment_fingerprint=f"k1:card-{member}", rate_limit_rpm=60,
                **{"prefix": f"own-{member}", "ip_prefix": f"home-{member}", "client_fingerprint": dice.choice("abc")} | content(dice),
            )  # fmt: skip


def _found(seed: int, strangers: Iterator[RequestEvent]) -> set[str]:
    people = crowd(random.Random(seed), 400, span_ms=HOURS * HOUR_MS)
    return sanctioned(judged(in_order(people, strangers)).drained())


def _assert_is_the_pool(found: set[str]) -> None:
    assert len(found & {f"stranger-{number}" for number in range(ACCOUNTS)}) >= 0.95 * ACCOUNTS
    assert not any(account.startswith("person") for account in found)


@pytest.mark.parametrize("seed", [1, 2])
def test_a_pool_that_asks_one_question_in_ever_new_words_is_found(seed: int) -> None:
    """A5: no prompt, no shape and no SimHash twice; what its wordings have in common is the same for all of its accounts."""
    found = _found(seed, _strangers(random.Random(seed + 10), _evenly(40), _reworded))

    _assert_is_the_pool(found)


def test_bought_accounts_are_found_by_what_they_do_since_they_joined() -> None:
    """A5: three quarters of all that each account ever asked was somebody's own, half a day before it met the pool's question."""
    dice = random.Random(13)
    past = (
        event(
            f"stranger-{member}", int(T0 + dice.random() * PAST_HOURS * HOUR_MS), account_created=T0 - 300 * DAY_MS, prefix=f"own-{member}"
        )
        for member in range(ACCOUNTS)
        for _ in range(120)
    )
    pool = (replace(one, event_time=one.event_time + PAST_HOURS * HOUR_MS) for one in _strangers(dice, _evenly(40), _reworded))
    people = crowd(random.Random(3), 400, span_ms=(PAST_HOURS + HOURS) * HOUR_MS)
    found = sanctioned(judged(in_order(people, past, pool)).drained())

    _assert_is_the_pool(found)


@pytest.mark.parametrize("seed", [1, 2])
def test_people_who_ask_one_question_in_their_own_words_are_left_alone(seed: int) -> None:
    """An assignment, a riddle in the news: the same question, in sittings."""
    assert _found(seed, _strangers(random.Random(seed + 10), _in_sittings, _reworded)) == set()


@pytest.mark.parametrize("seed", [1, 2])
def test_programs_that_ask_for_different_things_are_left_alone(seed: int) -> None:
    """As even as the pool, and nothing in common."""
    assert _found(seed, _strangers(random.Random(seed + 10), _evenly(40), _unlike)) == set()


def _diluted(seed: int, share: float, arrivals: Arrivals) -> Iterator[RequestEvent]:
    """Strangers of whose exchanges one prompt is `share`; the rest is everybody's own."""

    def content(dice: random.Random) -> dict[str, str]:
        return ({"prefix": "their-prompt"} if dice.random() < share else {}) | _unlike(dice)

    return _strangers(random.Random(seed + 10), arrivals, content)


def test_a_pool_that_hides_its_prompt_among_others_is_found() -> None:
    """A7: one exchange in eight; each account's share of the work is told of as closely as if it did nothing else."""
    found = _found(3, _diluted(3, 0.12, _evenly(100)))

    _assert_is_the_pool(found)


@pytest.mark.parametrize(("seed", "share"), [(1, 0.25), (2, 0.25), (1, 0.4), (2, 0.4), (2, 0.6)])
def test_people_who_come_back_to_a_public_prompt_now_and_then_are_left_alone(seed: int, share: float) -> None:
    """Diluted like the pool's: each use stands alone in its ten minutes, but the accounts themselves come and go."""
    assert _found(seed, _diluted(seed, share, _in_sittings)) == set()
