"""What counts as personal, and what must not."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guard.events.identifiers import is_hashed
from guard.events.personal import is_opaque, is_personal
from guard.units import STRING_CHARS_MAX
from tests.support.canaries import canary

AROUND = st.text(alphabet="abcxyz-_/=#", max_size=12)


@given(seed=st.integers(0, 2**32), kind=st.sampled_from(["card", "spaced_card", "mail", "ipv4", "ipv6"]), before=AROUND, after=AROUND)
def test_a_person_is_found_whatever_stands_around(seed, kind, before, after):
    """A plan called `gold/jane@example.org` names Jane."""
    found = canary(kind, Random(seed))
    if kind == "ipv6":  # letters that could belong to it would make another address of it
        before, after = before.translate(dict.fromkeys(map(ord, "abc"))), after.translate(dict.fromkeys(map(ord, "abc")))

    assert is_personal(f"{before}{found}{after}")
    assert not is_opaque(found)


@pytest.mark.parametrize(
    "text",
    [
        "7-4111111111111111",
        "order 12 4111 1111 1111 1111 of 3",
        "\uff14\uff11\uff11\uff11\uff11\uff11\uff11\uff11\uff11\uff11\uff11\uff11\uff11\uff11\uff11\uff11",
        "203.0.113.7:51000",
        "[2001:db8::1]:443",
        "jane\uff20example.org",
        "::ffff:203.0.113.7",
    ],
)
def test_a_person_is_found_beside_other_numbers_and_in_other_digits(text):
    """Whoever writes an order's number before a card's has written a card's."""
    assert is_personal(text)


@pytest.mark.parametrize(
    "text",
    [
        "a-1",
        "acct_01HZX3",
        "550e8400-e29b-41d4-a716-446655440000",
        "1790000000000-chatcmpl-9",
        "gpt-4.1-mini-2025-04-14",
        "3.57.0",
        "12:30",
        "@me",
    ],
)
def test_what_names_nobody_stays_as_it_is(text):
    """Hashed without need, an id is found in no other system."""
    assert is_opaque(text)


def test_a_text_that_may_have_been_cut_is_not_trusted():
    """The decoder cuts at 128 characters: half an address is not recognised, and is one."""
    assert not is_opaque("x" * (STRING_CHARS_MAX - 9) + "jane@exam")
    assert is_opaque("x" * (STRING_CHARS_MAX - 1))


@pytest.mark.parametrize(
    "text", ["k1:4111111111111111", "4111111111111111:" + "ab" * 8, "10.0.0.1:" + "ab" * 8, "k1:abc", "k1:" + "g" * 32]
)
def test_what_only_looks_like_a_keyed_hash_is_none(text):
    """A hash passes as it is, so nobody may dress a card as one."""
    assert not is_hashed(text)
    assert is_hashed("k1:" + "0a" * 16)


def test_a_long_text_costs_no_more_than_its_length():
    """An account name of a million colons must not hold up everybody else's."""
    assert not is_opaque("1.1.1.1" + ":1" * 500_000)
