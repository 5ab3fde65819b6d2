"""Prompts as a gateway reports them: keyed-looking hashes of prefix, shape and SimHash, a topic, classifier scores."""

import random
from typing import Any, Final, Protocol

from msgspec import Struct

from guard.simulation.draws import hashed, score, tokens

PLAIN: Final = (1.0, 14.0)
"""Beta parameters of the gateway's noisy elicitation classifier on ordinary questions: mean 0.07, one in fifty above 0.3."""
EXPLAINED: Final = (2.0, 8.0)
"""Homework and tutoring: a fifth on average."""
ELICITING: Final = (9.0, 2.5)
"""Asks for the steps to be written out: mean 0.78; honest audits and evaluations do so as well."""
UNGRADED: Final = (1.0, 24.0)
GRADING: Final = (6.0, 3.0)
"""Judges of answers: mean 0.67 of the rubric classifier."""
TOPICS: Final = 256


class Lengths(Struct, frozen=True):
    """Input and output tokens: log-normal, by median and spread (standard deviation of the logarithm)."""

    input_median: float
    input_spread: float
    output_median: float
    output_spread: float

    def draw(self, dice: random.Random) -> tuple[int, int]:
        """One pair."""
        return tokens(dice, self.input_median, self.input_spread), tokens(dice, self.output_median, self.output_spread)


class Source(Protocol):
    """Where prompts come from."""

    def fields(self, dice: random.Random, turn: int) -> dict[str, Any]:
        """The content fields of the prompt at `turn` (0 is a conversation's first)."""


class Template(Struct, frozen=True):
    """A prompt that is used again: its prefix, a few shapes, a SimHash that what is filled in or paraphrased moves by some bits."""

    prefix: str | None
    shapes: tuple[str, ...]
    simhashes: tuple[int, ...]
    topics: tuple[int, ...]
    elicitation: tuple[float, float] = PLAIN
    rubric: tuple[float, float] = UNGRADED
    wobble_bits: int = 2
    free_share: float = 0.0
    """Share of prompts whose shape and SimHash are nobody else's: what is filled in is longer than the frame."""

    def fields(self, dice: random.Random, turn: int) -> dict[str, Any]:
        """The content fields of one prompt made from the template; later turns keep only its prefix and topic."""
        topic = self.topics[int(dice.random() * len(self.topics))]
        if turn or dice.random() < self.free_share:
            return {**_unique(dice), "prefix": self.prefix, "topic": topic} | self._scores(dice)
        place = int(dice.random() * len(self.shapes))
        simhash = self.simhashes[place]
        for _ in range(int(dice.random() * (self.wobble_bits + 1))):
            simhash ^= 1 << int(dice.random() * 64)
        return {"prefix": self.prefix, "shape": self.shapes[place], "simhash": f"{simhash:016x}", "topic": topic} | self._scores(dice)

    def _scores(self, dice: random.Random) -> dict[str, float]:
        return {"reasoning_elicitation": score(dice, self.elicitation), "rubric_grading": score(dice, self.rubric)}


class Free(Struct, frozen=True):
    """Somebody's own words, under the system prompt of an application or none."""

    prefix: str | None
    topics: tuple[int, ...]
    elicitation: tuple[float, float] = PLAIN

    def fields(self, dice: random.Random, turn: int) -> dict[str, Any]:
        """The content fields of one prompt that nobody else sends."""
        del turn
        topic = self.topics[int(dice.random() * len(self.topics))]
        scores = {"reasoning_elicitation": score(dice, self.elicitation), "rubric_grading": score(dice, UNGRADED)}
        return {**_unique(dice), "prefix": self.prefix, "topic": topic} | scores


def _unique(dice: random.Random) -> dict[str, Any]:
    return {"shape": hashed(dice), "simhash": f"{dice.getrandbits(64):016x}"}


def interests(dice: random.Random, count: int) -> tuple[int, ...]:
    """Topics that somebody asks about: the low numbers are the world's favourites."""
    return tuple(min(TOPICS - 1, int(dice.expovariate(1 / 60.0))) for _ in range(count))


def template(
    dice: random.Random,
    shapes: int = 3,
    *,
    elicitation: tuple[float, float] = PLAIN,
    rubric: tuple[float, float] = UNGRADED,
    wobble_bits: int | None = None,
    free_share: float = 0.0,
) -> Template:
    """A template of its own; how far its SimHash moves is drawn like everybody's unless given."""
    return Template(
        hashed(dice),
        tuple(hashed(dice) for _ in range(shapes)),
        tuple(dice.getrandbits(64) for _ in range(shapes)),
        interests(dice, dice.randint(1, 3)),
        elicitation,
        rubric,
        dice.randint(0, 8) if wobble_bits is None else wobble_bits,
        free_share,
    )
