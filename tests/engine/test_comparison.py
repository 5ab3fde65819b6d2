"""Two runs held against each other: what is a delay, and what is a difference."""

from guard.decisions.decision import Action
from tests.support.comparison import Run, Sanctioned, compare


def run(accounts: dict[str, int], campaigns: dict[str, tuple[int, tuple[str, ...]]]) -> Run:
    """First sanctions by account; per campaign when it began and who is in it."""
    found = {account: Sanctioned(at, Action.THROTTLE, 0.9, own=True) for account, at in accounts.items()}
    members = {name: frozenset(these) for name, (_, these) in campaigns.items()}
    return Run(found, members, {name: at for name, (at, _) in campaigns.items()})


def test_who_is_sanctioned_in_one_run_only_is_a_difference() -> None:
    """The delay of those found by both must not hide the one who was missed."""
    found = compare(run({"a": 10, "b": 20}, {}), run({"a": 15}, {}), until=100)
    assert (found.both, found.only_first, found.only_second) == (1, 1, 0)
    assert found.agreement == 0.5
    assert found.delays_ms == [-5]


def test_who_is_first_named_when_the_records_are_nearly_over_is_not_compared() -> None:
    """One run would have named it a minute later, had there been records."""
    assert compare(run({"a": 10, "late": 101}, {}), run({"a": 10}, {}), until=100).agreement == 1.0


def test_who_is_named_before_in_one_run_and_after_in_the_other_is_late_not_different() -> None:
    """Else every border in time would be reported as a disagreement."""
    found = compare(run({"a": 130}, {}), run({"a": 90}, {}), until=100)
    assert (found.both, found.agreement, found.delays_ms) == (1, 1.0, [40])


def test_a_campaign_without_a_partner_counts_unless_it_began_when_the_records_were_nearly_over() -> None:
    """A whole campaign missed must cost the figure, one just begun must not."""
    old, young = run({}, {"c": (50, ("a", "b"))}), run({}, {"c": (110, ("a", "b"))})
    nothing = run({}, {})
    assert compare(old, nothing, until=100).worst_jaccard == 0.0
    assert compare(nothing, young, until=100).worst_jaccard == 1.0


def test_campaigns_are_matched_by_members_whatever_their_names_and_times() -> None:
    """Names carry the time of the first sight, which differs between runs that agree."""
    found = compare(run({}, {"c": (50, ("a", "b", "x"))}), run({}, {"d": (110, ("a", "b"))}), until=100)
    assert found.worst_jaccard == 2 / 3
