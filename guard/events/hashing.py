"""Keyed hashes of identifiers: whoever holds no key can neither read nor recompute them, and the key can be changed.

A hash looks like `k1:9f3c…`: the key's name, then 128 bits of HMAC-SHA-256. While a key is being changed, `all_of` gives an
identifier's hash under both keys, so that what was seen under the old one is found again. The raw bytes are never kept.
"""

import hashlib
import hmac
import re
from collections.abc import Iterable, Sequence
from typing import Final

from msgspec import Struct

from guard.errors import UsageError

KEY_BYTES_MIN: Final = 16
"""128 bits: a shorter key could be tried out."""
DIGEST_HEX_DIGITS: Final = 32
"""128 bits: among a billion identifiers no two collide (odds of 1e-21)."""
_KEY_ID: Final = re.compile(r"[A-Za-z0-9_.-]{1,16}", re.ASCII)


class HashKey(Struct, frozen=True):
    """A secret and the public name that stands before every hash made with it. Its repr never shows the secret."""

    key_id: str
    secret: bytes

    def __post_init__(self) -> None:
        if not _KEY_ID.fullmatch(self.key_id):
            raise UsageError("the key's name; it should be 1 to 16 letters, digits, dots, dashes or underscores, like k1")
        if len(self.secret) < KEY_BYTES_MIN:
            raise UsageError(f"key {self.key_id}: {len(self.secret)} bytes; it should have at least {KEY_BYTES_MIN} random ones")

    def __repr__(self) -> str:
        return f"HashKey({self.key_id!r})"


class KeyedHasher:
    """Hashes identifiers under the current key, and under the previous one while that is being retired (1.5 us each)."""

    def __init__(self, current: HashKey, previous: HashKey | None = None) -> None:
        if previous is not None and previous.key_id == current.key_id:
            raise UsageError(f"both keys are called {current.key_id}; the previous one should have another name")
        keys = [current] if previous is None else [current, previous]
        self._keys = [(key.key_id, hmac.new(key.secret, digestmod=hashlib.sha256)) for key in keys]

    def hash(self, kind: str, value: str | bytes) -> str:
        """The hash under the current key. `kind` keeps apart what must not match: a prefix is never equal to an address."""
        return self._hash(0, kind, value)

    def all_of(self, kind: str, value: str | bytes) -> Sequence[str]:
        """The hash under each key in use, the current one first."""
        return [self._hash(number, kind, value) for number in range(len(self._keys))]

    def chain(self, kind: str, parts: Iterable[bytes]) -> list[str]:
        """For each part the hash of all bytes so far, under the current key: what was hashed once is not hashed again."""
        key_id, begun = self._keys[0]
        mac = begun.copy()
        mac.update(kind.encode() + b"\0")
        hashes = []
        for part in parts:
            mac.update(part)
            hashes.append(f"{key_id}:{mac.hexdigest()[:DIGEST_HEX_DIGITS]}")
        return hashes

    def _hash(self, number: int, kind: str, value: str | bytes) -> str:
        key_id, begun = self._keys[number]
        mac = begun.copy()
        mac.update(kind.encode() + b"\0")
        mac.update(value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value)
        return f"{key_id}:{mac.hexdigest()[:DIGEST_HEX_DIGITS]}"


def hash_key(text: str, name: str = "GUARD_HASH_KEY") -> HashKey | None:
    """The key written as NAME:HEX, or None for an empty text. Raises UsageError, which repeats nothing of it."""
    if not text:
        return None
    key_id, _, digits = text.partition(":")
    try:
        secret = bytes.fromhex(digits)
    except ValueError:
        raise UsageError(f"{name}: it should be NAME:HEX, the key's name and two hexadecimal digits a byte") from None
    return HashKey(key_id, secret)
