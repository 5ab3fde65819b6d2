"""What a gateway, or a caller through it, may send, and what becomes of it."""

import hashlib
import json
import math
from typing import Any, NamedTuple

import pytest

from guard.errors import DecodeError
from guard.events.decode import COUNT_MAX, REASONS, REQUIRED, RULES, Decoder, dead_letter, decode
from guard.events.request import RECORD_BYTES_MAX, RequestEvent

LEAST = {"event_id": "e1", "event_time": 1_790_000_000_000, "account_id": "alice", "model": "m-1", "input_tokens": 10, "output_tokens": 5}


class Lying(NamedTuple):
    """A record as it lies in the topic."""

    value: bytes | None
    topic: str = "guard.requests"
    partition: int = 3
    offset: int = 42


def record(**fields: Any) -> bytes:
    return json.dumps({**LEAST, **fields}).encode()


def raw(field: str, token: bytes) -> bytes:
    """The least record with one field written as it stands, JSON or not."""
    rest = json.dumps({name: value for name, value in LEAST.items() if name != field}).encode()
    return rest[:-1] + b', "' + field.encode() + b'": ' + token + b"}"


def refusal(value: bytes) -> DecodeError:
    with pytest.raises(DecodeError) as caught:
        decode(value)
    return caught.value


def test_an_event_with_only_the_required_fields_works_and_missing_is_not_zero():
    """Every other field is evidence that may be missing."""
    event = decode(record())

    assert (event.account_id, event.status) == ("alice", 200)
    assert event.cached_tokens is None
    assert event.temperature is None


def test_every_field_of_the_event_has_a_rule():
    """A field without one would be read as anything at all."""
    assert set(RULES) == set(RequestEvent.__struct_fields__)


def test_fields_we_do_not_know_are_ignored():
    """The contract grows by adding; an older reader must not stumble."""
    assert decode(record(new_field={"deep": [1, "ü"]})).account_id == "alice"


@pytest.mark.parametrize("field", REQUIRED)
@pytest.mark.parametrize("null", [True, False])
def test_a_required_field_that_lacks_is_a_dead_letter(field, null):
    """Without an account or a time there is nothing to judge."""
    fields = {**LEAST, field: None} if null else {name: value for name, value in LEAST.items() if name != field}
    error = refusal(json.dumps(fields).encode())

    assert error.reason == "missing_field"
    assert field in error.detail


@pytest.mark.parametrize(
    ("field", "token"),
    [
        ("event_id", b'""'), ("event_id", b"7"), ("event_id", b'"a\\u0000b"'), ("account_id", b'"a\\nb"'), ("account_id", b'"\\ud800"'),
        ("account_id", b'"\xff"'), ("account_id", b"{}"), ("event_time", b"0"), ("event_time", b"-5"), ("event_time", b"1.5"),
        ("event_time", b"99999999999999999"), ("event_time", b'"2026-01-01"'), ("input_tokens", b"-1"), ("input_tokens", b"1e999"),
        ("input_tokens", b"NaN"), ("input_tokens", b"true"), ("input_tokens", b'"12"'), ("output_tokens", b"Infinity"),
        ("output_tokens", b"9" * 5_000), ("output_tokens", b"12.5"), ("model", b"7"), ("model", b"[]"),
    ],
)  # fmt: skip
def test_a_required_field_that_is_illegal_is_a_dead_letter(field, token):
    """A wrong type is the gateway's fault and must be seen."""
    error = refusal(raw(field, token))

    assert error.reason == "illegal_field"
    assert error.detail.startswith(field)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"", "not_json"), (b"hello", "not_json"), (b"\xef\xbb\xbf" + record(), "not_json"), (record()[:-1], "not_json"),
        (record() + b"x", "not_json"), (b"\xff\xfe\x00", "not_json"), (b"[" * 9_000, "not_json"), (b'{"a":' * 2_000, "not_json"),
        (b"[]", "not_an_object"), (b'"text"', "not_an_object"), (b"null", "not_an_object"), (b"7", "not_an_object"),
        (b"[" * 5_000 + b"]" * 5_000, "not_an_object"), (b"{}", "missing_field"),
    ],
)  # fmt: skip
def test_what_is_no_json_object_is_a_dead_letter(value, reason):
    """Bytes of another program end up on the topic sooner or later."""
    assert refusal(value).reason == reason
    assert reason in REASONS


def test_16_kib_pass_and_one_byte_more_is_a_dead_letter():
    """A limit that nobody tests is another limit."""
    padded = record(padding="")
    full = padded[:-2] + b"x" * (RECORD_BYTES_MAX - len(padded)) + padded[-2:]

    assert decode(full).account_id == "alice"
    assert refusal(full + b" ").reason == "too_large"


