"""Identifiers as a gateway knows them, made into what may stand in an event."""

import pytest

from guard.events.hashing import HashKey, KeyedHasher
from guard.events.identifiers import Identifiers, is_hashed, key_of

CURRENT, PREVIOUS = HashKey("k2", b"c" * 32), HashKey("k1", b"p" * 32)
HASHED = "k1:" + "0a" * 16


def test_what_is_opaque_or_hashed_stays_and_a_person_is_hashed():
    """The same account has to be found again in every other system that knows its opaque id."""
    names = Identifiers(CURRENT)

    assert names.account("acct-7") == "acct-7"
    assert names.account(HASHED) == HASHED
    assert names.account("jane@example.org") == KeyedHasher(CURRENT).hash("account", "jane@example.org")
    assert is_hashed(names.account("Jane Doe"))
    assert is_hashed(names.account("x" * 5_000))


@pytest.mark.parametrize("text", ["203.0.113.7", " 203.0.113.7 ", "203.0.113.7:4711", "::ffff:203.0.113.7", "[::ffff:203.0.113.7]:4711"])
def test_an_address_is_the_same_however_it_is_written(text):
    """Two gateways write it in two ways, and the client is one."""
    address, prefix = Identifiers(CURRENT).address(text)

    assert (address, prefix) == Identifiers(CURRENT).address("203.0.113.7")
    assert prefix == Identifiers(CURRENT).address("203.0.113.200")[1]
    assert "203" not in address.partition(":")[0]


def test_an_ipv6_client_is_known_by_its_48_bits():
    """A household has a prefix, and its machines take any address in it."""
    names = Identifiers(CURRENT)

    assert names.address("2001:db8:1:2::3")[1] == names.address("2001:db8:1:ffff::9%eth0")[1]
    assert names.address("2001:db8:1::1")[1] != names.address("2001:db8:2::1")[1]


def test_what_is_no_address_gives_no_prefix():
    """A prefix of garbage would make neighbours of strangers."""
    assert Identifiers(CURRENT).address("somewhere")[1] is None
    assert Identifiers(CURRENT).address(HASHED) == (HASHED, None)


def test_while_keys_are_changed_a_caller_has_a_name_under_each():
    """A block of yesterday names him under yesterday's key."""
    names = Identifiers(CURRENT, PREVIOUS)
    both = names.under_each_key("jane@example.org", "card-on-file", "acme")

    assert [key_of(account) for account, _, _ in both] == ["k2", "k1"]
    assert [key_of(payment or "") for _, payment, _ in both] == ["k2", "k1"]
    assert {organisation for _, _, organisation in both} == {"acme"}
    assert names.under_each_key("acct-7", None, None) == [("acct-7", None, None)]


def test_a_secret_key_of_a_provider_is_never_an_identifier():
    """Whoever reads the topic must not be able to call with it."""
    assert is_hashed(Identifiers(CURRENT).opaque("api_key_id", "sk-" + "a1" * 20))
    assert Identifiers(CURRENT).opaque("api_key_id", "key-7") == "key-7"
