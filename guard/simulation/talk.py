"""Conversations of one or more turns: the hash after a turn is the hash before the next one, wherever that is sent from."""

import random
from typing import Any, Final

from msgspec import Struct

from guard.simulation.draws import hashed, tokens
from guard.simulation.habits import CACHE_MS, Habit
from guard.simulation.prompts import Lengths, Source

CONTEXT_TOKENS_MAX: Final = 490_000
"""WEKA coding agents' 99th percentile: then a harness starts anew."""


class Style(Struct, frozen=True):
    """What does not change between the turns: lengths, depth, tools and the tokens of a fixed prefix."""

    lengths: Lengths
    turns_mean: float = 0.0
    """Turns after the first; 0: one turn."""
    tools: int = 0
    results_share: float = 0.0
    """Later turns that bring tool results along."""
    prefix_tokens: int = 0


class Past(Struct):
    """What a conversation has behind it."""

    turn: int = 0
    conversation: str | None = None
    signature: str | None = None
    context: int = 0
    held_by: str = ""
    """Account whose cache holds the context."""
    at: int = 0


class Talk:
    """One speaker's conversations, one after the other. Memory: the past of one."""

    def __init__(self, source: Source, style: Style, habit: Habit) -> None:
        self.source = source
        self.style = style
        self.habit = habit
        self.past = Past()
        self._left = 0

    @property
    def is_over(self) -> bool:
        """The last turn was the last one of its conversation."""
        return self._left == 0

    def dropped(self) -> None:
        """The last turn was never answered: the conversation is given up."""
        self._left = 0

    def ask(self, dice: random.Random, at: int, account: str) -> dict[str, Any]:
        """The next turn, sent by `account`; a new conversation when the last one is over."""
        style = self.style
        if self._left == 0 or self.past.context > CONTEXT_TOKENS_MAX:
            self._left = 1 + (int(dice.expovariate(1.0 / style.turns_mean)) if style.turns_mean else 0)
            self.past = Past(held_by=account if dice.random() < 0.6 else "", at=at)
        self._left -= 1
        return self._turn(dice, at, account)

    def resumed(self, past: Past, dice: random.Random, at: int, account: str) -> dict[str, Any]:
        """A turn that takes up a conversation where `past` left it."""
        self.past = Past(past.turn, past.conversation, past.signature, past.context, past.held_by, past.at)
        return self._turn(dice, at, account)

    def _turn(self, dice: random.Random, at: int, account: str) -> dict[str, Any]:
        past, style, habit = self.past, self.style, self.habit
        fresh, output = style.lengths.draw(dice)
        fields = self.source.fields(dice, past.turn)
        is_warm = habit.caches and past.held_by == account and at - past.at < CACHE_MS
        results = past.turn and dice.random() < style.results_share
        after = hashed(dice)
        context = past.context or style.prefix_tokens
        fields["conversation"] = past.conversation
        fields["conversation_after"] = after
        fields["messages"] = 1 + 2 * past.turn + (fields["prefix"] is not None)
        fields["input_tokens"] = context + fresh
        fields["cached_tokens"] = context if is_warm else 0
        fields["tools"] = style.tools
        fields["tool_results"] = 1 + int(dice.expovariate(1.2)) if results else 0
        if past.signature is not None:
            fields["reasoning_signature"] = past.signature
        habit.finished(fields, fresh, output, dice, at)
        signature = hashed(dice) if habit.replays_signatures else None
        self.past = Past(past.turn + 1, after, signature, context + fresh + fields["output_tokens"], account, at)
        return fields


def chat_style(dice: random.Random, turns_mean: float = 4.0) -> Style:
    """A person's conversations; lengths of Azure 2023 (output p50 129 tokens), their own pace and depth."""
    lengths = Lengths(tokens(dice, 150, 0.5), 1.0, tokens(dice, 130, 0.4), 0.9)
    return Style(lengths, turns_mean * dice.uniform(0.4, 1.6), tools=dice.choice((0, 0, 0, 2, 5)), results_share=0.2)
