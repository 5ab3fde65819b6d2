"""Whatever arrives on the policy topic: no crash, no half-applied document, the last good policy stays."""

import pytest

from guard.policy.errors import PolicyError
from guard.policy.schedule import PolicySchedule, policy_json
from tests.support.policies import BREAKAGES, broken, document, mangled

BROKEN = 10_000
MANGLED = 2_000


def test_ten_thousand_broken_policies_change_nothing() -> None:
    """Three large outages began with a configuration file that was only a little wrong."""
    schedule = PolicySchedule.builtin(enforce=False).with_document(document(version=2))
    before = (schedule.hash, policy_json(schedule.at(5)))
    refused = dict.fromkeys((breakage.__name__ for breakage in BREAKAGES), 0)
    for name, value in broken(BROKEN, seed=4):
        try:
            schedule = schedule.with_document(value)
        except PolicyError as error:
            refused[name] += 1
            assert all(0 < len(line) < 1_500 and line.isascii() and line.isprintable() for line in error.lines), (name, error.lines)

    assert sum(refused.values()) == BROKEN, refused
    assert (schedule.hash, policy_json(schedule.at(5))) == before


def test_mangled_bytes_are_taken_whole_or_not_at_all() -> None:
    """A flipped byte may leave a document good; then all of it counts, else nothing."""
    opening = PolicySchedule.builtin(enforce=False)
    accepted = 0
    for value in mangled(MANGLED, seed=5):
        try:
            after = opening.with_document(value)
        except PolicyError:
            continue
        accepted += 1
        assert after.accepted[0] is opening.accepted[0]
        assert after.newest == opening.with_document(value).newest

    assert 0 < accepted < MANGLED


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_way_to_break_a_document_is_in_the_mix(seed: int) -> None:
    """A generator that always breaks the same thing would prove little."""
    names = {name for name, _ in broken(len(BREAKAGES), seed)}

    assert names == {breakage.__name__ for breakage in BREAKAGES}
