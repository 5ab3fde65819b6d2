"""Who called, from where, who pays: identifiers as a gateway knows them, made into what may stand in an event.

An identifier that is a keyed hash already, or opaque, stays as it is; anything else is hashed under the current key.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final, TypeVar

from guard.events.hashing import HashKey, KeyedHasher
from guard.events.personal import SECRET, is_opaque

HASHED: Final = re.compile(r"([A-Za-z0-9_.-]{1,16}):[0-9a-f]{16,96}", re.ASCII)
"""A keyed hash as the contract writes it: the key's name, then hex digits. Sixteen of them that are all decimal would be a card number."""
Name = TypeVar("Name", str, str | None)
KEY_NAMES_KEPT: Final = 64
_ALL_DECIMAL: Final = re.compile(r"\d{1,23}")
PREFIX_BITS: Final = {4: 24, 6: 48}
"""The network an address belongs to (contract)."""


class Identifiers:
    """Hashes identifiers under the current key. Pure, read-only; make it once."""

    def __init__(self, current: HashKey, previous: HashKey | None = None) -> None:
        self._hasher = KeyedHasher(current, previous)
        self.key_id: Final = current.key_id

    def account(self, raw: str) -> str:
        """The account id to write and to ask an enforcer about: as it is if it is opaque, hashed if it gives somebody away."""
        return raw if _may_stay(raw) else self._hasher.hash("account", raw)

    def under_each_key(self, account: str, payment: str | None, organisation: str | None) -> list[tuple[str, str | None, str | None]]:
        """Account, payment instrument and organisation as events name them, under each key in use, the current one first."""
        accounts = self._all_of("account", account)
        payments = [payment] if payment is None or is_hashed(payment) else self._hasher.all_of("payment_fingerprint", payment)
        organisations = [organisation] if organisation is None else self._all_of("org_id", organisation)
        keys = max(map(len, (accounts, payments, organisations)))
        return [(_at(accounts, key), _at(payments, key), _at(organisations, key)) for key in range(keys)]

    def _all_of(self, kind: str, raw: str) -> Sequence[str]:
        return [raw] if _may_stay(raw) else self._hasher.all_of(kind, raw)

    def address(self, raw: str) -> tuple[str, str | None]:
        """A client address and its /24 or /48; the prefix of what is a hash already, or no address, is not known."""
        if is_hashed(raw):
            return raw, None
        address = _address_of(raw)
        if address is None:
            return self._hasher.hash("ip", raw), None
        network = ip_network((address, PREFIX_BITS[address.version]), strict=False)
        return self._hasher.hash("ip", str(address)), self._hasher.hash("ip_prefix", str(network.network_address))

    def hashed(self, kind: str, raw: str) -> str:
        """The keyed hash of an identifier of this kind, unless it is one already."""
        return raw if is_hashed(raw) else self._hasher.hash(kind, raw)

    def opaque(self, kind: str, raw: str) -> str:
        """The identifier itself if it is opaque and no secret, else its keyed hash."""
        return raw if _may_stay(raw) and not SECRET.match(raw) else self._hasher.hash(kind, raw)


def _at(names: Sequence[Name], key: int) -> Name:
    """The name under that key; one that is no hash is the same under each."""
    return names[min(key, len(names) - 1)]


def is_hashed(text: str) -> bool:
    """Whether a text is a keyed hash."""
    name, _, digits = text.partition(":")
    return HASHED.fullmatch(text) is not None and _ALL_DECIMAL.fullmatch(digits) is None and _is_key_name(name)


@lru_cache(KEY_NAMES_KEPT)
def _is_key_name(name: str) -> bool:
    """Whether a key may be called so: not by an address or a card number."""
    return is_opaque(name)


def key_of(text: str) -> str:
    """The name of the key that made this hash; empty if it is none."""
    return text.partition(":")[0] if is_hashed(text) else ""


def _may_stay(raw: str) -> bool:
    return is_hashed(raw) or is_opaque(raw)


def _address_of(raw: str) -> IPv4Address | IPv6Address | None:
    """An address as the client has it: without brackets, port or zone, and IPv4 however it is written."""
    text = raw.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address
