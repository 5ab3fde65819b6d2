"""Rules about one account by its own features. Each gives evidence or None; none knows the ladder."""

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from guard.scoring.reasons import REASONS, Reason

Features: TypeAlias = Mapping[str, float]
Numbers: TypeAlias = Mapping[str, float]


def reason(code: str, value: float, threshold: float, baseline: float, weight: float) -> Reason:
    """Evidence under one of the closed codes; numbers rounded so that a reader can compare them."""
    return Reason(code, REASONS[code].family, round(value, 4), round(threshold, 4), round(baseline, 4), round(weight, 4))


def instant_maximum(features: Features, numbers: Numbers) -> Reason | None:
    """A young account at a pipeline's pace from its first exchanges on, one turn deep, with constant parameters.

    Young is who was opened, or is new and came to use, at most `instant_young_days` ago: an account may lie for some days first.
    Strong enough alone for a throttle, never for more: an honest roll-out can look like this for an hour.
    """
    age = features.get("age_days")
    pace = features.get("pace_rpm")
    if age is None or pace is None or age > numbers["young_account_days"]:
        return None
    if min(age, features["use_days"]) > numbers["instant_young_days"]:
        return None
    limit_share = features.get("limit_share")
    over = pace / numbers["instant_pace_rpm"]
    if limit_share is not None:
        over = max(over, limit_share / numbers["instant_limit_share"]) if pace >= numbers["instant_pace_rpm"] / 4 else over
    steady = min(features.get("single_turn_share", 0.5), features.get("same_parameters_share", 0.5))
    if over < 1.0 or steady < 0.9:
        return None
    weight = 0.7 + 0.1 * min(1.0, over - 1.0)
    return reason("instant_maximum", pace, numbers["instant_pace_rpm"], 90.0, weight)


def _content(code: str, name: str, limit: str, ceiling: float) -> Callable[[Features, Numbers], Reason | None]:
    def rule(features: Features, numbers: Numbers) -> Reason | None:
        share, exchanges = features.get(name), features.get("day_requests", 0.0)
        if share is None or share < numbers[limit] or exchanges < numbers["content_exchanges_min"]:
            return None
        single = features.get("single_turn_share", 0.5)
        weight = ceiling * (0.7 + 0.3 * single) * min(1.0, 0.8 + (share - numbers[limit]))
        return reason(code, share, numbers[limit], 0.05, weight)

    return rule


ACCOUNT_RULES: Final = (
    instant_maximum,
    _content("reasoning_elicitation", "elicitation_share", "elicitation_share", 0.65),
    _content("rubric_grading", "rubric_share", "rubric_share", 0.35),
)
"""Elicitation stays below the first rung alone: chain-of-thought evaluations ask for the same (reference: zero-shot-CoT logs)."""


def account_evidence(features: Features, numbers: Numbers) -> list[Reason]:
    """What the account's own features say against it."""
    return [found for rule in ACCOUNT_RULES if (found := rule(features, numbers)) is not None]


def without_what_drifted(evidence: list[Reason], learnt: list[Reason]) -> list[Reason]:
    """The rules' evidence without grading, where a move from the account's own past was found: taking to grading is that move.

    A customer who begins to judge answers in bulk does both at once and has done one thing.
    """
    if all(one.code != "drift_toward_extraction" for one in learnt):
        return evidence
    return [one for one in evidence if one.code != "rubric_grading"]
