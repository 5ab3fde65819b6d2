"""The quick way and the way field by field must mean the same, for every event that can be thought of."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from guard.errors import DecodeError
from guard.events.decode import REQUIRED, RULES, Decoder
from guard.events.request import RequestEvent

GOOD = {"event_id": "e1", "event_time": 1_790_000_000_000, "account_id": "alice", "model": "m-1", "input_tokens": 10, "output_tokens": 5}
LETTERS = st.sampled_from('aZ09 é日\x7f\x00\n\u202e\ud800"\\/{[')
TEXTS = st.one_of(
    st.text(LETTERS, max_size=12),
    st.text(LETTERS, min_size=120, max_size=135),
    st.sampled_from(["DE", "0123456789abcdef", "k1:9f3c", "a\x7f"]),
)
NUMBERS = st.one_of(
    st.integers(-2, 300), st.integers(), st.floats(), st.floats(0, 1), st.sampled_from([10**12, 10**12 + 1, 2**63, 2**64, 10**400, 1.79e12])
)
VALUES = st.one_of(
    TEXTS, NUMBERS, st.booleans(), st.none(), st.lists(st.integers(), max_size=2), st.dictionaries(TEXTS, NUMBERS, max_size=1)
)
OPTIONAL = sorted(set(RULES) - set(REQUIRED))
FIELDS = st.dictionaries(st.sampled_from(OPTIONAL), VALUES, max_size=8)
SPOILT = st.dictionaries(st.sampled_from(REQUIRED), VALUES, max_size=1)


def outcome(decoder: Decoder, way: Any, value: bytes) -> tuple[Any, dict[str, int]]:
    try:
        event = way(value)
    except DecodeError as error:
        return (error.reason, error.detail), {}
    return {name: getattr(event, name) for name in RequestEvent.__struct_fields__}, decoder.drain_invalid_fields()


@given(FIELDS, SPOILT, st.booleans())
def test_both_ways_agree_on_every_event(optional, spoilt, escape):
    """Else an event's meaning would depend on whether a stranger's user agent has an umlaut in it."""
    text = json.dumps({**GOOD, **optional, **spoilt}, ensure_ascii=escape)
    value = text.encode("utf-8", "surrogatepass")
    decoder = Decoder()

    assert outcome(decoder, decoder.decode, value) == outcome(decoder, decoder._decode_by_field, value)


@given(st.binary(max_size=300))
def test_any_bytes_are_an_event_or_a_dead_letter(value):
    """Never a crash: the next record is processed as if this one had never been."""
    decoder = Decoder()
    found, _ = outcome(decoder, decoder.decode, value)

    assert isinstance(found, tuple | dict)


@given(FIELDS, SPOILT)
def test_what_is_read_keeps_every_rule(optional, spoilt):
    """The engine behind relies on it: sums stay in 64 bits, texts are short and printable, shares are shares."""
    decoder = Decoder()
    found, _ = outcome(decoder, decoder.decode, json.dumps({**GOOD, **optional, **spoilt}).encode())

    values = found.items() if isinstance(found, dict) else ()
    assert all(text.isprintable() and 0 < len(text) <= 128 for _, text in values if isinstance(text, str))
    assert all(-(10**9) <= number < 2**48 for _, number in values if isinstance(number, int | float))
