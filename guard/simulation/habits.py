"""Habits of asking: model, operation, decoding parameters, cache and reasoning. One menu for honest customers and fleets alike."""

import random
from typing import Any, Final

from msgspec import Struct

from guard.simulation.draws import TOKENS_MAX

MODELS: Final = ("large-4", "small-4", "large-3")
NEW_MODEL: Final = "large-5"
CHARS_PER_TOKEN: Final = 4.0
CACHE_MS: Final = 5 * 60_000
"""Prompt caches forget after five minutes without use (the common default)."""
TOP_LOGPROBS_SHARE: Final = 0.05
"""Pipelines that ask for log-probabilities: classifiers with a threshold (assumption)."""
PIPELINE_TEMPERATURES: Final = (0.0, 0.0, 0.2, 0.3, 0.6, 0.7, 0.7, 1.0, None)
PIPELINE_CEILINGS: Final = (256, 512, 1_024, 2_048, 2_048, 3_072, 4_096, 8_192, 16_384, None)
REASONING_CEILINGS: Final = (8_192, 16_384, 16_384, 16_384, 32_000, None)
REASONING_TEMPERATURES: Final = (0.6, 0.6, 0.6, 0.7, 1.0, None)


class Habit(Struct, frozen=True):
    """How one account asks. `switches_at` is when it begins to use the new model, for `new_share` of its exchanges."""

    model: str
    temperature: float | None = None
    max_tokens: int | None = None
    n: int = 1
    logprobs: bool | None = None
    operation: str = "chat"
    reasoning_share: float = 0.0
    """Of the output; 0 for a model that does not reason aloud."""
    replays_signatures: bool = False
    caches: bool = True
    refusal_share: float = 0.01
    switches_at: int = 1 << 60
    new_share: float = 0.0

    def model_at(self, dice: random.Random, at: int) -> str:
        """The model asked for at `at`."""
        return NEW_MODEL if at >= self.switches_at and dice.random() < self.new_share else self.model

    def finished(self, fields: dict[str, Any], fresh: int, output: int, dice: random.Random, at: int) -> dict[str, Any]:
        """`fields` with everything that follows from the habit; `fresh` tokens are the last message's, `output` what was wanted."""
        is_refused = dice.random() < self.refusal_share
        ceiling = self.max_tokens
        if is_refused:
            output = 20 + int(dice.random() * 60)
        is_cut = ceiling is not None and output >= ceiling
        output = min(output, TOKENS_MAX if ceiling is None else ceiling)
        if self.operation == "embedding":
            output, is_cut, is_refused = 0, False, False
        fields["model"] = self.model_at(dice, at)
        fields["operation"] = self.operation
        fields["output_tokens"] = output * self.n
        fields["temperature"] = self.temperature
        fields["max_tokens"] = ceiling
        fields["n"] = self.n
        fields["logprobs"] = self.logprobs
        fields["prompt_chars"] = max(1, int(fresh * CHARS_PER_TOKEN * (0.8 + 0.4 * dice.random())))
        if self.reasoning_share:
            fields["reasoning_tokens"] = int(output * self.n * min(0.98, self.reasoning_share * (0.7 + 0.6 * dice.random())))
        fields["refused"] = is_refused
        is_tool = bool(fields.get("tools")) and dice.random() < 0.8
        fields["stop_reason"] = "refusal" if is_refused else "max_tokens" if is_cut else "tool_use" if is_tool else "end_turn"
        return fields


def chat_habit(dice: random.Random) -> Habit:
    """A person's application: defaults mostly, reasoning now and then."""
    reasons = dice.random() < 0.35
    return Habit(
        model=dice.choice(MODELS),
        temperature=dice.choice((None, 1.0, 1.0, 0.7)),
        max_tokens=dice.choice((None, None, 2_048, 4_096, 8_192)),
        reasoning_share=dice.uniform(0.2, 0.8) if reasons else 0.0,
        replays_signatures=reasons and dice.random() < 0.7,
        caches=dice.random() < 0.75,
        refusal_share=dice.choice((0.003, 0.01, 0.02, 0.05)),
    )


def pipeline_habit(dice: random.Random, *, reasons: bool) -> Habit:
    """A program's constant parameters; `reasons` for those that want worked answers (ServeGen: reasoning is 0.5-0.96 of output)."""
    many = dice.random()
    return Habit(
        model=dice.choice(MODELS),
        temperature=dice.choice(REASONING_TEMPERATURES if reasons else PIPELINE_TEMPERATURES),
        max_tokens=dice.choice(REASONING_CEILINGS if reasons else PIPELINE_CEILINGS),
        n=4 if many < 0.05 else 2 if many < 0.07 else 8 if many < 0.08 else 1,
        logprobs=True if dice.random() < TOP_LOGPROBS_SHARE else None if dice.random() < 0.5 else False,
        operation=dice.choices(("chat", "batch", "completion"), (88, 8, 4))[0],
        reasoning_share=dice.uniform(0.5, 0.95) if reasons else 0.0,
        replays_signatures=reasons and dice.random() < 0.3,
        caches=dice.random() < 0.5,
        refusal_share=dice.choice((0.0, 0.003, 0.01, 0.04, 0.1)),
    )


def agent_habit(dice: random.Random) -> Habit:
    """A coding harness: high ceilings, reasoning kept between turns."""
    reasons = dice.random() < 0.6
    return Habit(
        model=dice.choice(MODELS[:2]),
        temperature=dice.choice((1.0, 1.0, 0.6, None)),
        max_tokens=dice.choice((8_192, 16_384, 32_000)),
        reasoning_share=dice.uniform(0.1, 0.6) if reasons else 0.0,
        replays_signatures=reasons,
        caches=dice.random() < 0.9,
        refusal_share=0.003,
    )
