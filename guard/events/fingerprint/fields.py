"""The content fields of a request event, computed from one request and its reply; text goes in, only hashes and numbers come out."""

from collections.abc import Sequence
from typing import Final

import msgspec
from msgspec import Struct

from guard.events.fingerprint.conversation import WHITE_SPACE
from guard.events.fingerprint.exchange import Exchange, read_exchange
from guard.events.fingerprint.keys import ContentKey, KeyRing
from guard.events.fingerprint.settings import settings_of
from guard.events.fingerprint.simhash import simhash_of
from guard.events.fingerprint.skeleton import MASK, skeleton_of
from guard.events.fingerprint.usage import is_declined, stop_reason_of, usage_of

PREFIX_BYTES: Final = 1_024
"""How much of the leading block counts, without white space and digits: applications differ within it, dates and user data follow it."""
_PREFIX_CHARS: Final = 2 * PREFIX_BYTES
LEADING_CHARS: Final = 256
"""Without a system prompt, the beginning of a longer first message is the leading block."""
SKELETON_WORDS_MIN: Final = 5
"""Fewer words than this that are no literals make no template: `yes, go on` is everybody's."""
_IGNORED_IN_PREFIX: Final = WHITE_SPACE + b"0123456789"


class ContentFields(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Fields of the request event, named and meant as in the contract; None is missing."""

    operation: str | None = None
    input_tokens: int | None = None
    cached_tokens: int | None = None
    output_tokens: int | None = None
    reasoning_tokens: int | None = None
    max_tokens: int | None = None
    temperature: float | None = None
    n: int | None = None
    logprobs: bool | None = None
    messages: int | None = None
    tools: int | None = None
    tool_results: int | None = None
    conversation: str | None = None
    conversation_after: str | None = None
    prefix: str | None = None
    shape: str | None = None
    simhash: str | None = None
    prompt_chars: int | None = None
    reasoning_signature: str | None = None
    refused: bool | None = None
    stop_reason: str | None = None

    def known(self) -> dict[str, str | int | float | bool]:
        """The fields that are not missing, to be merged into an event."""
        return {name: value for name, value in msgspec.structs.asdict(self).items() if value is not None}


def fingerprint(request: object, reply: object, keys: KeyRing, provider_prefix_chars: int = 0) -> ContentFields:
    """The content fields of one exchange under the current key.

    `request` and `reply` are parsed JSON in the format of OpenAI's chat completions, responses or completions, or of Anthropic's
    messages; `reply` is None if none came, and a streamed one is put together first, as the SDKs do. `provider_prefix_chars` is how
    many characters the provider itself puts before the customer's system prompt. Whatever is malformed gives missing fields.
    """
    return _under([keys.current], request, reply, provider_prefix_chars)[0]


def fingerprints(request: object, reply: object, keys: KeyRing, provider_prefix_chars: int = 0) -> Sequence[ContentFields]:
    """The content fields under each key in use, the current one first; the text is read once."""
    return _under(keys.all, request, reply, provider_prefix_chars)


def _under(keys: Sequence[ContentKey], request: object, reply: object, provider_prefix_chars: int) -> list[ContentFields]:
    exchange = read_exchange(request, reply)
    plain = _plain_fields(exchange, request, reply)
    skeleton = skeleton_of(exchange.prompt) if exchange.prompt is not None else []
    prefix = _leading_block(exchange, max(0, provider_prefix_chars))
    return [msgspec.structs.replace(plain, **_hashes(exchange, prefix, skeleton, key)) for key in keys]


def _plain_fields(exchange: Exchange, request: object, reply: object) -> ContentFields:
    settings, usage, stop_reason = settings_of(request, reply), usage_of(reply), stop_reason_of(reply)
    is_conversation = bool(exchange.asked.turns)
    return ContentFields(
        **msgspec.structs.asdict(settings),
        **msgspec.structs.asdict(usage),
        messages=len(exchange.asked.turns) if is_conversation else None,
        tool_results=exchange.asked.tool_results if is_conversation else None,
        prompt_chars=None if exchange.prompt is None else len(exchange.prompt),
        refused=exchange.answered.refusal or is_declined(stop_reason) if exchange.answered.turns or stop_reason is not None else None,
        stop_reason=stop_reason,
    )


def _hashes(exchange: Exchange, prefix: bytes, skeleton: list[str], key: ContentKey) -> dict[str, str | None]:
    before, after = exchange.chain.hashes(key.hasher)
    is_template = len(skeleton) - skeleton.count(MASK) >= SKELETON_WORDS_MIN
    signature = exchange.asked.signature
    return {
        "conversation": before,
        "conversation_after": after,
        "prefix": key.hasher.hash("prefix", prefix) if prefix else None,
        "shape": key.hasher.hash("shape", " ".join(skeleton)) if is_template else None,
        "simhash": simhash_of(skeleton, key.simhash) if is_template else None,
        "reasoning_signature": None if signature is None else key.hasher.hash("signature", signature),
    }


def _leading_block(exchange: Exchange, provider_prefix_chars: int) -> bytes:
    """What of the system prompt, else of a long first message, counts as its beginning; empty if there is neither."""
    if exchange.asked.system:
        block = "".join(exchange.asked.system)[provider_prefix_chars : provider_prefix_chars + _PREFIX_CHARS]
    else:
        block = exchange.first_text if len(exchange.first_text) > LEADING_CHARS else ""
        block = block[:LEADING_CHARS]
    return block.encode("utf-8", "surrogatepass").translate(None, _IGNORED_IN_PREFIX)[:PREFIX_BYTES]
