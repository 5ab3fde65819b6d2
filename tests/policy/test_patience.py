"""A throttle that takes nothing is tried for an hour, and then something milder than a block takes its place."""

import msgspec
import pytest

from guard.decisions.decision import Action, Mode
from guard.decisions.standing import Order
from guard.policy.builtin import builtin_policy
from guard.policy.judge import judge
from guard.policy.patience import Trial, idle_throttle
from guard.scoring.fusion import Verdict
from guard.units import DAY_MS, HOUR_MS, MINUTE_MS

POLICY = builtin_policy(enforce=True)
AT = 1_790_000_000_000
TTL_MS = 15 * MINUTE_MS


def _tried(tried_ms: int, members: int = 10) -> Trial:
    """Throttled up to AT without a gap, for so long."""
    trial = Trial()
    trial.note(Mode.ENFORCE, Action.THROTTLE, members, AT - tried_ms, AT)
    return trial


def _asked(trial: Trial, exchanges: int, at: int = AT) -> float | None:
    found = idle_throttle(trial, Mode.ENFORCE, exchanges, POLICY, at)
    return found and found.value


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
    assert _asked(_tried(tried_ms), exchanges) == (told and round(told, 4))


def test_a_group_that_was_never_throttled_is_throttled_first() -> None:
    """Whatever it asks for, and whatever else was decided about it."""
    trial = Trial()
    assert _asked(trial, 0) is None
    trial.note(Mode.ENFORCE, Action.BLOCK, 10, AT - 6 * HOUR_MS, AT)
    assert _asked(trial, 0) is None


def test_what_was_throttled_in_shadow_was_throttled_for_nobody() -> None:
    """The trial in force begins with it."""
    trial = Trial()
    trial.note(Mode.SHADOW, Action.THROTTLE, 10, AT - 2 * HOUR_MS, AT - HOUR_MS)
    assert _asked(trial, 0) is None
    trial.note(Mode.ENFORCE, Action.THROTTLE, 10, AT - HOUR_MS + 1, AT)
    assert _asked(trial, 0) is None


def test_the_hour_is_an_hour_under_throttles_gaps_left_out() -> None:
    """Three of a quarter of an hour each, hours apart, are not enough; the fourth is."""
    trial = Trial()
    for hour in range(4):
        trial.note(Mode.ENFORCE, Action.THROTTLE, 10, AT + hour * 3 * HOUR_MS, AT + hour * 3 * HOUR_MS + TTL_MS)
    last = AT + 9 * HOUR_MS

    assert _asked(trial, 0, last) is None
    assert _asked(trial, 0, last + TTL_MS) == 0.0


def test_a_day_without_a_sanction_begins_another_trial() -> None:
    """What was learnt of a group that slept says nothing about what it does now."""
    trial = _tried(2 * HOUR_MS)

    assert _asked(trial, 0, AT + DAY_MS) == 0.0
    assert _asked(trial, 0, AT + DAY_MS + 1) is None
    trial.note(Mode.ENFORCE, Action.THROTTLE, 10, AT + DAY_MS + 1, AT + DAY_MS + 1 + TTL_MS)
    assert _asked(trial, 0, AT + DAY_MS + TTL_MS) is None


def test_a_challenge_in_the_place_of_a_throttle_keeps_what_the_throttle_showed() -> None:
    """Otherwise the group went back and forth between the two."""
    trial = _tried(HOUR_MS)
    trial.note(Mode.ENFORCE, Action.CHALLENGE, 10, AT, AT + HOUR_MS)

    assert _asked(trial, 100, AT + HOUR_MS) == round(10 / 60, 4)


def test_members_that_join_now_do_not_thin_out_what_was_taken_from_those_before_them() -> None:
    """Four asked for all that they were left; four hundred that joined ten seconds ago asked for nothing yet."""
    trial = _tried(HOUR_MS, members=4)
    trial.note(Mode.ENFORCE, Action.THROTTLE, 404, AT, AT + TTL_MS)
    answered = 4 * 60 * POLICY.throttle_rate_rpm

    assert _asked(trial, answered, AT + 10_000) is None


def test_no_time_is_counted_twice_where_judgements_come_out_of_order() -> None:
    """After a restart the first tips may be late."""
    trial = Trial()
    for at in (AT + 100, AT + 600, AT + 300):
        trial.note(Mode.ENFORCE, Action.THROTTLE, 10, at, at + 1_000)

    assert trial.stood(AT + 1_300)[0] == 1_200


@pytest.mark.parametrize(
    ("mode", "until", "tried_ms"),
    [(Mode.ENFORCE, AT, 2 * HOUR_MS), (Mode.SHADOW, AT, HOUR_MS // 4), (Mode.ENFORCE, AT - 2 * DAY_MS, HOUR_MS // 4)],
    ids=["as long", "in shadow", "days ago"],
)
def test_two_groups_that_are_one_from_now_on_have_tried_as_long_as_either(mode: Mode, until: int, tried_ms: int) -> None:
    """Otherwise whichever key was seen last decided whether a throttle is tried anew; what stands over the one that stays stands on."""
    short, long = _tried(HOUR_MS // 4), Trial()
    long.note(mode, Action.THROTTLE, 10, until - 2 * HOUR_MS, until)
    for trial in (short, long):
        trial.note(trial.mode, Action.THROTTLE, 10, trial.until, trial.until)
    short.take_over(long)

    assert short.stood(AT)[0] == tried_ms


def test_why_a_challenge_stands_is_known_in_its_mode_as_long_as_it_stands() -> None:
    """Who asks what would stand otherwise sees a throttle; a challenge that the score asked for stays one."""
    trial, held = _tried(HOUR_MS), Order(Action.CHALLENGE, AT, AT + HOUR_MS, "d-1")
    found = idle_throttle(trial, Mode.ENFORCE, 100, POLICY, AT)
    assert trial.order(held) == held
    trial.note(Mode.ENFORCE, Action.CHALLENGE, 10, AT, AT + HOUR_MS, found)
    otherwise = trial.order(held)

    assert otherwise is not None
    assert otherwise.action == Action.THROTTLE
    assert trial.found_in(Mode.ENFORCE) == found
    assert trial.found_in(Mode.SHADOW) is None


def test_a_policy_may_be_patient_for_ever() -> None:
    """Who never wants more than the rung says, null in the document."""
    patient = msgspec.structs.replace(POLICY, throttle_patience_ms=None)

    assert idle_throttle(_tried(DAY_MS), Mode.ENFORCE, 0, patient, AT) is None


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
