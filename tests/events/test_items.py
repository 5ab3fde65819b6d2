"""A body of several items: what is wrong in one spoils only that one."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guard.errors import DecodeError
from guard.events.decode import decode
from guard.events.items import ITEMS_MAX, items_of
from guard.events.told import read_told

FLAT = st.dictionaries(st.text(max_size=5), st.text(max_size=9) | st.integers(-(2**40), 2**40) | st.booleans() | st.none(), max_size=4)
OBJECTS = st.lists(
    st.dictionaries(st.text(max_size=5), FLAT | st.lists(st.text(max_size=6), max_size=3), max_size=3), min_size=1, max_size=6
)


@given(objects=OBJECTS)
def test_an_array_and_lines_are_divided_into_what_they_were_made_of(objects):
    """Both forms are what senders have, and both mean the same."""
    lines = "\n".join(json.dumps(found) for found in objects).encode()

    assert [json.loads(item) for item in items_of(json.dumps(objects).encode())] == objects
    assert [json.loads(item) for item in items_of(lines)] == objects
    assert [json.loads(item) for item in items_of(lines.replace(b"\n", b"\r\n"))] == objects


@given(objects=OBJECTS, place=st.integers(0, 5))
def test_an_array_with_one_item_that_is_no_json_keeps_its_others(objects, place):
    """A lone byte in one prompt must not lose the exchanges of everybody in the batch."""
    pieces = [json.dumps(found, ensure_ascii=False).encode("utf-8", "surrogatepass") for found in objects]
    pieces.insert(place % (len(pieces) + 1), b'{"a": NaN, "b": "\xff"}')
    items = items_of(b"[" + b" , ".join(pieces) + b"]")

    assert [item for item in items if b"NaN" not in item] == [piece for piece in pieces if b"NaN" not in piece]


def test_one_object_over_several_lines_is_one_item():
    """People try it with a pretty-printed one first."""
    assert len(items_of(json.dumps({"a": {"b": 1}}, indent=2).encode())) == 1


@pytest.mark.parametrize("body", [b"", b" \n ", b"[]", b"[ ]"])
def test_an_empty_body_is_refused(body):
    """A sender that sends nothing has something wrong with it."""
    with pytest.raises(DecodeError, match="nothing in it"):
        items_of(body)


def test_too_many_items_are_refused():
    """A limit on everything."""
    with pytest.raises(DecodeError, match="at most"):
        items_of(b"[" + b"1," * ITEMS_MAX + b"1]")


@pytest.mark.parametrize("mark", [b'\\"', b'"', b"[", b"{", b",", b"]"])
@pytest.mark.parametrize("before", [b"[", b'["', b"[" * 2_000 + b'"', b'{"a":"', b'{"a":[['])
def test_a_flood_of_one_mark_is_read_in_one_pass(before, mark):
    """A quadratic reader would stand still for hours over one body; this test would run into its time limit."""
    body = before + mark * 500_000
    try:
        items = items_of(body)
    except DecodeError:
        items = [body]
    for item in items[:3]:
        with pytest.raises(DecodeError):
            decode(item[:16_384])
        with pytest.raises(DecodeError):
            read_told(item)
