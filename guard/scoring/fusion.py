"""From pieces of evidence to one verdict: noisy-or over families, strongest reason first.

Within a family the pieces repeat one another, so only the strongest counts; between families each one explains away what
the others left: 1 - prod(1 - weight).
"""

from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from guard.scoring.ramp import ramp
from guard.scoring.reasons import CONTENT_FAMILIES, Family, Reason

REASONS_MAX: Final = 8
"""Reasons kept in a verdict, strongest first."""

FAMILY_WEIGHT_MIN: Final = 0.3
"""A family counts as independent ground for a block only from this weight on: below it, it is a hint."""

SHARING_CODES: Final = frozenset({"shared_payment", "template_lift", "shared_client", "shared_network", "new_accounts", "campaign_member"})
SHARING_ALONE_MAX: Final = 0.65
"""Sharing alone never reaches the first rung: a team shares its card, its prompt and its network, a public harness its prompt, and an
application that goes viral is made of new accounts. What makes a pool of a group is how it is used: evenly, for reasoning, or with
conversations handed around.
"""

BEHAVIOUR_LITTLE: Final = 0.3
BEHAVIOUR_ENOUGH: Final = 0.55
"""Evidence of behaviour, taken together, up to which sharing gains nothing, and from which it counts in full."""

LABEL_ALONE_MAX: Final = 0.65
"""A label alone never reaches the first rung (contract)."""


class Verdict(Struct, frozen=True):
    """Fused score 0-1, its reasons, and how many independent families stand behind it."""

    score: float
    reasons: tuple[Reason, ...]
    families: int
    relief: float = 0.0
    """What spoke for the subject: the share of the score that it took away."""


CLEAR: Final = Verdict(0.0, (), 0)


def fuse(evidence: Iterable[Reason], relief: float = 0.0) -> Verdict:
    """The verdict over `evidence`. `relief` (0-1) is what speaks for the subject: it scales the score down."""
    reasons = sorted(evidence, key=lambda reason: (-reason.weight, reason.code))[:REASONS_MAX]
    strongest: dict[str, float] = {}
    for reason in reasons:
        if reason.weight > strongest.get(reason.family, 0.0):
            strongest[reason.family] = reason.weight
    if not strongest:
        return CLEAR
    left = 1.0
    for weight in strongest.values():
        left *= 1.0 - weight
    score = min(1.0 - left, _ceiling(strongest, reasons)) * (1.0 - relief)
    return Verdict(round(score, 6), tuple(reasons), _independent(strongest), relief)


def _ceiling(strongest: dict[str, float], reasons: list[Reason]) -> float:
    """Sharing counts beyond its own ceiling only as far as there is evidence of how the group behaves."""
    if strongest.keys() == {Family.LABEL}:
        return LABEL_ALONE_MAX
    left = 1.0
    for one in reasons:
        if one.code not in SHARING_CODES:
            left *= 1.0 - one.weight
    return SHARING_ALONE_MAX + (1.0 - SHARING_ALONE_MAX) * ramp(1.0 - left, BEHAVIOUR_LITTLE, BEHAVIOUR_ENOUGH)


def _independent(strongest: dict[str, float]) -> int:
    strong = {family for family, weight in strongest.items() if weight >= FAMILY_WEIGHT_MIN}
    content = strong & CONTENT_FAMILIES
    return len(strong) - max(0, len(content) - 1)


def lightened(reason: Reason, share: float) -> Reason:
    """The same evidence at `share` of its weight."""
    return Reason(reason.code, reason.family, reason.value, reason.threshold, reason.baseline, round(reason.weight * share, 4))
