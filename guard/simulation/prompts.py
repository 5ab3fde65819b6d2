"""Prompts as a gateway reports them: keyed-looking hashes of prefix, shape and SimHash, conversations, classifier scores."""

import random
from collections.abc import Callable
from typing import Any, Final

from msgspec import Struct

from guard.simulation.draws import tokens

HONEST_ELICITATION: Final = (1.0, 14.0)
"""Beta parameters of the gateway's noisy classifier on ordinary questions: mean 0.07, one in fifty above 0.3."""
HONEST_RUBRIC: Final = (1.0, 24.0)


def hashed(dice: random.Random) -> str:
    """A keyed hash as it looks from outside."""
    return f"k1:{dice.getrandbits(64):016x}"


class Template(Struct):
    """A prompt that is used again: its prefix, a few shapes, and a SimHash that paraphrase moves by a bit or two."""

    prefix: str
    shapes: tuple[str, ...]
    simhash: int
    elicitation: tuple[float, float] = HONEST_ELICITATION
    rubric: tuple[float, float] = HONEST_RUBRIC
    wobble_bits: int = 1

    def fields(self, dice: random.Random) -> dict[str, Any]:
        """The content fields of one prompt made from the template."""
        simhash = self.simhash
        for _ in range(dice.randint(0, self.wobble_bits)):
            simhash ^= 1 << dice.randrange(64)
        return {
            "prefix": self.prefix,
            "shape": dice.choice(self.shapes),
            "simhash": f"{simhash:016x}",
            "reasoning_elicitation": round(dice.betavariate(*self.elicitation), 3),
            "rubric_grading": round(dice.betavariate(*self.rubric), 3),
        }


def template(
    dice: random.Random,
    shapes: int = 3,
    *,
    elicitation: tuple[float, float] = HONEST_ELICITATION,
    rubric: tuple[float, float] = HONEST_RUBRIC,
    wobble_bits: int = 1,
) -> Template:
    """A template of its own."""
    return Template(hashed(dice), tuple(hashed(dice) for _ in range(shapes)), dice.getrandbits(64), elicitation, rubric, wobble_bits)


class Dialogue:
    """Conversations of several turns: the hash after a turn is the hash before the next one."""

    def __init__(self, turns_mean: float, prefix: Callable[[random.Random], str | None], lengths: "Lengths") -> None:
        self._turns_mean = turns_mean
        self._prefix = prefix
        self._lengths = lengths
        self._left = 0
        self._before: str | None = None
        self._turn = 0
        self._system: str | None = None
        self._context = 0

    @property
    def is_over(self) -> bool:
        """The last turn was the last one of its conversation."""
        return self._left == 0

    def ask(self, dice: random.Random) -> dict[str, Any]:
        """The next turn; a new conversation when the last one is over."""
        if self.is_over:
            self._left = 1 + int(dice.expovariate(1.0 / self._turns_mean))
            self._before, self._turn, self._context = None, 0, 0
            self._system = self._prefix(dice)
        self._left -= 1
        fresh, output = self._lengths.draw(dice)
        after = hashed(dice)
        exchange = {
            "conversation": self._before,
            "conversation_after": after,
            "messages": 2 + 2 * self._turn,
            "prefix": self._system,
            "shape": hashed(dice),
            "simhash": f"{dice.getrandbits(64):016x}",
            "reasoning_elicitation": round(dice.betavariate(*HONEST_ELICITATION), 3),
            "rubric_grading": round(dice.betavariate(*HONEST_RUBRIC), 3),
            "input_tokens": self._context + fresh,
            "cached_tokens": self._context,
            "output_tokens": output,
            "temperature": 1.0,
        }
        self._before, self._turn, self._context = after, self._turn + 1, self._context + fresh + output
        return exchange


class Lengths(Struct):
    """Input and output tokens: log-normal, by median and spread (standard deviation of the logarithm)."""

    input_median: float
    input_spread: float
    output_median: float
    output_spread: float

    def draw(self, dice: random.Random) -> tuple[int, int]:
        """One pair."""
        return tokens(dice, self.input_median, self.input_spread), tokens(dice, self.output_median, self.output_spread)
