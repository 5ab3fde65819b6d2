"""Pools whose prompts are too many for any of them to show how evenly it is used. Each story runs the whole engine."""

import random
from collections.abc import Iterator

import pytest

from guard.events.request import RequestEvent
from guard.units import DAY_MS, HOUR_MS, MINUTE_MS
from tests.support.events import T0, crowd, event, in_order
from tests.support.judged import judged, sanctioned

ACCOUNTS = 60
PROMPTS = 40
HOURS = 24
PER_ACCOUNT = 80


def _at_any_time(dice: random.Random, exchanges: float) -> Iterator[float]:
    at = T0 + dice.random() * HOUR_MS
    while at < T0 + HOURS * HOUR_MS:
        yield at
        at += dice.expovariate(exchanges / HOURS) * HOUR_MS


def _in_sittings(dice: random.Random, exchanges: float) -> Iterator[float]:
    for _ in range(max(1, round(exchanges / 12))):
        at = T0 + dice.random() * HOURS * HOUR_MS
        for _ in range(12):
            yield at
            at += dice.lognormvariate(0.4, 0.7) * MINUTE_MS


def _callers(dice: random.Random, spread: float, *, sittings: bool) -> Iterator[RequestEvent]:
    """Old accounts with cards and lines of their own on forty prompts, a use or two of each; paces whose logarithms spread so far."""
    arrivals = _in_sittings if sittings else _at_any_time
    for caller in range(ACCOUNTS):
        created = T0 - int(dice.uniform(90, 900) * DAY_MS)
        for at in arrivals(dice, PER_ACCOUNT * dice.lognormvariate(0.0, spread)):
            yield event(
                f"caller-{caller}", int(at), account_created=created, payment_fingerprint=f"k1:card-{caller}", messages=2, rate_limit_rpm=60,
                prefix=f"prompt-{dice.randrange(PROMPTS)}", shape=f"s{dice.getrandbits(50):x}", ip_prefix=f"home-{caller}", client_fingerprint=dice.choice("ab"),
            )  # fmt: skip


def _found(seed: int, spread: float, *, sittings: bool = False) -> set[str]:
    people = crowd(random.Random(seed), 400, span_ms=HOURS * HOUR_MS)
    return sanctioned(judged(in_order(people, _callers(random.Random(seed + 10), spread, sittings=sittings))).drained())


@pytest.mark.parametrize("seed", [1, 2])
def test_a_pool_of_many_prompts_is_known_by_the_pace_of_its_accounts(seed: int) -> None:
    """A5 and A9: each prompt is a fortieth of what an account asks; a weighted balancer."""
    found = _found(seed, 0.3)

    assert len(found) >= ACCOUNTS - 3
    assert all(account.startswith("caller-") for account in found)


@pytest.mark.parametrize("seed", [1, 2])
def test_customers_of_one_gallery_of_prompts_go_at_paces_of_their_own(seed: int) -> None:
    """Automations by one maker's templates: as many prompts in common, and as steady."""
    assert _found(seed, 1.0) == set()


@pytest.mark.parametrize("seed", [1, 2])
def test_people_who_go_at_one_pace_and_come_in_sittings_are_left_alone(seed: int) -> None:
    """A course: the same forty exercises, about as many for everybody."""
    assert _found(seed, 0.1, sittings=True) == set()
