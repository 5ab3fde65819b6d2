"""People who are alike by the occasion, and public prompts with a pool behind them. Each story runs the whole engine."""

import random
from collections.abc import Iterator
from math import log
from typing import Any

import pytest

from guard.events.request import RequestEvent
from guard.units import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS
from tests.support.events import T0, crowd, event, in_order
from tests.support.judged import judged, sanctioned

HOURS = 12
HARNESS = {"prefix": "public-harness", "messages": 5, "tools": 12, "rate_limit_rpm": 60}


def _sittings(dice: random.Random, pause_s: float, break_h: float, share: float) -> Iterator[float]:
    """Times of exchanges in sittings: pauses within one, breaks between them; a step is a pause with the chance `share`."""
    at = T0 + dice.random() * HOUR_MS
    while at < T0 + HOURS * HOUR_MS:
        yield at
        at += (
            dice.lognormvariate(log(pause_s), 1.2) * SECOND_MS
            if dice.random() < share
            else dice.lognormvariate(log(break_h), 0.9) * HOUR_MS
        )


def _at_a_hackathon(dice: random.Random) -> Iterator[RequestEvent]:
    """Two hundred accounts opened for the day, half of them on one promotional card, one starter prompt that each walks through once."""
    for guest in range(200):
        pause_s = 90.0 * dice.lognormvariate(0.0, 0.65)
        created = T0 - int(dice.uniform(1, 300) * MINUTE_MS)
        card = "k1:promo" if guest % 2 else f"k1:card-guest-{guest}"
        for number, at in enumerate(_sittings(dice, pause_s, 1.8, 0.85)):
            prompt = "starter" if dice.random() < max(0.1, 0.9 - number / 40) else f"own-{guest}"
            yield event(
                f"guest-{guest}", int(at), account_created=created, payment_fingerprint=card, prefix=prompt, shape=f"s{dice.getrandbits(50):x}",
                client_fingerprint=dice.choice("ab"), ip_prefix=f"venue-{dice.randrange(2)}", messages=2, rate_limit_rpm=60,
            )  # fmt: skip


@pytest.mark.parametrize("seed", [1, 2])
def test_the_guests_of_a_hackathon_are_left_alone(seed: int) -> None:
    """N9: new, on one card, one prompt, as even as a pool; but they come in sittings."""
    people = crowd(random.Random(seed), 400, span_ms=HOURS * HOUR_MS)

    assert sanctioned(judged(in_order(people, _at_a_hackathon(random.Random(seed + 10)))).drained()) == set()


def _users(dice: random.Random, name: str, users: int, **shared: Any) -> Iterator[RequestEvent]:
    """People at their own paces on a public harness; whole conversations, each with an account of one's own."""
    for user in range(users):
        created = T0 - int(dice.choice([dice.uniform(1, 14), dice.uniform(14, 60), dice.uniform(60, 900)]) * DAY_MS)
        before = None
        for at in _sittings(dice, 60.0 * dice.lognormvariate(0.0, 0.9), 2.0, 0.9):
            after = f"c{dice.getrandbits(60):x}"
            own = {"account_created": created, "payment_fingerprint": f"k1:card-{name}-{user}", "ip_prefix": f"home-{name}-{user}"}
            said = {"shape": f"s{dice.getrandbits(50):x}", "conversation": before, "conversation_after": after}
            yield event(f"{name}-{user}", int(at), client_fingerprint=dice.choice("ab"), **HARNESS | own | said | shared)
            before = after


def _pool_behind(dice: random.Random) -> Iterator[RequestEvent]:
    """Sixty new accounts in turn: three quarters of what they send goes out under the harness's prompt, the rest under wordings of their own."""
    at = T0 + 6.0 * HOUR_MS
    for number in range(12_000):
        member = number % 60
        created = T0 - int((1 + member % 9) * DAY_MS)
        own = {"account_created": created, "payment_fingerprint": f"k1:pool-{member}", "ip_prefix": f"proxy-{dice.randrange(400)}"}
        said = (
            {"shape": f"s{dice.getrandbits(50):x}"}
            if dice.random() < 0.75
            else {"prefix": None, "shape": f"pool-shape-{dice.randrange(2)}"}
        )
        yield event(
            f"pool-{member}",
            int(at),
            client_fingerprint="b",
            reasoning_elicitation=dice.betavariate(6, 3),
            **HARNESS | own | {"messages": 2} | said,
        )
        at += dice.expovariate(1 / 1.7) * SECOND_MS


@pytest.mark.parametrize("seed", [1, 2])
def test_a_pool_that_hides_behind_a_public_harness_is_found_without_its_users(seed: int) -> None:
    """A16: what is said of the pool's wordings is not said of everybody on the harness, nor of the team that works with it on one card."""
    people = crowd(random.Random(seed), 400, span_ms=HOURS * HOUR_MS)
    users = _users(random.Random(seed + 20), "user", 150)
    team = _users(random.Random(seed + 30), "mate", 30, payment_fingerprint="k1:team", org_id="org-team", account_created=T0 - 40 * DAY_MS)
    found = sanctioned(judged(in_order(people, users, team, _pool_behind(random.Random(seed + 10)))).drained())

    assert found == {f"pool-{member}" for member in range(60)}


def _in_turn(dice: random.Random, accounts: int) -> Iterator[RequestEvent]:
    """Work that comes at random, dealt out in turn over several wordings: no system prompt, and each account looks like a timer."""
    at = float(T0)
    number = 0
    while at < T0 + HOURS * HOUR_MS:
        member, wording = number % accounts, dice.randrange(4)
        yield event(
            f"dealt-{member}", int(at), account_created=T0 - int((1 + member % 9) * DAY_MS), payment_fingerprint=f"k1:dealt-{member}", messages=1,
            shape=f"wording-{wording}", client_fingerprint=dice.choice("ab"), ip_prefix=f"home-{member}", rate_limit_rpm=60,
        )  # fmt: skip
        number += 1
        at += dice.expovariate(1 / 5.0) * SECOND_MS


@pytest.mark.parametrize("seed", [1, 2])
def test_a_pool_whose_wordings_are_dealt_out_in_turn_is_found_by_its_wordings(seed: int) -> None:
    """A3 and A9 without a system prompt: no wording is half of what an account asks, and the hundredth arrival comes about on time."""
    people = crowd(random.Random(seed), 400, span_ms=HOURS * HOUR_MS)
    found = sanctioned(judged(in_order(people, _in_turn(random.Random(seed + 10), 100))).drained())

    assert found == {f"dealt-{member}" for member in range(100)}
