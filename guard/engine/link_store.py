"""A links shard's records: shared keys as memories, keys of one account as first contacts, conversations by owner, refused requests.

Sharing is rare: of 58,898 shapes 134 were shared (streaming prototype), and a card is mostly one account's. First sight must be remembered for
every value, since the second owner usually comes from another shard; it costs some 110 bytes, and is bounded.
"""

from collections.abc import Iterator
from typing import Final

import msgspec
from msgspec import Struct

from guard.engine.bounded import KEY_BYTES, Bounded, taken
from guard.engine.first_record import First, pack_first, paraphrases_in, restore_first
from guard.engine.forwards import Contact, Request, Turn
from guard.engine.hot_records import HotRecords
from guard.engine.link_record import CHUNK, LinkMemory, pack_memory, restore_memory
from guard.state.link import PAYMENT, KeyKind, LinkRecord

FIRSTS_MAX: Final = 600_000
"""Keys of one account remembered per shard, about 65 MB; beyond it the oldest first sights are forgotten."""
CARDS_MAX: Final = 1_000_000
"""Cards of one account remembered per shard, about 110 MB; beyond it the oldest are forgotten, and met again when they are told of again. They have
a bound of their own: a decision about a card names all of its accounts."""
OWNERS_MAX: Final = 200_000
"""Conversations and signatures remembered per shard, about 12 MB; beyond it the oldest are forgotten."""
REFUSED_MAX: Final = 20_000
"""Refused requests remembered per shard, about 3 MB; beyond it the oldest are forgotten."""

CARD_PREFIX: Final = b"p:"
LINK_PREFIX: Final = b"l:"
CHUNK_PREFIX: Final = b"e:"
FIRST_PREFIX: Final = b"f:"
OWNER_PREFIX: Final = b"o:"
REFUSED_PREFIX: Final = b"q:"

_encode = msgspec.msgpack.Encoder().encode
_decode_members = msgspec.msgpack.Decoder(list[tuple[str, int]]).decode


class Owner(Struct, array_like=True, gc=False):
    """Who left a conversation behind, and on whose card and organisation."""

    account: str
    means: str


_decode_owner = msgspec.msgpack.Decoder(Owner).decode
_decode_request = msgspec.msgpack.Decoder(Request).decode


