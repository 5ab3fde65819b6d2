"""What a conversation is after one turn is what the next turn finds before its own."""

import pytest

from guard.events.fingerprint import HashKey, KeyRing, fingerprint

KEYS = KeyRing(HashKey("k1", b"s" * 32))
ASK = {"role": "user", "content": "Where do the swallows go in winter, and how do they find the way back?"}
SAY = (
    "They fly to the south of Africa. They steer by the sun, by the stars and by the field of the earth, and know the last miles by sight."
)
GO_ON = {"role": "user", "content": "And the swifts?"}


def _after(request, reply):
    return fingerprint(request, reply, KEYS).conversation_after


def _before(messages):
    return fingerprint({"messages": messages}, None, KEYS).conversation


REPLY = {"role": "assistant", "content": [{"type": "thinking", "thinking": "hm", "signature": "sig"}, {"type": "text", "text": SAY}]}
SAID = _after({"messages": [ASK]}, REPLY)


@pytest.mark.parametrize(
    "answer",
    [
        SAY,
        "\n" + SAY.replace(" ", "  ") + "\r\n",
        [{"type": "text", "text": SAY[:40]}, {"type": "text", "text": SAY[40:]}],
        REPLY["content"],
        [{"type": "redacted_thinking", "data": "x"}, {"type": "text", "text": SAY, "cache_control": {"type": "ephemeral"}}],
    ],
    ids=["text", "other white space", "in parts", "with thinking", "redacted and cached"],
)
def test_the_next_turn_is_recognised_however_the_client_writes_the_answer_back(answer):
    """Clients and providers rewrite what does not matter; a lost link would look like a conversation from elsewhere."""
    assert SAID is not None
    assert _before([ASK, {"role": "assistant", "content": answer}, GO_ON]) == SAID


def test_another_answer_is_another_conversation():
    """A link that everything has links nothing."""
    assert _before([ASK, {"role": "assistant", "content": SAY + " Mostly."}, GO_ON]) not in {None, SAID}


def test_a_first_turn_continues_nothing():
    """The contract: absent on a first turn."""
    assert _before([ASK, {"role": "user", "content": "Please."}]) is None


def test_a_turn_without_a_reply_cannot_be_continued():
    """A failed call leaves the conversation where it was."""
    assert _after({"messages": [ASK]}, None) is None
    assert _after({"messages": [ASK]}, {"error": {"type": "overloaded"}}) is None


def test_a_greeting_and_its_stock_answer_link_no_strangers():
    """Ten thousand accounts say hello and are answered alike."""
    hello = [{"role": "user", "content": "hi"}]

    assert _after({"messages": hello}, {"role": "assistant", "content": "Hello! How can I help?"}) is None


def test_an_answer_begun_for_the_model_is_part_of_its_answer():
    """With a prefilled answer the client joins both halves before it goes on."""
    begun = {"role": "assistant", "content": SAY[:30]}
    rest = {"role": "assistant", "content": [{"type": "text", "text": SAY[30:]}]}

    assert _after({"messages": [ASK, begun]}, rest) == SAID


def test_a_tool_loop_is_one_chain_in_chat_format():
    """Agents make most of the long conversations: call, result, call, result."""
    call = {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": "1", "function": {"name": "map", "arguments": '{"to": 1, "at": "x"}'}}],
    }
    anew = {"role": "assistant", "content": "", "tool_calls": [{"id": "1", "function": {"name": "map", "arguments": '{"at":"x","to":1}'}}]}
    long = {"role": "user", "content": SAY}
    result = {"role": "tool", "tool_call_id": "1", "content": "far"}
    fields = fingerprint({"messages": [long, anew, result]}, None, KEYS)

    assert fields.conversation == _after({"messages": [long]}, {"choices": [{"message": call}]})
    assert (fields.tool_results, fields.prompt_chars) == (1, len(SAY))


def test_a_tool_loop_is_one_chain_in_the_responses_format():
    """Items come back one by one, reasoning among them or dropped."""
    call = {"type": "function_call", "call_id": "1", "name": "map", "arguments": "{}"}
    output = [{"type": "reasoning", "encrypted_content": "sealed"}, {"role": "assistant", "content": SAY}, call]
    result = {"type": "function_call_output", "call_id": "1", "output": "far"}
    asked = {"input": ASK["content"]}
    kept = fingerprint({"input": [ASK, *output, result]}, None, KEYS)
    dropped = fingerprint({"input": [ASK, *output[1:], result]}, None, KEYS)

    assert kept.conversation == dropped.conversation == _after(asked, {"output": output})
    assert (kept.tool_results, dropped.reasoning_signature) == (1, None)


def test_a_conversation_that_the_provider_keeps_is_chained_by_its_names():
    """Then its text is not sent again."""
    second = {"input": "And the swifts?", "previous_response_id": "resp_1"}
    third = {"input": "And the cranes?", "previous_response_id": "resp_2"}

    assert _after(second, {"id": "resp_2", "output": []}) == fingerprint(third, None, KEYS).conversation is not None


def test_the_system_prompt_is_no_part_of_the_chain():
    """Dates and states in it change from turn to turn."""
    system = {"role": "system", "content": "It is noon."}

    assert _before([system, ASK, {"role": "assistant", "content": SAY}, GO_ON]) == SAID


def test_the_first_replayed_signature_is_reported_and_stays_the_same():
    """It is in every later request of that conversation, so whoever replays any part of it shows it."""
    later = {"role": "assistant", "content": [{"type": "thinking", "thinking": "", "signature": "other"}, {"type": "text", "text": SAY}]}
    one = fingerprint({"messages": [ASK, REPLY, GO_ON]}, None, KEYS).reasoning_signature
    two = fingerprint({"messages": [ASK, REPLY, GO_ON, later, GO_ON]}, None, KEYS).reasoning_signature
    sealed = fingerprint({"input": [{"type": "reasoning", "encrypted_content": "sig"}, GO_ON]}, None, KEYS).reasoning_signature

    assert one == two == sealed is not None
    assert fingerprint({"messages": [ASK]}, REPLY, KEYS).reasoning_signature is None
