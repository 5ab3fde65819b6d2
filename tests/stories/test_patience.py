"""A throttle that takes nothing from a campaign gives way to a challenge. Each story runs the whole engine."""

import random
from collections.abc import Iterator

from guard.decisions.decision import Decision
from guard.engine.control import Control
from guard.engine.watchlist import WatchList
from guard.events.request import RequestEvent
from guard.policy.labels import LabelBook
from guard.policy.policy import LADDER_DEFAULT, THROTTLE_PATIENCE_MS
from guard.policy.schedule import PolicySchedule
from guard.units import DAY_MS, HOUR_MS
from tests.support.events import T0, crowd, event, in_order
from tests.support.judged import judged
from tests.support.policies import document

HOURS = 36


def _slow_pool(dice: random.Random) -> Iterator[RequestEvent]:
    """Eighty accounts with cards and lines of their own that a dispatcher gives one prompt, once an hour or so at any hour."""
    for member in range(80):
        created, at = T0 - int(dice.uniform(90, 900) * DAY_MS), T0 + dice.random() * HOUR_MS
        while at < T0 + HOURS * HOUR_MS:
            yield event(
                f"slow-{member}", int(at), account_created=created, prefix="their-prompt", shape=f"s{dice.getrandbits(50):x}",
                payment_fingerprint=f"k1:card-{member}", ip_prefix=f"home-{member}", client_fingerprint=f"client-{member}", rate_limit_rpm=60,
            )  # fmt: skip
            at += dice.expovariate(40 / HOURS) * HOUR_MS


def _decided(**ladder: int | None) -> list[Decision]:
    """What is decided about the pool's campaign, in order."""
    return _decided_under(PolicySchedule.builtin(enforce=True).with_document(document(mode="enforce", ladder=ladder)))


def _decided_under(policies: PolicySchedule) -> list[Decision]:
    events = in_order(crowd(random.Random(1), 400, span_ms=HOURS * HOUR_MS), _slow_pool(random.Random(11)))
    driver = judged(events, Control(policies, LabelBook.empty(), WatchList.empty()))
    return [decision for decision in driver.drained() if decision.scope == "campaign"]


def test_a_pool_that_asks_less_than_a_throttle_leaves_is_challenged_after_an_hour_of_it() -> None:
    """Low and slow: six requests a minute are more than any of them ever wanted."""
    decided = _decided()
    first = {action: next(one.issued_at for one in decided if one.action == action) for action in ("throttle", "challenge")}

    assert first["challenge"] - first["throttle"] >= THROTTLE_PATIENCE_MS
    challenge = next(one for one in decided if one.action == "challenge")
    assert challenge.score < LADDER_DEFAULT[1][1]
    assert challenge.reasons[-1].code == "idle_throttle"


def test_operators_decide_how_long_a_throttle_is_tried() -> None:
    """Who would rather have somebody look first asks for more patience."""
    assert {one.action for one in _decided(throttle_patience_ms=2 * DAY_MS)} == {"throttle"}
    assert {one.action for one in _decided(throttle_patience_ms=None)} == {"throttle"}


def test_what_was_throttled_in_shadow_is_throttled_before_it_is_challenged() -> None:
    """Nobody was throttled in shadow, however long: nothing crosses from there into force."""
    shadow = PolicySchedule.builtin(enforce=False)
    tried_at = next(one.issued_at for one in _decided_under(shadow) if one.action == "throttle")
    enforced = shadow.with_document(document(mode="enforce", effective_at=tried_at + 3 * HOUR_MS))
    decided = [one for one in _decided_under(enforced) if one.mode == "enforce"]
    challenged_at = next(one.issued_at for one in decided if one.action == "challenge")

    assert decided[0].action == "throttle"
    assert challenged_at - decided[0].issued_at >= THROTTLE_PATIENCE_MS


def test_a_throttle_that_a_cap_keeps_in_shadow_is_not_tried() -> None:
    """It throttled nobody, so that nobody knows whether it would do; what it would have done is told all the same."""
    capped = document(mode="enforce", caps={"campaign_members": 40})
    decided = _decided_under(PolicySchedule.builtin(enforce=True).with_document(capped))

    assert {(one.mode, one.action) for one in decided} == {("shadow", "throttle")}
    assert {one.reasons[-1].code for one in decided} == {"cap"}
