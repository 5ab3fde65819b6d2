"""Streamed replies, put together: the same fingerprint as the SDKs' own putting together gives."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guard.events.fingerprint import HashKey, KeyRing, StreamedReply, fingerprint
from guard.events.fingerprint.streamed import REPLY_BYTES_MAX

KEYS = KeyRing(HashKey("k1", b"c" * 32))
ASKED = {"model": "m-1", "messages": [{"role": "user", "content": "please compare these seven proofs of the theorem " * 8}]}
ASKED_RESPONSES = {"model": "m-1", "input": "please compare these seven proofs of the theorem " * 8}


def sse(events: list[dict[str, Any]]) -> bytes:
    lines = (f"event: {event['type']}\n" if "type" in event else "" for event in events)
    return (
        b"".join(f"{line}data: {json.dumps(event)}\n\n".encode() for line, event in zip(lines, events, strict=True)) + b"data: [DONE]\n\n"
    )


def put_together(stream: bytes, pieces: int = 1) -> dict[str, Any] | None:
    found = StreamedReply()
    size = max(1, len(stream) // pieces)
    for at in range(0, len(stream), size):
        found.feed(stream[at : at + size])
    return found.reply()


def chat_chunks(texts: list[str], calls: list[list[str]]) -> list[dict[str, Any]]:
    around = {"id": "chatcmpl-7", "object": "chat.completion.chunk", "created": 1, "model": "m-1"}
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}, *({"content": text} for text in texts)]
    for index, pieces in enumerate(calls):
        deltas.append(
            {"tool_calls": [{"index": index, "id": f"c{index}", "type": "function", "function": {"name": f"f{index}", "arguments": ""}}]}
        )
        deltas += ({"tool_calls": [{"index": index, "function": {"arguments": piece}}]} for piece in pieces)
    chunks = [{**around, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas]
    chunks.append({**around, "choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls" if calls else "stop"}]})
    return [*chunks, {**around, "choices": [], "usage": {"prompt_tokens": 12, "completion_tokens": 5, "total_tokens": 17}}]


CALLS = st.lists(st.just(['{"a": ', "1, ", '"b": "x"}']), max_size=2)


@settings(deadline=None)  # the first case imports the client
@given(texts=st.lists(st.text(min_size=1, max_size=20), min_size=1, max_size=6), calls=CALLS, pieces=st.integers(1, 50))
def test_a_chat_completion_is_what_the_openai_client_makes_of_it(texts, calls, pieces):
    """The next turn repeats what the client put together: continuity hangs on it."""
    completions = pytest.importorskip("openai.lib.streaming.chat._completions")
    chunk_type = pytest.importorskip("openai.types.chat").ChatCompletionChunk
    chunks = chat_chunks(texts, calls)
    state = completions.ChatCompletionStreamState()
    for chunk in chunks:
        state.handle_chunk(chunk_type.model_validate(chunk))
    theirs = state.get_final_completion().model_dump()

    assert fingerprint(ASKED, put_together(sse(chunks), pieces), KEYS) == fingerprint(ASKED, theirs, KEYS)
    assert fingerprint(ASKED, theirs, KEYS).conversation_after


def message_events(texts: list[str], *, has_tool: bool) -> list[dict[str, Any]]:
    message = {
        "id": "msg_7", "type": "message", "role": "assistant", "model": "m-1", "content": [], "stop_reason": None, "stop_sequence": None,
        "usage": {"input_tokens": 9, "cache_read_input_tokens": 3, "cache_creation_input_tokens": 0, "output_tokens": 1},
    }  # fmt: skip
    events: list[dict[str, Any]] = [{"type": "message_start", "message": message}, {"type": "ping"}]
    blocks: list[tuple[dict[str, Any], list[dict[str, Any]]]] = [
        (
            {"type": "thinking", "thinking": "", "signature": ""},
            [{"type": "thinking_delta", "thinking": "hm"}, {"type": "signature_delta", "signature": "s"}],
        ),
        ({"type": "text", "text": ""}, [{"type": "text_delta", "text": text} for text in texts]),
    ]
    if has_tool:
        pieces = ["", '{"city": ', '"Ulm", "n": 2}']
        blocks.append(
            (
                {"type": "tool_use", "id": "t", "name": "look", "input": {}},
                [{"type": "input_json_delta", "partial_json": p} for p in pieces],
            )
        )
    for index, (block, deltas) in enumerate(blocks):
        events.append({"type": "content_block_start", "index": index, "content_block": block})
        events += ({"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas)
        events.append({"type": "content_block_stop", "index": index})
    events.append({"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": None}, "usage": {"output_tokens": 40}})
    return [*events, {"type": "message_stop"}]


@settings(deadline=None)  # the first case imports the client
@given(texts=st.lists(st.text(min_size=1, max_size=20), min_size=1, max_size=6), has_tool=st.booleans(), pieces=st.integers(1, 50))
def test_a_message_is_what_the_anthropic_client_makes_of_it(texts, has_tool, pieces):
    """As with the other client; usage comes in two parts here."""
    messages = pytest.importorskip("anthropic.lib.streaming._messages")
    adapter = pytest.importorskip("pydantic").TypeAdapter(pytest.importorskip("anthropic.types").RawMessageStreamEvent)
    events = message_events(texts, has_tool=has_tool)
    snapshot, buffers = None, {}
    for event in events:
        if event["type"] != "ping":
            snapshot = messages.accumulate_event(event=adapter.validate_python(event), current_snapshot=snapshot, json_bufs=buffers)
    assert snapshot is not None
    theirs = snapshot.model_dump()

    assert fingerprint(ASKED, put_together(sse(events), pieces), KEYS) == fingerprint(ASKED, theirs, KEYS)
    assert (fingerprint(ASKED, theirs, KEYS).input_tokens, fingerprint(ASKED, theirs, KEYS).output_tokens) == (12, 40)


def test_a_response_is_the_one_that_its_last_event_holds():
    """The responses format repeats the whole of it at the end."""
    output = [{"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "four words of it"}]}]
    whole = {
        "id": "resp_1",
        "object": "response",
        "status": "completed",
        "model": "m-1",
        "output": output,
        "usage": {"input_tokens": 9, "output_tokens": 4},
    }
    events = [
        {"type": "response.created", "response": {"id": "resp_1", "status": "in_progress", "output": []}},
        {"type": "response.output_text.delta", "delta": "four "},
        {"type": "response.completed", "response": whole},
    ]

    assert fingerprint(ASKED_RESPONSES, put_together(sse(events)), KEYS) == fingerprint(ASKED_RESPONSES, whole, KEYS)


def test_a_stream_that_breaks_off_gives_what_had_come():
    """A fleet that hangs up before the end has its text, and shall have its event."""
    whole = sse(chat_chunks(["one ", "two ", "three"], []))
    found = put_together(whole[: whole.index(b"three") + 3])

    assert found is not None
    assert found["choices"][0]["message"]["content"] == "one two "


@given(lines=st.lists(st.binary(max_size=40) | st.sampled_from([b"[1]", b'{"choices": 5}', b'{"choices": [5, {"index": 0, "delta": 7}]}', b'{"type": {}}',
    b'{"type": "content_block_delta", "index": "x", "delta": []}', b'{"type": "message_delta", "usage": 3}', b'{"response": 1}', b"[" * 3_000]), max_size=12))  # fmt: skip
def test_garbage_is_passed_over(lines):
    """A model server in the middle of an upgrade says strange things."""
    stream = b"\n\n".join(b"data: " + line for line in lines)

    assert fingerprint(ASKED, put_together(stream), KEYS).messages == 1


def test_an_endless_stream_is_bounded():
    """Nobody can fill the gateway's memory with one answer, nor stop it with one line."""
    found = StreamedReply()
    for _ in range(2 * REPLY_BYTES_MAX // 65_536):
        found.feed(b"x" * 65_536)

    assert len(found._rest) <= REPLY_BYTES_MAX
    assert found.reply() is None