class LinkStore:
    """Memories by key hash over the recovered `records`, which it owns from now on."""

    def __init__(
        self, records: dict[bytes, bytes], *, is_journaled: bool = True, firsts_max: int = FIRSTS_MAX, owners_max: int = OWNERS_MAX
    ) -> None:
        self._is_journaled = is_journaled
        self._changes: dict[bytes, bytes | None] = {}
        self._firsts = self._taken(records, FIRST_PREFIX, firsts_max)
        self._cards = self._taken(records, CARD_PREFIX, CARDS_MAX)
        self._owners = self._taken(records, OWNER_PREFIX, owners_max)
        self._refused = self._taken(records, REFUSED_PREFIX, REFUSED_MAX)
        self._chunks = {key: records.pop(key) for key in [key for key in records if key.startswith(CHUNK_PREFIX)]}
        self._memories: HotRecords[int, LinkMemory] = HotRecords(records, link_key, pack_memory, self._restore, is_journaled=is_journaled)
        self._grown: dict[int, LinkMemory] = {}

    def _taken(self, records: dict[bytes, bytes], prefix: bytes, most: int) -> Bounded:
        found, gone = taken(records, prefix, most)
        if self._is_journaled:
            self._changes.update(dict.fromkeys(gone))
        return found

    def __len__(self) -> int:
        return len(self._memories) + len(self._firsts) + len(self._cards)

    def paraphrases(self) -> Iterator[int]:
        """The SimHashes of all remembered families, shared or not."""
        yield from paraphrases_in(self._firsts)
        for key, packed in self._memories.cold.items():
            if key.startswith(LINK_PREFIX) and (link := restore_memory(packed).link).kind == KeyKind.PARAPHRASE:
                yield int(link.value, 16)

    def shared(self, key: int) -> LinkMemory | None:
        """The memory of a key that is shared, or of a payment fingerprint that one account has used for a while."""
        return self._memories.get(key)

    def create(self, contact: Contact) -> LinkMemory:
        """The memory of a key that becomes shared with this contact."""
        memory = LinkMemory(contact.key, LinkRecord(contact.kind, contact.value))
        self._memories.put(contact.key, memory)
        return memory

    def first(self, kind: int, key: int, value: str) -> First | None:
        """What is remembered of a key of one account."""
        records, _ = self._of_one(kind)
        packed = records.get(key)
        return restore_first(packed, key, value) if packed is not None else None

    def remember_first(self, first: First) -> None:
        """Keep a key of one account."""
        one = first.contact
        records, prefix = self._of_one(one.kind)
        self._keep(records, prefix, one.key, pack_first(first))

    def forget_first(self, kind: int, key: int) -> None:
        """The key has a memory now, which holds what the record said."""
        records, prefix = self._of_one(kind)
        if records.pop(key):
            self._note(prefix, key, None)

    def _of_one(self, kind: int) -> tuple[Bounded, bytes]:
        """Where keys of this kind are kept while one account uses them."""
        return (self._cards, CARD_PREFIX) if kind == PAYMENT else (self._firsts, FIRST_PREFIX)

    def owner(self, key: int) -> Owner | None:
        """Who left this conversation or signature behind."""
        packed = self._owners.get(key)
        return _decode_owner(packed) if packed is not None else None

    def remember_owner(self, turn: Turn) -> None:
        """Keep who left a conversation behind."""
        self._keep(self._owners, OWNER_PREFIX, turn.key, _encode(Owner(turn.account, turn.means)))

    def refused(self, request: int) -> Request | None:
        """The last that was told of a request that was refused to somebody."""
        packed = self._refused.get(request)
        return _decode_request(packed) if packed is not None else None

    def remember_refused(self, request: Request) -> None:
        """Keep what was told last of a request that was refused to somebody."""
        self._keep(self._refused, REFUSED_PREFIX, request.request, _encode(request))

    def _keep(self, records: Bounded, prefix: bytes, key: int, packed: bytes) -> None:
        self._note(prefix, key, packed)
        gone = records.put(key, packed)
        if gone is not None:
            self._note(prefix, gone, None)

    def _note(self, prefix: bytes, key: int, packed: bytes | None) -> None:
        if self._is_journaled:
            self._changes[prefix + key.to_bytes(KEY_BYTES, "little")] = packed

    def touch(self, memory: LinkMemory) -> None:
        """The memory has changed and belongs into the next drain."""
        self._memories.touch(memory.key, memory)
        if memory.stale_chunks:
            self._grown[memory.key] = memory

    @property
    def is_full(self) -> bool:
        """More hot records than the bound; the next drain cools them."""
        return self._memories.is_full

    def drain(self) -> list[tuple[bytes, bytes | None]]:
        """Every record changed since the last drain."""
        for key, memory in self._grown.items():
            members = list(memory.members.items())
            for chunk in sorted(memory.stale_chunks):
                chunk_key = _chunk_key(key, chunk)
                self._chunks[chunk_key] = self._changes[chunk_key] = _encode(members[chunk * CHUNK : (chunk + 1) * CHUNK])
            memory.stale_chunks.clear()
        changes = list(self._changes.items())
        self._changes, self._grown = {}, {}
        return [*changes, *self._memories.drain()]

    def _restore(self, packed: bytes, key: int) -> LinkMemory:
        memory = restore_memory(packed, key)
        chunk = 0
        while (members := self._chunks.get(_chunk_key(key, chunk))) is not None:
            memory.members.update(_decode_members(members))
            chunk += 1
        return memory


def link_key(key: int) -> bytes:
    """The key under which a shared key's record is kept."""
    return LINK_PREFIX + key.to_bytes(KEY_BYTES, "little")


def _chunk_key(key: int, chunk: int) -> bytes:
    return CHUNK_PREFIX + key.to_bytes(KEY_BYTES, "little") + b"#%d" % chunk
