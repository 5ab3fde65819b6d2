"""Who called, from where, who pays: identifiers as a gateway knows them, made into what may stand in an event.

An identifier that is a keyed hash already, or opaque, stays as it is; anything else is hashed under the current key.
"""

import re
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final

from guard.events.hashing import HashKey, KeyedHasher
from guard.events.personal import SECRET, is_opaque

HASHED: Final = re.compile(r"([A-Za-z0-9_.-]{1,16}):[0-9a-f]{16,96}", re.ASCII)
"""A keyed hash as the contract writes it: the key's name, then hex digits. Sixteen of them that are all decimal would be a card number."""
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

    def accounts(self, raw: str) -> list[str]:
        """The account id under each key in use, the current one first: a decision may still name the previous one."""
        return [raw] if _may_stay(raw) else list(self._hasher.all_of("account", raw))

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


def is_hashed(text: str) -> bool:
    """Whether a text is a keyed hash."""
    return HASHED.fullmatch(text) is not None and _ALL_DECIMAL.fullmatch(text.partition(":")[2]) is None


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
