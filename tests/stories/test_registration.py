"""Accounts farmed in lots and sold aged; and people who joined on one day for reasons of their own. Each story runs the whole engine."""

import random
from collections.abc import Iterator, Sequence

from guard.events.request import RequestEvent
from guard.units import DAY_MS, HOUR_MS, SECOND_MS
from tests.support.events import T0, crowd, event, in_order
from tests.support.judged import judged, sanctioned

ACCOUNTS = 80


def _pool(dice: random.Random, created: Sequence[int], spread: float, **fields: str) -> Iterator[RequestEvent]:
    """One account for each time of registration, all on one template, at rates whose logarithms spread so far, for half an hour."""
    for member, registered in enumerate(created):
        every_s = 60.0 * dice.lognormvariate(0.0, spread)
        at = T0 + dice.random() * HOUR_MS / 6
        while at < T0 + HOUR_MS / 2:
            shared = {"payment_fingerprint": f"k1:card-{member}", "ip_prefix": f"home-{member}", "client_fingerprint": dice.choice("ab")}
            yield event(
                f"pool-{member}", int(at), account_created=registered, prefix="pool-prompt", shape=f"s{dice.getrandbits(50):x}", messages=2,
                rate_limit_rpm=60, **{**shared, **fields},
            )  # fmt: skip
            at += dice.expovariate(1 / every_s) * SECOND_MS


def _in_lots(dice: random.Random, lots: int) -> list[int]:
    days = [T0 - int(dice.uniform(90, 400)) * DAY_MS for _ in range(lots)]
    return [days[account % lots] + dice.randrange(HOUR_MS) for account in range(ACCOUNTS)]


def _one_by_one(dice: random.Random) -> list[int]:
    return [T0 - int(dice.uniform(90, 400) * DAY_MS) for _ in range(ACCOUNTS)]


def test_an_uneven_pool_of_aged_accounts_is_given_away_by_the_days_of_their_registration() -> None:
    """Weighted balancers blur the rhythm, age buys trust; but a stock of accounts is registered in lots."""
    people = list(crowd(random.Random(1), 400))
    lots = sanctioned(judged(in_order(iter(people), _pool(random.Random(3), _in_lots(random.Random(2), 6), 0.75))).drained())
    one_by_one = sanctioned(judged(in_order(iter(people), _pool(random.Random(3), _one_by_one(random.Random(2)), 0.75))).drained())

    assert lots == {f"pool-{number}" for number in range(ACCOUNTS)}
    assert one_by_one == set()


def test_a_class_that_was_registered_on_one_day_by_its_university_is_left_alone() -> None:
    """One organisation onboards everybody at once."""
    pool = _pool(random.Random(4), _in_lots(random.Random(5), 1), 0.75, org_id="university")

    assert sanctioned(judged(in_order(crowd(random.Random(6), 400), pool)).drained()) == set()


def test_people_who_joined_on_launch_day_and_use_a_popular_prompt_their_own_way_are_left_alone() -> None:
    """A product's first users registered together; but they come and go as people do."""
    pool = _pool(random.Random(7), _in_lots(random.Random(8), 3), 1.3)

    assert sanctioned(judged(in_order(crowd(random.Random(9), 400), pool)).drained()) == set()
