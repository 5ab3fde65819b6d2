"""What a reply says about itself: tokens used, why it stopped, whether the model declined."""

from typing import Final

from msgspec import Struct

INTEGER_MAX: Final = 2**53 - 1
"""What every JSON reader holds exactly."""
STRING_CHARS_MAX: Final = 128
"""The contract's longest string."""
_DECLINED: Final = frozenset({"refusal", "content_filter"})


class Usage(Struct, frozen=True):
    """Tokens as the contract counts them: input with the cached ones, output with reasoning. None where the reply is silent."""

    input_tokens: int | None = None
    cached_tokens: int | None = None
    output_tokens: int | None = None
    reasoning_tokens: int | None = None


def usage_of(reply: object) -> Usage:
    """Usage in any of the formats. Anthropic counts cached tokens beside the input, OpenAI within it."""
    usage = mapping(mapping(reply).get("usage"))
    if "prompt_tokens" in usage:
        cached = _detail(usage, "prompt_tokens_details", "cached_tokens")
        reasoning = _detail(usage, "completion_tokens_details", "reasoning_tokens")
        return Usage(count(usage.get("prompt_tokens")), cached, count(usage.get("completion_tokens")), reasoning)
    cached, written = count(usage.get("cache_read_input_tokens")), count(usage.get("cache_creation_input_tokens"))
    fresh, output = count(usage.get("input_tokens")), count(usage.get("output_tokens"))
    if cached is not None or written is not None:
        return Usage(None if fresh is None else fresh + (cached or 0) + (written or 0), cached, output, None)
    return Usage(
        fresh,
        _detail(usage, "input_tokens_details", "cached_tokens"),
        output,
        _detail(usage, "output_tokens_details", "reasoning_tokens"),
    )


def stop_reason_of(reply: object) -> str | None:
    """Why the answer ended, in the provider's word, at most 128 characters."""
    answer = mapping(reply)
    incomplete = mapping(answer.get("incomplete_details")).get("reason")
    for reason in (answer.get("stop_reason"), first_choice(reply).get("finish_reason"), incomplete, answer.get("status")):
        if isinstance(reason, str) and reason:
            return reason[:STRING_CHARS_MAX]
    return None


def is_declined(stop_reason: str | None) -> bool:
    """Whether an answer that ended for this reason is one the model, or the provider's filter, declined to give."""
    return stop_reason in _DECLINED


def first_choice(reply: object) -> dict[str, object]:
    """The first of the alternatives that chat and plain completions come in; empty if there is none."""
    choices = mapping(reply).get("choices")
    return mapping(choices[0]) if isinstance(choices, list) and choices else {}


def count(value: object) -> int | None:
    """A whole number from 0 to `INTEGER_MAX`, or None."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= INTEGER_MAX else None


def text(value: object) -> str | None:
    """A text that is not empty, or None."""
    return value if isinstance(value, str) and value else None


def mapping(value: object) -> dict[str, object]:
    """The value if it is a JSON object, else an empty one."""
    return value if isinstance(value, dict) else {}


def _detail(usage: dict[str, object], group: str, name: str) -> int | None:
    return count(mapping(usage.get(group)).get(name))