@pytest.mark.parametrize(
    ("field", "token"),
    [
        ("temperature", b"NaN"), ("temperature", b"-Infinity"), ("temperature", b"1e999"), ("temperature", b'"hot"'),
        ("temperature", b"true"), ("max_tokens", b"9" * 5_000), ("max_tokens", b"-1"), ("max_tokens", b"true"), ("max_tokens", b"10.0"),
        ("n", b"[" * 3_000 + b"]" * 3_000), ("n", b'{"a":' * 1_500 + b"1" + b"}" * 1_500), ("status", b"99"), ("status", b"600"),
        ("reasoning_elicitation", b"1.01"), ("rubric_grading", b"-0.1"), ("simhash", b'"xyz"'), ("simhash", b'"0123456789abcdeg"'),
        ("simhash", b'"0x23456789abcdef"'), ("topic", b"256"), ("country", b'"DEU"'), ("country", b'"D1"'), ("logprobs", b"1"),
        ("user_agent", b'""'), ("user_agent", b'"\\ud800"'), ("user_agent", b'"a\xffb"'), ("user_agent", b'"a\x01b"'),
        ("user_agent", b'"\\u202e"'), ("asn", b"4294967296"), ("cached_tokens", b"11"), ("reasoning_tokens", b"6"),
        ("account_created", b"0"), ("prefix", b"12"),
    ],
)  # fmt: skip
def test_an_optional_field_that_breaks_its_rule_counts_as_missing_and_is_counted(field, token):
    """No value that a caller chooses may keep an exchange from being judged."""
    decoder = Decoder()
    event = decoder.decode(raw(field, token))

    assert getattr(event, field) == (200 if field == "status" else None)
    assert decoder.drain_invalid_fields() == {field: 1}
    assert decoder.drain_invalid_fields() == {}


def test_null_is_missing_and_no_fault():
    """Many encoders write null for what they do not know."""
    decoder = Decoder()

    assert decoder.decode(record(status=None, plan=None, temperature=None)).status == 200
    assert not decoder.invalid_fields


@pytest.mark.parametrize("field", [name for name in RULES if RULES[name] is RULES["plan"]])
def test_text_is_cut_at_128_characters(field):
    """A long name must not keep an exchange from being judged."""
    assert getattr(decode(record(**{field: "é" * 300})), field) == "é" * 128


@pytest.mark.parametrize(
    ("sent", "kept"),
    [("", "unknown"), ("a\nb", "a\ufffdb"), ("\ud800", "\ufffd"), ("gpt\u202eevil", "gpt\ufffdevil"), ("模型-1", "模型-1")],
)
def test_the_callers_model_name_never_costs_the_event(sent, kept):
    """A caller who names a strange model would otherwise be invisible."""
    assert decode(record(model=sent)).model == kept


def test_of_a_key_given_twice_the_last_counts():
    """Both ways of reading must agree, or a caller chooses which one sees him."""
    value = record()[:-1] + b', "plan": "", "plan": "pro", "input_tokens": "x", "input_tokens": 3}'
    event = decode(value)

    assert (event.plan, event.input_tokens) == ("pro", 3)


def test_what_stays_within_the_limits_passes_unchanged():
    """Validation that changes good values would be worse than none."""
    event = decode(record(simhash="0123456789ABCDEF", country="de", topic=255, temperature=0, max_tokens=COUNT_MAX, cached_tokens=10))

    assert (event.simhash, event.country, event.topic, event.max_tokens, event.cached_tokens) == (
        "0123456789ABCDEF",
        "de",
        255,
        COUNT_MAX,
        10,
    )
    assert math.copysign(1, event.temperature) == 1


def test_a_dead_letter_tells_where_and_never_what():
    """The bytes may hold what must not be copied."""
    value = raw("input_tokens", b'"secret prompt text"')
    notice = dead_letter(Lying(value), refusal(value))

    assert b"secret" not in notice
    assert json.loads(notice) == {
        "reason": "illegal_field", "detail": f"input_tokens; it should be an integer from 0 to {COUNT_MAX}", "topic": "guard.requests",
        "partition": 3, "offset": 42, "length": len(value), "sha256": hashlib.sha256(value).hexdigest(),
    }  # fmt: skip


def test_a_tombstone_among_the_requests_is_a_dead_letter_of_no_length():
    """A record without a value must not stop the partition."""
    assert json.loads(dead_letter(Lying(None), refusal(b"")))["length"] == 0
