"""The keys under which content is hashed: one in use and, while it replaces another, that one too."""

import hashlib
import hmac
from collections.abc import Sequence
from typing import Final

from guard.errors import UsageError
from guard.events.hashing import HashKey, KeyedHasher

_SIMHASH_PURPOSE: Final = b"guard simhash"
"""The SimHash's own key is derived, so that no hash of one kind says anything about another's."""


class ContentKey:
    """One key, made ready: the hasher of identifiers and the derived key of the SimHash. Its repr shows neither."""

    def __init__(self, key: HashKey) -> None:
        self.hasher = KeyedHasher(key)
        self.simhash = hashlib.blake2b(key=hmac.digest(key.secret, _SIMHASH_PURPOSE, "sha256"))


class KeyRing:
    """The current key and, during a change of keys, the previous one; make it once and keep it, it is read-only.

    Raises UsageError when both have one name: a hash must tell which key made it.
    """

    def __init__(self, current: HashKey, previous: HashKey | None = None) -> None:
        if previous is not None and previous.key_id == current.key_id:
            raise UsageError(f"both keys are called {current.key_id}; the previous one should have another name")
        self.current: Final = ContentKey(current)
        self.previous: Final = None if previous is None else ContentKey(previous)

    @property
    def all(self) -> Sequence[ContentKey]:
        """The keys in use, the current one first."""
        return [self.current] if self.previous is None else [self.current, self.previous]
