"""Fusing evidence into a verdict."""

from hypothesis import given
from hypothesis import strategies as st

from guard.scoring.account_rules import reason
from guard.scoring.fusion import SHARING_ALONE_MAX, fuse
from guard.scoring.reasons import REASONS, Reason

weights = st.floats(0, 0.95)
evidence = st.lists(
    st.builds(lambda code, weight: reason(code, 1.0, 0.5, 0.1, weight), st.sampled_from(sorted(REASONS)), weights), max_size=20
)


@given(evidence)
def test_a_score_stays_in_range_and_its_reasons_are_in_order(found: list[Reason]) -> None:
    """Readers act on the first reason and compare scores."""
    verdict = fuse(found)

    assert 0 <= verdict.score <= 1
    assert list(verdict.reasons) == sorted(verdict.reasons, key=lambda one: -one.weight)


@given(evidence, st.floats(0, 1))
def test_relief_never_raises_a_score(found: list[Reason], relief: float) -> None:
    """What speaks for a subject must not speak against it."""
    assert fuse(found, relief).score <= fuse(found).score


def test_a_second_family_counts_more_than_a_second_rule_of_one_family() -> None:
    """Two rules about the same thing repeat one another; two families do not."""
    elicitation = reason("reasoning_elicitation", 0.8, 0.5, 0.05, 0.6)
    same_family = fuse([elicitation, reason("rubric_grading", 0.8, 0.6, 0.05, 0.5)])
    other_family = fuse([elicitation, reason("even_rates", 0.0, 0.3, 1.0, 0.5)])

    assert same_family.score == fuse([elicitation]).score
    assert other_family.score > same_family.score


def test_sharing_alone_never_reaches_the_first_rung() -> None:
    """A team shares its card, its prompt and its network: that is no pool yet."""
    shared = [reason(code, 60, 5, 1, 0.9) for code in ("shared_payment", "template_lift", "shared_network", "campaign_member")]

    assert fuse(shared).score == SHARING_ALONE_MAX < 0.7


def test_what_is_asked_for_and_the_template_count_as_one_family() -> None:
    """Elicitation is a property of the template: together they are no ground for a block."""
    verdict = fuse([reason("template_lift", 60, 5, 0.3, 0.9), reason("reasoning_elicitation", 0.9, 0.5, 0.05, 0.9)])

    assert verdict.families == 1
