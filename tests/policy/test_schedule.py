"""Which policy holds when: by version and event time, never by arrival."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guard.decisions.decision import Mode
from guard.policy.errors import PolicyError
from guard.policy.schedule import POLICIES_MAX, PolicySchedule
from guard.units import EventTimeMs
from tests.support.policies import document

BUILTIN = PolicySchedule.builtin(enforce=False)


def _schedule(*documents: tuple[int, int]) -> PolicySchedule:
    schedule = BUILTIN
    for version, effective_at in documents:
        schedule = schedule.with_document(document(version=version, effective_at=effective_at))
    return schedule


def test_without_documents_the_built_in_policy_holds_in_shadow() -> None:
    """A fresh install decides, publishes, and touches nobody."""
    policy = BUILTIN.at(EventTimeMs(0))

    assert policy.version == 0
    assert set(policy.modes.values()) == {Mode.SHADOW}


def test_enforce_takes_the_built_in_policy_out_of_shadow() -> None:
    """`--enforce` is for the demo and for replays without a document."""
    assert set(PolicySchedule.builtin(enforce=True).at(EventTimeMs(0)).modes.values()) == {Mode.ENFORCE}


def test_a_policy_holds_from_its_event_time_on() -> None:
    """Two workers hours apart in a backlog still judge the same event by the same policy."""
    schedule = _schedule((1, 1_000))

    assert [schedule.at(EventTimeMs(at)).version for at in (0, 999, 1_000, 10**15)] == [0, 0, 1, 1]


def test_a_higher_version_that_holds_earlier_hides_a_lower_one() -> None:
    """A mistake announced for tomorrow is taken back by the next version."""
    schedule = _schedule((1, 5_000), (2, 3_000))

    assert [schedule.at(EventTimeMs(at)).version for at in (2_999, 3_000, 5_000)] == [0, 2, 2]


def test_a_higher_version_for_later_leaves_the_lower_one_in_force_until_then() -> None:
    """A change can be prepared ahead."""
    schedule = _schedule((1, 0), (2, 8_000))

    assert [schedule.at(EventTimeMs(at)).version for at in (0, 7_999, 8_000)] == [1, 1, 2]


def test_the_version_must_rise() -> None:
    """An old document replayed onto the topic must not bring an old policy back."""
    with pytest.raises(PolicyError, match="version: 4; it should be above 5"):
        _schedule((5, 0), (4, 0))
    with pytest.raises(PolicyError, match="version: 5; it should be above 5"):
        _schedule((5, 0), (5, 1))


documents = st.lists(st.integers(0, 30), max_size=8)


@given(starts=documents, at=st.integers(0, 40))
def test_the_highest_version_whose_time_has_come_holds(starts: list[int], at: int) -> None:
    """The contract's sentence, word for word, against the spans that make it fast."""
    schedule = _schedule(*[(version, start) for version, start in enumerate(starts, 1)])
    right = max((version for version, start in enumerate(starts, 1) if start <= at), default=0)
    policy, since, until = schedule.span_at(EventTimeMs(at))

    assert schedule.at(EventTimeMs(at)).version == policy.version == right
    assert since <= at < until
    assert all(schedule.at(EventTimeMs(time)) is policy for time in range(max(0, since), min(until, 45)))


def test_the_number_of_remembered_policies_is_bounded() -> None:
    """The topic keeps its history for ever, a worker's memory must not."""
    schedule = _schedule(*[(version, version) for version in range(1, POLICIES_MAX + 20)])

    assert len(schedule.accepted) == POLICIES_MAX + 1
    assert schedule.accepted[0].version == 0
    assert schedule.newest.version == POLICIES_MAX + 19


def test_equal_histories_have_equal_hashes() -> None:
    """Workers are compared by this name."""
    assert _schedule((1, 0), (2, 5)).hash == _schedule((1, 0), (2, 5)).hash
    assert _schedule((1, 0), (2, 5)).hash != _schedule((1, 0), (2, 6)).hash
