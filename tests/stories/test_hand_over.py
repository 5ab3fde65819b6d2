"""What one account is refused and another sends within seconds; and honest callers who are refused. Each story runs the whole engine."""

import random
from collections.abc import Callable, Iterator
from math import exp
from statistics import NormalDist
from typing import Any

import pytest

from guard.events.request import RequestEvent
from guard.units import DAY_MS, HOUR_MS, SECOND_MS
from tests.support.events import T0, crowd, event, in_order
from tests.support.judged import judged, sanctioned

ACCOUNTS = 60
REFUSED_SHARE = 0.08
Reaction = Callable[[random.Random, str], tuple[str, float]]
"""Who sends a refused request again, and after how many seconds."""


def _callers(dice: random.Random, reaction: Reaction, **fields: Any) -> Iterator[RequestEvent]:
    """Old accounts with cards and lines of their own on one prompt, a few requests beyond their plans' limits, for three quarters of an hour."""
    created = {f"caller-{number}": T0 - int(dice.uniform(90, 900) * DAY_MS) for number in range(ACCOUNTS)}

    def sent(account: str, at: float, request: dict[str, Any], status: int) -> RequestEvent:
        tokens = {"input_tokens": 0, "output_tokens": 0, "latency_ms": 5} if status != 200 else {"latency_ms": 4_000}
        own = {"payment_fingerprint": f"k1:card-{account}", "ip_prefix": f"home-{account}", "account_created": created[account]}
        return event(account, int(at) + tokens["latency_ms"], status=status, rate_limit_rpm=60, **own | request | tokens | fields)

    for number, account in enumerate(created):
        every_s = 60.0 * exp(1.1 * NormalDist().inv_cdf((number + 0.5) / ACCOUNTS))
        at = T0 + dice.random() * HOUR_MS / 6
        while at < T0 + 0.75 * HOUR_MS:
            request = {
                "prefix": "their-prompt", "shape": f"s{dice.getrandbits(50):x}", "simhash": f"{dice.getrandbits(64):016x}", "messages": 2,
                "prompt_chars": dice.randrange(40, 4_000), "client_fingerprint": dice.choice("ab"),
            }  # fmt: skip
            is_refused = dice.random() < REFUSED_SHARE
            yield sent(account, at, request, 429 if is_refused else 200)
            if is_refused:
                other, after_s = reaction(dice, account)
                yield sent(other, at + after_s * SECOND_MS, request, 200)
            at += dice.expovariate(1 / every_s) * SECOND_MS


def _to_a_sibling(dice: random.Random, account: str) -> tuple[str, float]:
    return f"caller-{dice.randrange(ACCOUNTS)}", dice.uniform(0.5, 5.0)


def _by_oneself(dice: random.Random, account: str) -> tuple[str, float]:
    return account, dice.uniform(0.4, 8.0)


def _to_a_spare_account(dice: random.Random, account: str) -> tuple[str, float]:
    return f"caller-{int(account.removeprefix('caller-')) ^ 1}", dice.uniform(0.5, 5.0)


def _hit(seed: int, reaction: Reaction, **fields: Any) -> set[str]:
    people = crowd(random.Random(seed), 400)
    return sanctioned(judged(in_order(people, _callers(random.Random(seed + 10), reaction, **fields))).drained())


@pytest.mark.parametrize("seed", [1, 2])
def test_strangers_who_take_over_one_anothers_refused_requests_are_a_pool(seed: int) -> None:
    """Too uneven for a balancer, old accounts, nothing shared but a prompt: what gives them away is that no work is lost."""
    assert _hit(seed, _to_a_sibling) == {f"caller-{number}" for number in range(ACCOUNTS)}


@pytest.mark.parametrize("seed", [1, 2])
def test_strangers_who_send_their_own_refused_requests_again_are_left_alone(seed: int) -> None:
    """The same callers with the retries that every SDK makes."""
    assert _hit(seed, _by_oneself) == set()


@pytest.mark.parametrize("seed", [1, 2])
def test_people_who_go_on_with_a_spare_account_are_left_alone(seed: int) -> None:
    """Two accounts on two cards, always the same two: a pool has ever new pairs."""
    assert _hit(seed, _to_a_spare_account) == set()


def test_a_house_that_fails_over_between_its_own_keys_is_left_alone() -> None:
    """N11: one organisation, many keys and cards, a router in front of them."""
    assert _hit(3, _to_a_sibling, org_id="enterprise") == set()


def test_who_pays_must_be_known_before_two_accounts_are_called_strangers() -> None:
    """A gateway that shows neither card nor organisation: the callers may be one house."""
    assert _hit(4, _to_a_sibling, payment_fingerprint=None) == set()


def _participants(dice: random.Random) -> Iterator[RequestEvent]:
    """A hackathon: three hundred people paste the twelve prompts of one tutorial at their own pace, and a third of all requests are turned away."""
    for person in range(300):
        created, pace_s = T0 - int(dice.uniform(0.1, 900) * DAY_MS), 60.0 * dice.lognormvariate(0.0, 1.0)
        at = T0 + dice.expovariate(1 / 600) * SECOND_MS
        for step in range(1 + int(dice.paretovariate(0.8) * 2) % 40):
            for attempt in range(3):
                status = 429 if dice.random() < 0.33 and attempt < 2 else 200
                yield event(
                    f"person-at-event-{person}", int(at), status=status, account_created=created, payment_fingerprint=f"k1:own-{person}",
                    prefix="tutorial", shape=f"step-{step % 12}", simhash=f"{step % 12:016x}", prompt_chars=300 + step % 12, ip_prefix=f"p-{person}",
                    client_fingerprint="b", latency_ms=5, messages=2, rate_limit_rpm=20,
                )  # fmt: skip
                if status == 200:
                    break
                at += 0.5 * 2**attempt * dice.uniform(0.75, 1.0) * SECOND_MS
            at += dice.expovariate(1 / pace_s) * SECOND_MS


def test_people_who_all_send_the_words_of_one_tutorial_are_left_alone() -> None:
    """N9: whoever is refused, somebody sends the same within seconds; that is what many send, and is counted once."""
    assert sanctioned(judged(in_order(crowd(random.Random(5), 400), _participants(random.Random(6)))).drained()) == set()


def _neighbours(dice: random.Random, many: int) -> Iterator[RequestEvent]:
    """People behind the same public harness, in sittings of their own, whom nobody refuses anything."""
    for number in range(many):
        created, at = T0 - int(dice.uniform(1, 900) * DAY_MS), T0 + dice.random() * HOUR_MS / 2
        for _ in range(2 + int(dice.expovariate(1 / 14))):
            yield event(
                f"neighbour-{number}", int(at), account_created=created, payment_fingerprint=f"k1:neighbour-{number}", messages=4,
                ip_prefix=f"flat-{number}", prefix="their-prompt", shape=f"s{dice.getrandbits(50):x}", simhash=f"{dice.getrandbits(64):016x}",
                client_fingerprint=dice.choice("ab"), rate_limit_rpm=60,
            )  # fmt: skip
            at += dice.lognormvariate(3.4, 0.8) * SECOND_MS


@pytest.mark.parametrize("seed", [1, 2])
def test_people_behind_the_harness_that_a_pool_hides_behind_are_left_alone(seed: int) -> None:
    """A14: the pool is half of those who use it and hands over without end; the other half never did."""
    callers = _callers(random.Random(seed + 10), _to_a_sibling)
    played = in_order(crowd(random.Random(seed), 400), callers, _neighbours(random.Random(seed + 20), ACCOUNTS))
    assert not any(account.startswith("neighbour") for account in sanctioned(judged(played).drained()))
