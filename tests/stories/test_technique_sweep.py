"""Who searches for what gets through: a fleet in many wordings on one prompt, a red team in its own house, a public that tries a known trick."""

import random
from collections.abc import Iterator
from typing import Any

import pytest

from guard.events.request import RequestEvent
from guard.units import DAY_MS, HOUR_MS
from tests.support.events import T0, event, in_order
from tests.support.judged import judged, sanctioned
from tests.support.strangers import strangers

ACCOUNTS = 24
ENDS_AT = T0 + 2 * HOUR_MS


def _people(dice: random.Random) -> Iterator[RequestEvent]:
    """The crowd: everybody on a prompt and a card of one's own, declined once in fifty times."""
    for person in range(400):
        created, at = T0 - int(dice.uniform(1, 900) * DAY_MS), T0 + dice.random() * HOUR_MS
        while at < ENDS_AT:
            yield event(
                f"person-{person}", int(at), account_created=created, payment_fingerprint=f"k1:card-{person}", prefix=f"own-{person}",
                shape=f"s{dice.getrandbits(50):x}", client_fingerprint=dice.choice("abc"), ip_prefix=f"net-{person % 200}", refused=dice.random() < 0.02,
            )  # fmt: skip
            at += dice.lognormvariate(10.5, 1) if dice.random() < 0.8 else HOUR_MS * dice.lognormvariate(0.0, 0.8)


def _hit(seed: int, declined: float, spread: float = 0.3, **fields: Any) -> set[str]:
    """Who is sanctioned when the model declines so much of what strangers ask."""
    dice = random.Random(seed + 10)
    searchers = strangers(dice, ACCOUNTS, ENDS_AT, spread, lambda _: {"refused": dice.random() < declined}, **fields)
    return sanctioned(judged(in_order(_people(random.Random(seed)), searchers)).drained())


@pytest.mark.parametrize("seed", [1, 2])
def test_strangers_who_are_declined_all_the_time_on_one_prompt_are_a_fleet(seed: int) -> None:
    """Two dozen old accounts, too few for their evenness to convict them: what gives them away is that they search together."""
    assert _hit(seed, 0.5) == {f"caller-{number}" for number in range(ACCOUNTS)}


@pytest.mark.parametrize("seed", [1, 2])
def test_the_same_callers_whom_the_model_answers_are_left_alone(seed: int) -> None:
    """Two dozen alike are no pool yet: being declined together is what tells them."""
    assert _hit(seed, 0.05) == set()


@pytest.mark.parametrize("seed", [1, 2])
def test_a_red_team_within_one_organisation_is_left_alone(seed: int) -> None:
    """It searches for the same thing, for the house that it belongs to."""
    assert _hit(seed, 0.5, org_id="k1:red-team") == set()


@pytest.mark.parametrize("seed", [1, 2])
def test_people_who_try_a_known_trick_at_rates_of_their_own_are_left_alone(seed: int) -> None:
    """A prompt from the web that promises to unlock the model is declined to whoever tries it."""
    assert _hit(seed, 0.5, spread=1.2) == set()
