"""An account, or a card, that becomes another one: a stolen key, and a harvest that is turned up slowly."""

import random
from collections.abc import Iterator
from typing import Any

from guard.decisions.decision import Decision
from guard.engine.driver import Driver
from guard.events.request import RequestEvent
from guard.units import DAY_MS, MINUTE_MS, SECOND_MS
from tests.support.events import T0, event, open_control

OLD = {"account_created": T0 - 400 * DAY_MS, "payment_fingerprint": "k1:card", "rate_limit_rpm": 60}


def _chat(dice: random.Random, days: int, start: int = T0) -> Iterator[RequestEvent]:
    """Forty exchanges a day, two or three turns deep, ordinary questions."""
    for day in range(days):
        for number in range(40):
            at = start + day * DAY_MS + number * 15 * MINUTE_MS + dice.randrange(5 * MINUTE_MS)
            yield event(
                "alice",
                at,
                output_tokens=round(dice.lognormvariate(5, 0.8)),
                messages=6,
                reasoning_elicitation=dice.betavariate(1, 15),
                **OLD,
            )


def _harvest(start: int, count: int, every_ms: int, **fields: Any) -> Iterator[RequestEvent]:
    for number in range(count):
        yield event("alice", start + number * every_ms, output_tokens=2_500, messages=2, reasoning_elicitation=0.85, **{**OLD, **fields})


def _decided(events: Iterator[RequestEvent]) -> list[Decision]:
    driver = Driver(2, open_control())
    for one in events:
        driver.take(one, one.event_time)
    driver.finish()
    return list(driver.drained())


def test_a_week_of_chat_alone_is_never_sanctioned() -> None:
    """The counter-story: the same account, left alone."""
    assert _decided(_chat(random.Random(1), 14)) == []


def test_a_stolen_key_is_throttled_for_its_drift() -> None:
    """Its card is paid, its age is high, its plan limit holds: only its own past speaks against it."""
    events = [*_chat(random.Random(2), 7), *_harvest(T0 + 7 * DAY_MS, 120, 3 * SECOND_MS)]
    decided = [one for one in _decided(iter(events)) if one.scope == "account"]

    assert decided
    assert decided[0].action in {"throttle", "challenge"}
    assert "drift_toward_extraction" in {reason.code for reason in decided[0].reasons}
    assert decided[0].issued_at < T0 + 7 * DAY_MS + 120 * 3 * SECOND_MS


def _judging(start: int, count: int) -> Iterator[RequestEvent]:
    for number in range(count):
        yield event(
            "alice", start + number * 3 * SECOND_MS, output_tokens=2_500, messages=2, reasoning_elicitation=0.1, rubric_grading=0.85, **OLD
        )


def test_a_customer_who_takes_to_judging_answers_in_bulk_is_left_alone() -> None:
    """Labelling with the model as judge: a move from one's own past, and what one moved to, are one fact."""
    assert _decided(iter([*_chat(random.Random(5), 7), *_judging(T0 + 7 * DAY_MS, 280)])) == []


def test_a_launch_of_the_same_content_is_left_alone() -> None:
    """N6: twenty times the rate of the same dialogue."""
    dice = random.Random(3)
    launch = [
        event("alice", T0 + 7 * DAY_MS + number * 4_500, output_tokens=round(dice.lognormvariate(5, 0.8)), messages=6, reasoning_elicitation=dice.betavariate(1, 15), **OLD)
        for number in range(800)
    ]  # fmt: skip

    assert _decided(iter([*_chat(random.Random(4), 7), *launch])) == []
