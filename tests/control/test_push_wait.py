"""Whom `guard policy push --wait` still waits for."""

import pytest

from guard.control.push import missing_workers


@pytest.mark.parametrize(
    ("members", "known", "accepted", "missing"),
    [
        (["w-1", "w-2"], {"w-1", "w-2"}, ["w-1", "w-2"], []),
        (["w-1", "w-2"], {"w-1", "w-2", "w-gone"}, ["w-1"], ["w-2"]),
        (["client", "client"], {"w-1"}, ["w-1"], ["1 more"]),
        (["client", "client"], {"w-1", "w-2"}, ["w-1", "w-2"], []),
        (["w-1", "client"], {"w-1", "w-2"}, ["w-2"], ["w-1"]),
        ([], set(), ["w-1"], []),
    ],
)
def test_every_live_member_has_to_answer_and_nobody_else(
    members: list[str], known: set[str], accepted: list[str], missing: list[str]
) -> None:
    """A worker that is gone must not hold a push up; one that is there must not be forgotten."""
    assert missing_workers(members, known, accepted) == missing
