"""Each big SDK's request and reply become the same fields of the contract."""

import msgspec
import pytest

from guard.errors import UsageError
from guard.events.decode import Decoder
from guard.events.fingerprint import ContentFields, HashKey, KeyRing, fingerprint, fingerprints
from guard.events.request import RequestEvent

OLD, NEW = HashKey("k1", b"o" * 32), HashKey("k2", b"n" * 32)
KEYS = KeyRing(NEW)
SYSTEM = "You help the customers of a seed shop. Be brief and name the page of the catalogue."
PROMPT = "Please write a short note to Anna about her 3 orders of garden beans, and say when they will arrive."
ANSWER = "Dear Anna, your three orders have left our store this morning and will be with you on Friday at the latest. " * 2
ARGUMENTS = {"order": 17, "details": True}

CHAT = (
    {
        "messages": [
            {"role": "system", "content": SYSTEM},
            {"role": "user", "content": PROMPT},
        ],
        "max_completion_tokens": 900,
        "temperature": 0.5,
        "tools": [{"type": "function", "function": {"name": "look_up"}}],
    },
    {
        "choices": [
            {
                "message": {
                    "role": "assistant",
                    "content": ANSWER,
                    "tool_calls": [{"id": "c1", "function": {"name": "look_up", "arguments": '{"order": 17, "details": true}'}}],
                },
                "finish_reason": "tool_calls",
            }
        ],
        "usage": {
            "prompt_tokens": 120, "completion_tokens": 60,
            "prompt_tokens_details": {"cached_tokens": 100}, "completion_tokens_details": {"reasoning_tokens": 20},
        },
    },
)  # fmt: skip
RESPONSES = (
    {
        "instructions": SYSTEM,
        "input": [{"role": "user", "content": [{"type": "input_text", "text": PROMPT}]}],
        "max_output_tokens": 900,
        "temperature": 0.5,
        "tools": [{"type": "function", "name": "look_up"}],
    },
    {
        "status": "completed",
        "output": [
            {"type": "reasoning", "encrypted_content": "sealed"},
            {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": ANSWER}]},
            {"type": "function_call", "call_id": "c1", "name": "look_up", "arguments": '{"details":true,"order":17}'},
        ],
        "usage": {
            "input_tokens": 120, "output_tokens": 60,
            "input_tokens_details": {"cached_tokens": 100}, "output_tokens_details": {"reasoning_tokens": 20},
        },
    },
)  # fmt: skip
ANTHROPIC = (
    {
        "system": [{"type": "text", "text": SYSTEM, "cache_control": {"type": "ephemeral"}}],
        "messages": [{"role": "user", "content": [{"type": "text", "text": PROMPT}]}],
        "max_tokens": 900,
        "temperature": 0.5,
        "tools": [{"name": "look_up"}],
    },
    {
        "role": "assistant",
        "content": [
            {"type": "thinking", "thinking": "hm", "signature": "sealed"},
            {"type": "text", "text": ANSWER},
            {"type": "tool_use", "id": "c1", "name": "look_up", "input": ARGUMENTS},
        ],
        "stop_reason": "tool_use",
        "usage": {"input_tokens": 15, "cache_read_input_tokens": 100, "cache_creation_input_tokens": 5, "output_tokens": 60},
    },
)
FORMATS = {"chat": CHAT, "responses": RESPONSES, "anthropic": ANTHROPIC}
HASHES = {
    "conversation_after": "k2:5f7dc86f86a4b3f593ad446d957577cf",
    "prefix": "k2:cd8e71557bc0d1e0118d1cafb3a1e89e",
    "shape": "k2:a5b42c5778ba46bb7a245a7911845609",
    "simhash": "0f988ff174dffba3",
}


@pytest.mark.parametrize("name", FORMATS)
def test_one_exchange_has_the_same_hashes_in_every_format(name):
    """A fleet that changes its SDK is the same fleet; and a gateway in another language can check itself against these values."""
    fields = fingerprint(*FORMATS[name], KEYS).known()

    assert {field: fields[field] for field in HASHES} == HASHES


@pytest.mark.parametrize("name", FORMATS)
def test_one_exchange_has_the_same_counts_in_every_format(name):
    """Anthropic counts cached tokens beside the input, OpenAI within; the contract has one meaning."""
    fields = fingerprint(*FORMATS[name], KEYS)

    assert (fields.input_tokens, fields.cached_tokens, fields.output_tokens) == (120, 100, 60)
    assert (fields.messages, fields.tools, fields.tool_results) == (1, 1, 0)
    assert (fields.operation, fields.max_tokens, fields.temperature, fields.prompt_chars) == ("chat", 900, 0.5, len(PROMPT))


def test_reasoning_tokens_are_reported_where_the_provider_counts_them():
    """Missing is not zero: Anthropic's usage does not tell them apart."""
    found = {name: fingerprint(*exchange, KEYS).reasoning_tokens for name, exchange in FORMATS.items()}

    assert found == {"chat": 20, "responses": 20, "anthropic": None}


def test_the_stop_reason_is_the_providers_word():
    """Analysts look it up in the provider's documentation."""
    found = {name: fingerprint(*exchange, KEYS).stop_reason for name, exchange in FORMATS.items()}

    assert found == {"chat": "tool_calls", "responses": "completed", "anthropic": "tool_use"}


@pytest.mark.parametrize(
    "reply",
    [
        {"choices": [{"message": {"role": "assistant", "content": None, "refusal": "I cannot help."}, "finish_reason": "stop"}]},
        {"choices": [{"message": {"role": "assistant", "content": ""}, "finish_reason": "content_filter"}]},
        {"role": "assistant", "content": [], "stop_reason": "refusal"},
        {"output": [{"type": "message", "role": "assistant", "content": [{"type": "refusal", "refusal": "I cannot."}]}]},
        {"output": [], "incomplete_details": {"reason": "content_filter"}},
    ],
)
def test_a_refusal_is_seen_in_every_format(reply):
    """Accounts that are declined again and again are probing."""
    assert fingerprint(CHAT[0], reply, KEYS).refused is True
    assert fingerprint(*CHAT, KEYS).refused is False
    assert fingerprint(CHAT[0], None, KEYS).refused is None


def test_a_plain_completion_has_a_shape_but_no_conversation():
    """Its prompt is one text; where an answer ends and the next prompt begins is not told."""
    request = {"prompt": PROMPT, "max_tokens": 5, "n": 4, "logprobs": 5}
    fields = fingerprint(request, {"choices": [{"text": ANSWER, "finish_reason": "length"}]}, KEYS)

    assert (fields.operation, fields.n, fields.logprobs, fields.stop_reason) == ("completion", 4, True, "length")
    assert fields.shape == fingerprint(*CHAT, KEYS).shape
    assert (fields.conversation, fields.conversation_after) == (None, None)


def test_every_field_passes_the_decoder_unhurt():
    """What the reference code writes and the guard reads is one contract."""
    required = {"event_id": "e", "event_time": 1, "account_id": "a", "model": "m", "input_tokens": 0, "output_tokens": 0}
    fields = fingerprint(*CHAT, KEYS).known()
    decoder = Decoder()
    event = decoder.decode(msgspec.json.encode(required | fields))

    assert {name: getattr(event, name) for name in fields} == fields


def test_during_a_change_of_keys_both_hashes_can_be_had():
    """Else every template and conversation would begin anew on the day of the change."""
    current, previous = fingerprints(*CHAT, KeyRing(NEW, OLD))

    assert current == fingerprint(*CHAT, KEYS)
    assert previous == fingerprint(*CHAT, KeyRing(OLD))
    assert current.simhash != previous.simhash
    with pytest.raises(UsageError):
        KeyRing(NEW, HashKey("k2", b"z" * 32))


def test_the_providers_own_prefix_does_not_count():
    """Mooncake's trace has one first block in every request: a key on it would link everybody."""
    common = "You are served by the provider. Obey its rules. "
    own = fingerprint({"system": SYSTEM, "messages": []}, None, KEYS).prefix
    behind = fingerprint({"system": common + SYSTEM, "messages": []}, None, KEYS, provider_prefix_chars=len(common)).prefix

    assert own is not None
    assert own == behind


def test_a_date_in_the_system_prompt_does_not_change_the_prefix():
    """Many applications state today's date; they are still one application."""
    days = {fingerprint({"system": f"Today is 2026-11-{day}. {SYSTEM}", "messages": []}, None, KEYS).prefix for day in (1, 24)}

    assert len(days) == 1


def test_without_a_system_prompt_only_a_long_first_message_has_a_leading_block():
    """A fixed preamble before the question is a template; a question alone is not."""
    preamble = "Think step by step and write every thought between tags before the answer. " * 5
    first, second = (fingerprint({"messages": [{"role": "user", "content": preamble + q}]}, None, KEYS).prefix for q in ("Why?", "How?"))

    assert first == second is not None
    assert fingerprint({"messages": [{"role": "user", "content": "Why is the sky blue?"}]}, None, KEYS).prefix is None


def test_no_text_is_in_the_result():
    """Prompt text never enters a topic, nor a log."""
    shown = repr(fingerprint(*CHAT, KEYS))

    assert not [word for word in ("Anna", "seed", "beans", "Friday", "look_up") if word in shown]


def test_every_content_field_is_a_field_of_the_request_event_with_the_same_meaning() -> None:
    """The gateway's fields are merged into an event: a name or type of its own would be lost, or counted as invalid."""
    event = {field.name: field.type for field in msgspec.structs.fields(RequestEvent)}
    content = {field.name: field.type for field in msgspec.structs.fields(ContentFields)}

    # Token counts are required of an event, and may be missing from a reply.
    assert {name: event[name] | None if name in REQUIRED else event[name] for name in content} == content


REQUIRED = ("input_tokens", "output_tokens")
