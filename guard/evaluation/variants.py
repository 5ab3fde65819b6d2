"""Everything that a world may be played against, by name: the guard, parts of it, others in its place, and other versions of the world."""

from collections.abc import Callable
from typing import Final

from guard.engine.driver import Driver
from guard.engine.onlooker import Onlooker
from guard.evaluation.ablations import ABLATIONS, NOTHING
from guard.evaluation.baselines import BASELINES, WHAT, baseline
from guard.evaluation.judges import Judge, Orderly
from guard.evaluation.sources import Source, without
from guard.events.request import RequestEvent
from guard.policy.labels import LabelBook
from guard.simulation.labels import POISONER
from guard.topics import PARTITIONS_DEFAULT

FULL: Final = "full"
SHUFFLED: Final = "shuffled"
"""`full` with the truth dealt out anew among the accounts."""
NO_POISONING: Final = "no-poisoning"
UNGUARDED: Final = "unguarded"

VARIANTS: Final = {
    FULL: NOTHING.what,
    **{name: ablation.what for name, ablation in ABLATIONS.items()},
    **WHAT,
    NO_POISONING: f"the guard in the same world without the poisoning fleet ({POISONER}) and its appeals",
    UNGUARDED: "nobody judges: what a fleet gets when it is left alone",
    SHUFFLED: "the guard's decisions held against a truth dealt out anew: chance",
}
"""Every variant there is, and what it is."""


class Nobody(Orderly):
    """Decides nothing."""

    def take(self, event: RequestEvent, appended_at: int) -> None:
        """Let it pass."""


def source_of(variant: str, source: Source) -> Source:
    """The source as this variant plays it."""
    return without(source, POISONER) if variant == NO_POISONING else source


def judge_of(variant: str, labels: LabelBook, onlooker: Onlooker) -> tuple[Judge, Callable[[RequestEvent], RequestEvent]]:
    """A fresh judge, and what it gets to see of an event. Only a judge with scores tells the onlooker of them."""
    if variant in BASELINES:
        return baseline(variant), NOTHING.withheld
    if variant == UNGUARDED:
        return Nobody(), NOTHING.withheld
    ablation = ABLATIONS.get(variant, NOTHING)
    return Driver(PARTITIONS_DEFAULT, ablation.control(labels), onlooker=onlooker), ablation.withheld


def has_scores(variant: str) -> bool:
    """Whether its judge scores accounts at all."""
    return variant not in BASELINES and variant != UNGUARDED
