"""People come in sessions, programs are heavy-tailed; who is neither is a pool. Each story runs the whole engine."""

import random
from collections.abc import Callable, Iterator
from math import log

import pytest

from guard.events.request import RequestEvent
from guard.state.evenness import Evenness
from guard.units import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS
from tests.support.events import T0, crowd, event, in_order
from tests.support.judged import judged, sanctioned

ACCOUNTS = 80
HOURS = 36
PER_ACCOUNT = 40
Arrivals = Callable[[random.Random, float], Iterator[float]]


def _strangers(dice: random.Random, arrivals: Arrivals, spread: float) -> Iterator[RequestEvent]:
    """Old accounts with cards, lines and clients of their own on one prompt, at rates whose logarithms spread so far."""
    for member in range(ACCOUNTS):
        created = T0 - int(dice.uniform(90, 900) * DAY_MS)
        for at in arrivals(dice, PER_ACCOUNT * dice.lognormvariate(0.0, spread)):
            yield event(
                f"stranger-{member}", int(at), account_created=created, prefix="their-prompt", shape=f"s{dice.getrandbits(50):x}", messages=2,
                payment_fingerprint=f"k1:card-{member}", ip_prefix=f"home-{member}", client_fingerprint=dice.choice("ab"), rate_limit_rpm=60,
            )  # fmt: skip


def _steadily(dice: random.Random, exchanges: float) -> Iterator[float]:
    """At random over the whole time, as a dispatcher hands out work."""
    at = T0 + dice.random() * HOUR_MS
    while at < T0 + HOURS * HOUR_MS:
        yield at
        at += dice.expovariate(exchanges / HOURS) * HOUR_MS


def _in_sessions(dice: random.Random, exchanges: float) -> Iterator[float]:
    """As many exchanges in sessions of ten or so, a minute or two apart."""
    for _ in range(max(1, round(exchanges / 10))):
        at = T0 + dice.random() * HOURS * HOUR_MS
        for _ in range(1 + int(dice.expovariate(1 / 9))):
            yield at
            at += dice.lognormvariate(log(1.5), 0.7) * MINUTE_MS


@pytest.mark.parametrize("seed", [1, 2])
def test_strangers_who_share_a_prompt_and_never_sit_down_to_it_are_a_pool(seed: int) -> None:
    """Weighted balancers are about as uneven as one session each; but nobody's work has no sessions and is shared out this evenly."""
    people = crowd(random.Random(seed), 400, span_ms=HOURS * HOUR_MS)
    found = sanctioned(judged(in_order(people, _strangers(random.Random(seed + 10), _steadily, 0.6))).drained())

    assert found == {f"stranger-{number}" for number in range(ACCOUNTS)}


@pytest.mark.parametrize("seed", [1, 2])
def test_strangers_who_share_a_prompt_and_use_it_in_sessions_are_left_alone(seed: int) -> None:
    """A public prompt and the same number of exchanges over the same time, in sittings."""
    people = crowd(random.Random(seed), 400, span_ms=HOURS * HOUR_MS)

    assert sanctioned(judged(in_order(people, _strangers(random.Random(seed + 10), _in_sessions, 0.6))).drained()) == set()


@pytest.mark.parametrize("seed", [1, 2])
def test_programs_of_many_customers_on_one_public_prompt_are_left_alone(seed: int) -> None:
    """Steady, too, but one customer is a thousand times another, as API clients are (ServeGen)."""
    people = crowd(random.Random(seed), 400, span_ms=HOURS * HOUR_MS)

    assert sanctioned(judged(in_order(people, _strangers(random.Random(seed + 10), _steadily, 1.5))).drained()) == set()


def _at_a_launch(dice: random.Random) -> Iterator[RequestEvent]:
    """Three hundred people who sit down to one new tool within minutes, each at a pace of one's own; nobody has got up again yet."""
    for person in range(300):
        created, pause_s = T0 - int(dice.uniform(1, 900) * DAY_MS), 100.0 * dice.lognormvariate(0.0, 0.65)
        at = T0 + dice.random() * 5 * MINUTE_MS
        while at < T0 + 25 * MINUTE_MS:
            yield event(
                f"guest-{person}", int(at), account_created=created, prefix="their-prompt", shape=f"s{dice.getrandbits(50):x}", messages=2,
                payment_fingerprint=f"k1:card-{person}", ip_prefix=f"home-{person}", client_fingerprint="tool", rate_limit_rpm=60,
            )  # fmt: skip
            at += dice.lognormvariate(log(pause_s), 0.8) * SECOND_MS


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_people_who_all_sit_down_to_one_tool_in_the_same_minutes_are_left_alone(seed: int) -> None:
    """N8: within one sitting, paces are all that differs: as much as those of coding agents do (WEKA), and less than sittings among one another."""
    assert sanctioned(judged(in_order(crowd(random.Random(seed), 400), _at_a_launch(random.Random(seed + 10)))).drained()) == set()


def test_spread_is_the_share_of_slots_that_use_at_random_would_fill() -> None:
    """144 slots of ten minutes in a day: 12 uses in 12 of them are as good as random, in 3 they are sessions."""
    random_use = Evenness(accounts=10, uses=120.0, slots=115.0)
    sessions = Evenness(accounts=10, uses=120.0, slots=30.0)

    assert random_use.spread(DAY_MS) == pytest.approx(1.0, abs=0.01)
    assert sessions.spread(DAY_MS) == pytest.approx(0.26, abs=0.01)
    assert random_use.spread(20 * MINUTE_MS) is None
