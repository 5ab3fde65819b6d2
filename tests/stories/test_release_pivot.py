"""Who moves to a new model on its first day: a fleet whole, a crowd in part, an application's users when its maker does. Whole engine."""

import random
from collections.abc import Iterator

import pytest

from guard.events.request import RequestEvent
from guard.units import DAY_MS, HOUR_MS, MINUTE_MS
from tests.support.events import T0, event, in_order
from tests.support.judged import judged, sanctioned
from tests.support.strangers import strangers

ACCOUNTS = 24
RELEASED_AT = T0 + HOUR_MS
ENDS_AT = T0 + 2 * HOUR_MS


def _people(dice: random.Random, accounts: int, moved_share: float) -> Iterator[RequestEvent]:
    """The crowd: two hours in sittings, of which `moved_share` take up the new model."""
    for person in range(accounts):
        created, is_curious = T0 - int(dice.uniform(1, 900) * DAY_MS), dice.random() < moved_share
        at = T0 + dice.random() * HOUR_MS / 2
        while at < ENDS_AT:
            model = "m-2" if is_curious and at >= RELEASED_AT + 5 * MINUTE_MS else "m-1"
            yield event(
                f"person-{person}", int(at), model=model, account_created=created, payment_fingerprint=f"k1:card-{person}",
                prefix=f"own-{person}", shape=f"s{dice.getrandbits(50):x}", client_fingerprint=dice.choice("abc"),
                ip_prefix=f"net-{person % 200}", rate_limit_rpm=60,
            )  # fmt: skip
            at += dice.lognormvariate(10.5, 1) if dice.random() < 0.8 else 25 * MINUTE_MS * dice.lognormvariate(0.0, 0.8)


def _hit(seed: int, share: float, moved_share: float, spread: float = 0.3) -> set[str]:
    """Who is sanctioned when strangers ask the new model in `share` of their exchanges after its release."""
    people, dice = _people(random.Random(seed), 600, moved_share), random.Random(seed + 10)

    def asks(at: float) -> dict[str, str]:
        return {"model": "m-2" if at >= RELEASED_AT and dice.random() < share else "m-1"}

    return sanctioned(judged(in_order(people, strangers(dice, ACCOUNTS, ENDS_AT, spread, asks, rate_limit_rpm=60))).drained())


@pytest.mark.parametrize("seed", [1, 2])
def test_strangers_who_move_to_a_new_model_together_are_a_fleet(seed: int) -> None:
    """Two dozen old accounts, too few for their evenness to convict them, share but a prompt: what gives them away is that all move at once."""
    assert _hit(seed, 0.7, 0.1) == {f"caller-{number}" for number in range(ACCOUNTS)}


@pytest.mark.parametrize("seed", [1, 2])
def test_the_same_callers_who_stay_with_their_model_are_left_alone(seed: int) -> None:
    """Two dozen alike are no pool yet: without the move nothing tells them from a class or a hackathon."""
    assert _hit(seed, 0.0, 0.1) == set()


@pytest.mark.parametrize("seed", [1, 2])
def test_callers_who_move_when_half_of_the_crowd_moves_are_left_alone(seed: int) -> None:
    """N10: a launch that everybody tries says nothing about anybody."""
    assert _hit(seed, 0.7, 0.8) == set()


@pytest.mark.parametrize("seed", [1, 2])
def test_users_of_an_application_whose_maker_moves_them_are_left_alone(seed: int) -> None:
    """N10: one prompt, users' own keys and cards, at people's own very different rates; the maker changes the model at once."""
    assert _hit(seed, 0.7, 0.1, 1.2) == set()
