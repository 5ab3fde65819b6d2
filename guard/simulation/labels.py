"""Labels as analysts and appeals would give them: few, late, sometimes wrong; and the lies that a fleet's appeals obtain."""

import random
from collections.abc import Iterator, Sequence
from typing import Final

from msgspec import Struct

from guard.simulation.client import Truth
from guard.units import DAY_MS

LABELLED_SHARE: Final = 0.1
WRONG_SHARE: Final = 0.02
"""A tenth of the accounts is labelled, two in a hundred of them wrongly, one to seven days late (reference protocol)."""
APPEALED_SHARE: Final = 0.1
"""Accounts of a poisoning fleet whose false appeals succeed, at most."""
POISONER: Final = "A12"
PERMITTED: Final = "N12"


class LabelLine(Struct, frozen=True):
    """One record of `guard.labels`."""

    label_id: str
    scope: str
    subject: str
    verdict: str
    at: int
    author: str
    expires_at: int


def labels(truths: Sequence[Truth], start: int, end: int, seed: int) -> list[LabelLine]:
    """The labels of a world, in the order of time."""
    dice = random.Random(f"{seed}:labels")
    found = [*_certified(truths, start, end), *_appeals(truths, start, end, dice), *_analysts(truths, start, end, dice)]
    unique = {line.subject: line for line in reversed(found)}
    return sorted(unique.values(), key=lambda line: (line.at, line.label_id))


def _line(truth: Truth, verdict: str, at: int, author: str, days: int) -> LabelLine:
    return LabelLine(f"l-{truth.account_id}", "account", truth.account_id, verdict, at, author, at + days * DAY_MS)


def _certified(truths: Sequence[Truth], start: int, end: int) -> Iterator[LabelLine]:
    """Customers with permission to make training data are certified before the world begins."""
    days = 30 + (end - start) // DAY_MS
    return (_line(truth, "certified", start, "compliance", days) for truth in truths if truth.family == PERMITTED)


def _appeals(truths: Sequence[Truth], start: int, end: int, dice: random.Random) -> Iterator[LabelLine]:
    fleet = [truth for truth in truths if truth.family == POISONER]
    for truth in dice.sample(fleet, int(len(fleet) * APPEALED_SHARE)):
        at = start + int(dice.uniform(0.15, 0.7) * (end - start))
        yield _line(truth, dice.choice(("benign", "appeal_upheld")), at, "appeals", 30)


def _analysts(truths: Sequence[Truth], start: int, end: int, dice: random.Random) -> Iterator[LabelLine]:
    span = end - start
    for truth in truths:
        if dice.random() < LABELLED_SHARE:
            is_extraction = truth.honest == (dice.random() < WRONG_SHARE)
            late = dice.uniform(1, 7) * DAY_MS if span > 8 * DAY_MS else dice.uniform(0.1, 0.4) * span
            at = start + int(min(span * 0.98, dice.uniform(0.3, 0.9) * span + late))
            if truth.family != PERMITTED:
                yield _line(truth, "extraction" if is_extraction else "benign", at, "analyst", 30)
