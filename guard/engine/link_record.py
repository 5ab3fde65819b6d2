"""One link key between two contacts: its memory, its members by name, and for a payment fingerprint its windows and orders.

Members lie in chunks of their own, so that a key with thousands of accounts rewrites only the chunk that grew.
"""

from array import array
from typing import Final

import msgspec
from msgspec import Struct

from guard.decisions.standing import Standing
from guard.engine.forwards import Age, Contact
from guard.errors import GuardError
from guard.events.partition import stable_hash
from guard.scoring.learned.past import OwnPast
from guard.state.link import KINDS, MEMBERS_MAX, KeyKind, LinkRecord
from guard.state.windows import Windows

RECORD_FORMAT: Final = 1
CHUNK: Final = 64
"""Members in one stored chunk: about 1.5 KB."""
VOICES_MAX: Final = 256
"""Tellings over which a key's voice, rubric and single-turn means are remembered."""


class LinkMemory:
    """All memory of one key that two accounts or more share, or of one payment fingerprint."""

    __slots__ = ("link", "members", "past", "stale_chunks", "standing", "windows")

    def __init__(self, link: LinkRecord) -> None:
        self.link = link
        self.members: dict[str, None] = {}
        self.windows: Windows | None = Windows() if link.kind == KeyKind.PAYMENT else None
        self.past: OwnPast | None = None
        self.standing = Standing()
        self.stale_chunks: set[int] = set()

    @property
    def name(self) -> str:
        """The key under which the record is kept."""
        return name_of(KINDS[self.link.kind], self.link.value)

    def observe(self, contact: Contact) -> bool:
        """Take one contact in; True when its account is new to the key."""
        link = self.link
        if not link.first_at:
            link.first_at = contact.at
        link.at = max(link.at, contact.at)
        is_new = self._count(contact)
        link.uses += contact.uses
        link.uses_square += contact.square
        link.tokens += contact.uses * contact.tokens_per_use
        link.limit_rpm = max(link.limit_rpm, contact.limit_rpm)
        self._hear(contact)
        if self.windows is not None and contact.uses:
            self.windows.observe(contact.at, contact.uses, contact.input_tokens, contact.output_tokens, contact.reasoning_tokens)
        return is_new

    def _count(self, contact: Contact) -> bool:
        link = self.link
        if not contact.is_first:
            return False
        is_new = link.count_account(stable_hash(contact.account), len(self.members), is_known=contact.account in self.members)
        if not is_new:
            return False
        if len(self.members) < MEMBERS_MAX[KINDS[link.kind]]:
            self.stale_chunks.add(len(self.members) // CHUNK)
            self.members[contact.account] = None
        if contact.age != Age.UNKNOWN:
            link.aged_accounts += 1
            link.new_accounts += contact.age == Age.NEW
            link.trusted_accounts += contact.age == Age.TRUSTED
        link.organisation = _merged(link.organisation, contact.principal)
        return True

    def _hear(self, contact: Contact) -> None:
        link = self.link
        link.tellings = min(link.tellings + 1, VOICES_MAX)
        link.voice += (contact.voice - link.voice) / link.tellings
        link.rubric += (contact.rubric - link.rubric) / link.tellings
        link.single_turn += (contact.single_turn - link.single_turn) / link.tellings


def _merged(known: str, principal: str) -> str:
    if not principal:
        return MANY
    return principal if known in {"", principal} else MANY


MANY: Final = "*"
"""Stands for more than one organisation, or for an account whose organisation nobody knows."""


def name_of(kind: KeyKind, value: str) -> str:
    """The name of a key's record."""
    return f"{int(kind)}:{value}"


class _Packed(Struct, array_like=True):
    format: int
    link: LinkRecord
    windows_at: int
    windows: bytes
    past: OwnPast | None = None
    standing: Standing | None = None


_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(_Packed).decode


def pack_memory(memory: LinkMemory) -> bytes:
    """The record without its members, about 3 us."""
    windows = memory.windows
    at, sums = (windows.at, windows.sums.tobytes()) if windows is not None else (0, b"")
    standing = memory.standing if memory.standing.enforce or memory.standing.shadow else None
    return _encode(_Packed(RECORD_FORMAT, memory.link, at, sums, memory.past, standing))


def restore_memory(packed: bytes) -> LinkMemory:
    """The record that was packed, without its members. Raises `GuardError` for a format newer than this program."""
    stored = _decode(packed)
    if stored.format > RECORD_FORMAT:
        raise GuardError(f"link record has format {stored.format}, this guard reads up to {RECORD_FORMAT}: run the newer version")
    memory = LinkMemory(stored.link)
    if memory.windows is not None:
        memory.windows = Windows(stored.windows_at, array("f", stored.windows))
    memory.past = stored.past
    memory.standing = stored.standing or Standing()
    return memory
