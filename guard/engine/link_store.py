"""The records of a links shard: shared keys as memories, keys of one account as their first contact only.

Sharing is rare: of 58,898 shapes 134 were shared (streaming prototype). First sight must be remembered for every value, since
the second owner usually comes from another shard; it costs the packed first contact, about 90 bytes, and is bounded.
"""

from typing import Final

import msgspec

from guard.engine.forwards import Contact
from guard.engine.hot_records import HotRecords
from guard.engine.link_record import CHUNK, LinkMemory, name_of, pack_memory, restore_memory
from guard.engine.watchlist import key_hash
from guard.state.link import KINDS, KeyKind, LinkRecord

FIRSTS_MAX: Final = 400_000
"""Keys of one account remembered per shard, about 80 MB; beyond it the oldest first sight is forgotten."""

LINK_PREFIX: Final = b"l:"
CHUNK_PREFIX: Final = b"e:"
FIRST_PREFIX: Final = b"f:"

_encode = msgspec.msgpack.Encoder().encode
_decode_contact = msgspec.msgpack.Decoder(Contact).decode
_decode_names = msgspec.msgpack.Decoder(list[str]).decode


class LinkStore:
    """Memories by kind and value over the recovered `records`, which it owns from now on."""

    def __init__(self, records: dict[bytes, bytes], *, is_journaled: bool = True, firsts_max: int = FIRSTS_MAX) -> None:
        self._firsts = {key: records.pop(key) for key in [key for key in records if key.startswith(FIRST_PREFIX)]}
        self._chunks = {key: records.pop(key) for key in [key for key in records if key.startswith(CHUNK_PREFIX)]}
        self._records = records
        self._memories: HotRecords[LinkMemory] = HotRecords(records, LINK_PREFIX, pack_memory, self._restore, is_journaled=is_journaled)
        self._firsts_max = firsts_max
        self._changes: dict[bytes, bytes | None] = {}
        self._grown: dict[str, LinkMemory] = {}

    def __len__(self) -> int:
        return len(self._memories) + len(self._firsts)

    def take_bands(self, prefix: bytes) -> dict[bytes, bytes]:
        """Hand over the recovered records under `prefix` to the one who keeps them."""
        return {key: self._records.pop(key) for key in [key for key in self._records if key.startswith(prefix)]}

    def shared(self, kind: KeyKind, value: str) -> LinkMemory | None:
        """The memory of a key that is shared (or a payment fingerprint)."""
        return self._memories.get(name_of(kind, value))

    def create(self, kind: KeyKind, value: str) -> LinkMemory:
        """The memory of a key that becomes shared with this contact."""
        memory = LinkMemory(LinkRecord(kind, value))
        self._memories.put(memory.name, memory)
        return memory

    def first(self, kind: KeyKind, value: str) -> Contact | None:
        """The first contact of a key of one account."""
        packed = self._firsts.get(_first_key(kind, value))
        return _decode_contact(packed) if packed is not None else None

    def remember_first(self, contact: Contact, value: str) -> None:
        """Keep a key's first contact; the oldest of all gives way beyond the bound."""
        key = _first_key(KINDS[contact.kind], value)
        self._firsts[key] = self._changes[key] = _encode(contact)
        if len(self._firsts) > self._firsts_max:
            self._forget(next(iter(self._firsts)))

    def forget_first(self, kind: KeyKind, value: str) -> None:
        """The key is shared now; its memory holds what the first contact said."""
        self._forget(_first_key(kind, value))

    def _forget(self, key: bytes) -> None:
        if self._firsts.pop(key, None) is not None:
            self._changes[key] = None

    def touch(self, memory: LinkMemory) -> None:
        """The memory has changed and belongs into the next drain."""
        self._memories.touch(memory.name, memory)
        if memory.stale_chunks:
            self._grown[memory.name] = memory

    def drain(self) -> list[tuple[bytes, bytes | None]]:
        """Every record changed since the last drain."""
        for name, memory in self._grown.items():
            members = list(memory.members)
            for chunk in sorted(memory.stale_chunks):
                key = _chunk_key(name, chunk)
                self._chunks[key] = self._changes[key] = _encode(members[chunk * CHUNK : (chunk + 1) * CHUNK])
            memory.stale_chunks.clear()
        changes = list(self._changes.items())
        self._changes, self._grown = {}, {}
        return [*changes, *self._memories.drain()]

    def _restore(self, packed: bytes, name: str) -> LinkMemory:
        memory = restore_memory(packed)
        chunk = 0
        while (names := self._chunks.get(_chunk_key(name, chunk))) is not None:
            memory.members.update(dict.fromkeys(_decode_names(names)))
            chunk += 1
        return memory


def _first_key(kind: KeyKind, value: str) -> bytes:
    return FIRST_PREFIX + key_hash(kind, value).to_bytes(8, "little")


def _chunk_key(name: str, chunk: int) -> bytes:
    return CHUNK_PREFIX + name.encode() + b"#%d" % chunk
