"""One link key between two contacts: its memory, its members by name, and for a payment fingerprint its windows and orders.

Members lie in chunks of their own, so that a key with thousands of accounts rewrites only the chunk that grew.
"""

from array import array
from collections import Counter
from typing import Final

import msgspec
from msgspec import Struct

from guard.decisions.standing import Standing
from guard.engine.first_record import First
from guard.engine.forwards import Contact
from guard.engine.record_format import require_format
from guard.events.partition import stable_hash
from guard.scoring.learned.past import OwnPast
from guard.state import member
from guard.state.evenness import Evenness
from guard.state.link import KINDS, MEMBERS_MAX, SEVERAL, Age, KeyKind, LinkRecord
from guard.state.windows import Windows
from guard.units import SECOND_MS

RECORD_FORMAT: Final = 3
CHUNK: Final = 64
"""Members in one stored chunk: about 1.5 KB."""
VOICES_MAX: Final = 256
"""Tellings over which the means of what a key's accounts say are remembered."""

ADHERENT_SHARE: Final = 0.3
"""An account whose devotion is below this share of a typical adherent's has only tried the key."""


class LinkMemory:
    """All memory of one key that two accounts or more share, or of a payment fingerprint that one has used for a while."""

    __slots__ = ("_days", "key", "link", "members", "past", "stale_chunks", "standing", "windows")

    def __init__(self, key: int, link: LinkRecord) -> None:
        self.key = key
        self.link = link
        self.members: dict[str, int] = {}
        """Account -> its place in the list, its step of devotion, its age at the first use, its day of registration and its marks, in one number."""
        self._days: Counter[int] | None = None
        self.windows: Windows | None = Windows() if link.kind == KeyKind.PAYMENT else None
        self.past: OwnPast | None = None
        self.standing = Standing()
        self.stale_chunks: set[int] = set()

    def observe(self, contact: Contact) -> bool:
        """Take one contact in; True when its account is new to the key."""
        link = self.link
        if not link.first_at:
            link.first_at = link.even.since = contact.at
        link.at = max(link.at, contact.at)
        is_new = self._count(contact)
        link.uses += contact.uses
        self._count_uses(contact)
        link.tokens += contact.uses * contact.tokens_per_use
        link.limit_rpm = max(link.limit_rpm, contact.limit_rpm)
        self._hear(contact)
        if self.windows is not None and contact.uses:
            self.windows.observe(contact.at, contact.uses, contact.input_tokens, contact.output_tokens, contact.reasoning_tokens)
        return is_new

    def begin(self, first: First) -> None:
        """Take in what was remembered of the key while one account used it."""
        one, link = first.contact, self.link
        self.observe(one)
        if first.wave_s:
            link.release_s, link.present, link.present_seen, link.moved = first.wave_s, 1, 1, int(bool(first.marks & member.MOVED))
            self._keep(one.account, self.members[one.account] | first.marks)

    def count_anew(self, at: int) -> None:
        """Begin a second count of the use, when accounts that were stopped are let go. Only listed accounts are in it: none where the list is full.

        Costs a rewrite of the whole list, at each end of a campaign that stopped its members for long.
        """
        if len(self.members) >= MEMBERS_MAX[KINDS[self.link.kind]]:
            self.link.anew = None
            return
        self.link.anew = Evenness(at)
        for account, packed in self.members.items():
            self._keep(account, member.without_uses_before(packed))

    def _count_uses(self, contact: Contact) -> None:
        rest = contact.hours, contact.pairs, contact.slots
        self.link.even.add(contact.uses, contact.square, *rest)
        anew = self.link.anew
        if anew is not None and (before := self._uses_before(contact, anew)) is not None:
            # Two of an account's paraphrase families may be one here, each with uses of its own: at least the square of what came is certain.
            anew.add(contact.uses, max(contact.uses**2, contact.square - 2 * before * contact.uses), *rest)

    def _uses_before(self, contact: Contact, anew: Evenness) -> int | None:
        """The account's uses before the count began anew; None where nothing was used, or by an account that is not listed."""
        packed = self.members.get(contact.account)
        if packed is None:
            return None
        before = known = member.uses_before(packed)
        if known is None and contact.uses:
            anew.join(contact.at)
            before = contact.uses_before
        elif known and contact.is_first and self.link.kind != KeyKind.PARAPHRASE:
            before = 0  # the account had forgotten the key, and counts its uses from none again
        if before is not None and before != known:
            self._keep(contact.account, member.with_uses_before(packed, before))
        return before if contact.uses else None

    def adherents(self) -> tuple[str, ...]:
        """The listed accounts that stand behind the key in earnest. All, for a payment fingerprint: a card pays or it does not."""
        if self.link.kind == KeyKind.PAYMENT:
            return tuple(self.members)
        floor = ADHERENT_SHARE * self.link.devotion
        return tuple(account for account, packed in self.members.items() if member.devotion(packed) >= floor)

    def _count(self, contact: Contact) -> bool:
        link = self.link
        packed = self.members.get(contact.account)
        level = min(member.LEVELS, round(contact.devotion * member.LEVELS))
        if packed is not None:
            if member.level(packed) != level:
                link.weigh(member.devotion(packed), member.age(packed), -1)
                self._list(contact.account, member.place(packed), level, member.age(packed), member.day(packed))
            return False
        if not contact.is_first or not link.count_account(stable_hash(contact.account), len(self.members)):
            return False
        if len(self.members) < MEMBERS_MAX[KINDS[link.kind]]:
            self._meet_day(contact)
            self._list(contact.account, len(self.members), level, contact.age, contact.created_day)
        else:
            link.weigh(max(level / member.LEVELS, member.DEVOTION_MIN), contact.age)
        link.even.join(contact.at)
        link.even.accounts = link.accounts
        link.card = _merged(link.card, contact.card)
        link.organisation = _merged(link.organisation, contact.organisation)
        link.cardless += not contact.card
        link.organisationless += not contact.organisation
        return True

    def _meet_day(self, contact: Contact) -> None:
        """Count with how many listed accounts, old when they met the key, this one shares its day of registration."""
        if not contact.created_day or contact.age == Age.NEW:
            return
        if self._days is None:
            self._days = Counter(day for one in self.members.values() if (day := member.day(one)) and member.age(one) != Age.NEW)
        self.link.registered += 1
        self.link.same_day += 2 * self._days[contact.created_day]
        self._days[contact.created_day] += 1

    def _list(self, account: str, place: int, level: int, age: int, day: int) -> None:
        packed = member.listed(place, level, age, day, self.members.get(account, 0))
        self.link.weigh(member.devotion(packed), age)
        self._keep(account, packed)

    def _keep(self, account: str, packed: int) -> None:
        """Remember what is new of a listed account; its chunk is written at the next drain."""
        self.members[account] = packed
        self.stale_chunks.add(member.place(packed) // CHUNK)

    def follow_release(self, account: str, release_s: int, *, is_moved: bool) -> tuple[bool, bool]:
        """Take in an account's exchange within a day of a release: whether it is the first one of a member of before, and the first on the new model."""
        link, packed = self.link, self.members.get(account)
        if link.release_s != release_s:
            self._begin_release(release_s)
            packed = self.members.get(account)
        if packed is None or member.place(packed) >= link.present:
            return False, False
        marks = member.MARKS if is_moved else member.SEEN
        is_seen, has_moved = not packed & member.SEEN, is_moved and not packed & member.MOVED
        if is_seen or has_moved:
            link.present_seen += is_seen
            link.moved += has_moved
            self._keep(account, packed | marks)
        return is_seen, has_moved

    def _begin_release(self, release_s: int) -> None:
        link = self.link
        is_older = 0 < link.first_at < release_s * SECOND_MS
        link.release_s, link.present, link.present_seen, link.moved = release_s, len(self.members) if is_older else 0, 0, 0
        for account, packed in self.members.items():
            if packed & member.MARKS:
                self._keep(account, packed & ~member.MARKS)

    def _hear(self, contact: Contact) -> None:
        link = self.link
        if contact.declined >= 0:
            link.answers = min(link.answers + 1, VOICES_MAX)
            link.declined += (contact.declined - link.declined) / link.answers
        link.tellings = min(link.tellings + 1, VOICES_MAX)
        link.voice += (contact.asks - link.voice) / link.tellings
        link.rubric += (contact.grades - link.rubric) / link.tellings
        if contact.timed >= 0:
            link.timings = min(link.timings + 1, VOICES_MAX)
            link.timed += (contact.timed - link.timed) / link.timings
        if contact.spread >= 0:
            link.callers = min(link.callers + 1, VOICES_MAX)
            link.callers_spread += (contact.spread - link.callers_spread) / link.callers
            link.pace += (contact.pace - link.pace) / link.callers
            link.pace_square += (contact.pace * contact.pace - link.pace_square) / link.callers


def _merged(known: str, one: str) -> str:
    if not one:
        return known
    return one if known in {"", one} else SEVERAL


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


def restore_memory(packed: bytes, key: int = 0) -> LinkMemory:
    """The record that was packed, without its members. Raises `GuardError` for another format than this program's."""
    require_format(packed, RECORD_FORMAT, "link")
    stored = _decode(packed)
    memory = LinkMemory(key, stored.link)
    if memory.windows is not None:
        memory.windows = Windows(stored.windows_at, array("f", stored.windows))
    memory.past = stored.past
    memory.standing = stored.standing or Standing()
    return memory
