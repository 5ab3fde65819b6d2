"""Whatever a caller sends, the gateway gets fields or none, never an exception."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guard.events.fingerprint import HashKey, KeyRing, fingerprint
from guard.events.fingerprint.exchange import read_exchange

KEYS = KeyRing(HashKey("k1", b"s" * 32))
KEY_NAMES = st.sampled_from(
    [
        "messages",
        "input",
        "prompt",
        "system",
        "instructions",
        "role",
        "content",
        "type",
        "text",
        "tool_calls",
        "function",
        "arguments",
        "name",
        "tools",
        "output",
        "choices",
        "message",
        "usage",
        "input_tokens",
        "prompt_tokens",
        "prompt_tokens_details",
        "stop_reason",
        "finish_reason",
        "refusal",
        "signature",
        "encrypted_content",
        "temperature",
        "n",
        "logprobs",
        "include",
        "max_tokens",
        "previous_response_id",
        "id",
        "cache_read_input_tokens",
        "incomplete_details",
        "status",
        "object",
    ]
)
WORDS = st.sampled_from(
    ["user", "assistant", "system", "tool", "text", "tool_use", "tool_result", "thinking", "function_call", "reasoning", "refusal"]
)
TEXTS = st.text(st.characters(), max_size=40)  # with lone surrogates
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | TEXTS | WORDS
JSON = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEY_NAMES, inner, max_size=6), max_leaves=40)


@settings(max_examples=600, deadline=None)
@given(request=JSON, reply=JSON)
def test_nothing_malformed_raises(request, reply):
    """A request that breaks the fingerprint would never be judged: callers would find that out."""
    fields = fingerprint(request, reply, KEYS)

    assert all(type(value) in {str, int, float, bool} for value in fields.known().values())


@settings(max_examples=300, deadline=None)
@given(blocks=st.lists(st.dictionaries(KEY_NAMES, LEAVES | st.lists(LEAVES, max_size=3) | JSON, max_size=5), max_size=5), prompt=TEXTS)
def test_malformed_blocks_leave_the_rest_readable(blocks, prompt):
    """An odd block among good ones must not hide them."""
    request = {"messages": [{"role": "assistant", "content": blocks}, {"role": "user", "content": prompt}]}

    assert fingerprint(request, None, KEYS).prompt_chars == len(prompt)


@pytest.mark.parametrize(
    "content",
    [
        None,
        5,
        {"type": "text"},
        [None],
        [[["x"]]],
        [{"type": "text"}],
        [{"type": "text", "text": None}],
        [{"type": []}],
        [{"type": "image_url"}],
    ],
)
def test_content_of_no_known_kind_is_missing_not_wrong(content):
    """Missing is not zero: a message of images has no prompt of length 0."""
    fields = fingerprint({"messages": [{"role": "user", "content": content}]}, None, KEYS)

    assert (fields.prompt_chars, fields.shape, fields.messages) == (None, None, 1)


def test_nesting_without_end_is_passed_over():
    """A tool call's arguments may be nested as deep as the parser lets them."""
    deep: object = "x"
    for _ in range(100_000):
        deep = [deep]
    call = {"type": "tool_use", "name": "f", "input": deep}
    text = {"function": {"name": "f", "arguments": "[" * 4_000}}
    request = {"messages": [{"role": "assistant", "content": [call], "tool_calls": [text]}, {"role": "user", "content": deep}]}

    assert fingerprint(request, None, KEYS).messages == 2


def test_lone_surrogates_are_hashed_like_any_text():
    """JSON can carry half of a character; UTF-8 cannot."""
    prompt = "tell me what this broken sign \ud83d means in my text"
    fields = fingerprint(
        {"system": prompt, "messages": [{"role": "user", "content": prompt}]}, {"role": "assistant", "content": prompt * 4}, KEYS
    )

    assert None not in {fields.shape, fields.simhash, fields.prefix, fields.conversation_after}


@pytest.mark.parametrize("value", [-1, 2**60, True, "7", 0.5, None, [1], float("nan")])
def test_a_count_that_is_no_count_is_missing(value):
    """A guess would be evidence made up."""
    fields = fingerprint(
        {"messages": [], "max_tokens": value, "n": value}, {"usage": {"prompt_tokens": value, "completion_tokens": value}}, KEYS
    )

    assert (fields.max_tokens, fields.n, fields.input_tokens, fields.output_tokens) == (None, None, None, None)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1, 10**400, True, "1"])
def test_a_temperature_that_is_none_is_missing(value):
    """The decoder would count it as invalid."""
    assert fingerprint({"messages": [], "temperature": value}, None, KEYS).temperature is None


def test_text_is_in_no_representation_of_what_was_read():
    """A traceback or a debugger's log shows representations."""
    request = {"system": "secret-a", "messages": [{"role": "user", "content": "secret-b"}]}
    exchange = read_exchange(request, {"role": "assistant", "content": "secret-c"})

    assert "secret" not in f"{exchange!r} {exchange.asked!r} {exchange.asked.turns!r} {exchange.chain!r} {KEYS!r}"


@pytest.mark.parametrize("fill", ['"', "`", "'", "`" * 3, "\u201c", "a'", "1.", "A-", "-", "@", "\u4e00", " '", "\0"])
def test_prompts_made_to_confuse_the_masks_are_read(fill):
    """Quotation marks without end, numbers without end: still one pass over two windows."""
    fields = fingerprint({"messages": [{"role": "user", "content": fill * 100_000}]}, None, KEYS)

    assert fields.prompt_chars == len(fill) * 100_000
    assert msgspec.json.encode(fields)
