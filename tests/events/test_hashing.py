"""Identifiers leave the gateway as keyed hashes only."""

import pytest

from guard.errors import UsageError
from guard.events.hashing import HashKey, KeyedHasher

OLD, NEW = HashKey("k1", b"o" * 32), HashKey("k2", b"n" * 32)


def test_a_hash_shows_its_key_and_nothing_of_the_value():
    """Rotation needs the key's name, nobody needs the card's number."""
    hashed = KeyedHasher(NEW).hash("ip", "192.0.2.7")

    assert hashed.startswith("k2:")
    assert len(hashed) == 3 + 32
    assert "192" not in hashed


def test_while_a_key_is_changed_both_hashes_can_be_had():
    """Else every link between accounts would break on the day of the change."""
    both = KeyedHasher(NEW, previous=OLD).all_of("ip", "192.0.2.7")

    assert both == [KeyedHasher(NEW).hash("ip", "192.0.2.7"), KeyedHasher(OLD).hash("ip", "192.0.2.7")]


def test_the_same_value_of_another_kind_never_matches():
    """An address that equals a card would link strangers."""
    hasher = KeyedHasher(NEW)

    assert hasher.hash("ip", "x") != hasher.hash("account", "x")


def test_text_and_its_bytes_are_the_same_value():
    """Two gateways in two languages must give the same hash."""
    hasher = KeyedHasher(NEW)

    assert hasher.hash("name", "é") == hasher.hash("name", "é".encode())


@pytest.mark.parametrize(("key_id", "secret"), [("k1", b"short"), ("", b"x" * 32), ("k:1", b"x" * 32), ("a" * 17, b"x" * 32)])
def test_a_weak_or_nameless_key_is_refused(key_id, secret):
    """PCI DSS 3.5.1.1 asks for a keyed hash, not for decoration."""
    with pytest.raises(UsageError):
        HashKey(key_id, secret)


def test_two_keys_of_one_name_are_refused():
    """A hash must tell which key made it."""
    with pytest.raises(UsageError):
        KeyedHasher(NEW, previous=HashKey("k2", b"z" * 32))


def test_the_secret_is_not_shown_in_a_traceback_or_log():
    """Secrets leak through representations."""
    assert "nnnn" not in repr(NEW)
