"""An exchange as others tell it: made into an event's fields, whatever the caller sent."""

import json

import pytest

from guard.errors import DecodeError
from guard.events.clean import Cleaner
from guard.events.fingerprint import HashKey, KeyRing, fingerprint
from guard.events.identifiers import Identifiers
from guard.events.told import read_told, told

KEY = HashKey("k1", b"c" * 32)
NAMES, KEYS = Identifiers(KEY), KeyRing(KEY)
KNOWN = {"event_id": "e-1", "event_time": 1_790_000_000_000, "account_id": "acct-7"}
QUESTION = "please compare these seven proofs of the theorem " * 8
REQUEST = {"model": "m-1", "messages": [{"role": "user", "content": QUESTION}]}
REPLY = {"id": "r-1", "choices": [{"message": {"role": "assistant", "content": "four words of it."}, "finish_reason": "stop"}]}
USAGE = {"usage": {"prompt_tokens": 12, "completion_tokens": 5}}


def event_of(request: object, reply: object, **known: object) -> dict[str, object]:
    return json.loads(Cleaner(NAMES).clean(told(KNOWN | known, request, reply, NAMES, KEYS).encoded()).body)


def test_an_exchange_has_the_fields_of_its_fingerprint_and_what_is_known_wins():
    """The gateway knows better than the caller what was asked for."""
    event = event_of(REQUEST, REPLY | USAGE, model="m-routed", input_tokens=30)
    content = fingerprint(REQUEST, REPLY | USAGE, KEYS).known()

    assert event == KNOWN | content | {"model": "m-routed", "input_tokens": 30, "status": 200}
    assert "conversation_after" in event


def test_a_stream_without_usage_is_estimated_from_its_texts():
    """Else a fleet asks for streams without usage and is never judged."""
    found = told(KNOWN, REQUEST, REPLY, NAMES, KEYS)

    assert found.has_estimate
    assert (found.fields["input_tokens"], found.fields["output_tokens"]) == (98, 5)


def test_a_refused_request_used_no_tokens():
    """Nothing reached the model."""
    event = event_of(REQUEST, None, status=429, decision_id="d-1")

    assert (event["input_tokens"], event["output_tokens"], event["decision_id"]) == (0, 0, "d-1")


@pytest.mark.parametrize("model", [None, 5, "", ["m"], {"a": 1}])
def test_no_caller_hides_by_asking_for_a_model_that_is_none(model):
    """The server may forgive it; the exchange is judged all the same."""
    assert event_of(REQUEST | {"model": model}, REPLY | USAGE)["model"] == "unknown"


@pytest.mark.parametrize(
    "ugly",
    ['{"a":' * 3_000 + "1" + "}" * 3_000, '"\\ud800"', "1e999", "NaN", "123456789012345678901234567890", '"\\u0000"'],
    ids=["deep", "surrogate", "huge", "nan", "long", "nul"],
)
@pytest.mark.parametrize("place", ["content", "temperature", "tools", "max_tokens", "stop"])
def test_no_ugly_value_in_a_request_hides_the_exchange(ugly, place):
    """Whatever JSON a server takes, its exchange makes an event."""
    request = f'"content": {ugly}' if place == "content" else f'"content": "hi"}}], "{place}": [{{"a": {ugly}'
    body = f'{{"request": {{"model": "m-1", "messages": [{{"role": "user", {request}}}]}}, "reply": {json.dumps(REPLY | USAGE)}}}'
    value = body.encode("utf-8", "surrogatepass")
    found = read_told(value)

    event = event_of(found["request"], found["reply"], model="m-1", input_tokens=1, output_tokens=1)
    assert event["account_id"] == "acct-7"


@pytest.mark.parametrize("value", [b"", b"[]", b"5", b'"a"', b"{", b"\xff", b"[" * 100_000, b"null"])
def test_what_is_no_object_is_refused_in_one_clear_line(value):
    """And nothing of it is repeated."""
    with pytest.raises(DecodeError, match="it should be one JSON object"):
        read_told(value)


def test_an_account_that_names_a_person_is_hashed_as_the_enforcer_hashes_it():
    """Else a decision about it would be obeyed by nobody."""
    assert event_of(REQUEST, REPLY, account_id="jane@example.org")["account_id"] == NAMES.account("jane@example.org")
    assert event_of(REQUEST, REPLY, account_id="x" * 4_000)["account_id"] == NAMES.account("x" * 4_000)
