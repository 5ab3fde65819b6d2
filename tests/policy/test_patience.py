"""A throttle that takes nothing is tried for an hour, and then something milder than a block takes its place."""

import pytest

from guard.decisions.decision import Action
from guard.decisions.standing import Order
from guard.policy.builtin import builtin_policy
from guard.policy.judge import judge
from guard.policy.patience import idle_throttle
from guard.scoring.fusion import Verdict
from guard.units import DAY_MS, HOUR_MS, MINUTE_MS

POLICY = builtin_policy(enforce=True)
AT = 1_790_000_000_000


@pytest.mark.parametrize(
    ("tried_ms", "exchanges", "told"),
    [
        (HOUR_MS - 1, 100, None),
        (HOUR_MS, 100, 10 / 60),
        (DAY_MS, 0, 0.0),
        (HOUR_MS, 10 * 60 * POLICY.throttle_rate_rpm, None),
    ],
    ids=["not for long", "ten each an hour", "silent since", "all that the throttle leaves"],
)
def test_a_throttle_is_enough_while_it_is_new_or_takes_something(tried_ms: int, exchanges: int, told: float | None) -> None:
    """Ten members under six requests a minute each."""
    found = idle_throttle(AT - tried_ms, exchanges, 10, POLICY, AT)

    assert (found and found.value) == (told and round(told, 4))


def test_a_group_that_was_never_throttled_is_throttled_first() -> None:
    """Whatever it asks for."""
    assert idle_throttle(0, 0, 10, POLICY, AT) is None


def test_where_a_throttle_does_nothing_its_rung_asks_for_a_challenge_with_a_challenges_time() -> None:
    """The rungs above stay as they are, and one that was reached renews from a little below it."""
    fresh = judge(Verdict(0.71, (), 2), None, POLICY, AT, least=Action.CHALLENGE)
    worst = judge(Verdict(0.96, (), 2), None, POLICY, AT, least=Action.CHALLENGE)

    assert fresh is not None
    assert (fresh.action, fresh.expires_at) == (Action.CHALLENGE, AT + HOUR_MS)
    assert worst is not None
    assert worst.action is Action.BLOCK
    assert judge(Verdict(0.69, (), 2), None, POLICY, AT, least=Action.CHALLENGE) is None


@pytest.mark.parametrize("held", [Action.THROTTLE, Action.CHALLENGE])
def test_what_would_renew_a_throttle_renews_what_takes_its_place(held: Action) -> None:
    """From a little below the rung, and without the offset that only new rungs ask for: a campaign goes up, or stays; it is not let go."""
    standing = Order(held, AT - MINUTE_MS, AT + MINUTE_MS, "d-1")
    sentence = judge(Verdict(0.66, (), 2), standing, POLICY, AT, 0.3, least=Action.CHALLENGE)

    assert sentence is not None
    assert (sentence.action, sentence.expires_at) == (Action.CHALLENGE, AT + HOUR_MS)
