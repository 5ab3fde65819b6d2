"""The first contact of a key that only one account has used so far: what its memory begins with, should a second one come. Most never do."""

from collections.abc import Iterable
from typing import Final

import msgspec
from msgspec import Struct

from guard.engine.forwards import Contact
from guard.engine.record_format import require_format
from guard.state import member
from guard.state.link import PARAPHRASE, PAYMENT
from guard.units import SECOND_MS

RECORD_FORMAT: Final = 16
"""Above every `KeyKind`: in a layout without a format number the kind stands in its place, and must not pass for it."""
_STEPS: Final = 1_000
"""Shares and logarithms are kept in thousandths: two or three bytes, where a float takes nine."""


class First(Struct):
    """All that is remembered of a key that one account uses."""

    contact: Contact
    """All of its contacts as one: of a card at the time of the first, since it stands for the card's life; of other keys at that of the last."""
    wave_s: int = 0
    """The wave of releases, by its second, in which the account was told of with a card that it had before; 0: none."""
    marks: int = 0
    """`member.SEEN`, and `member.MOVED` where it asked for a new model."""

    def follow_release(self, account: str, release_s: int, *, is_moved: bool) -> tuple[bool, bool]:
        """As `LinkMemory.follow_release`, where the one account is all members that there are."""
        if account != self.contact.account or self.contact.at >= release_s * SECOND_MS:
            return False, False
        known = self.marks if self.wave_s == release_s else 0
        self.wave_s, self.marks = release_s, known | (member.MARKS if is_moved else member.SEEN)
        return not known & member.SEEN, is_moved and not known & member.MOVED

    def followed_by(self, contact: Contact) -> "First":
        """The same after one more contact of the account, which is changed. About 1 us."""
        first = self.contact
        if contact.kind == PAYMENT:
            _settle_card(first, contact)
        else:
            contact.at = max(contact.at, first.at)
        contact.uses += first.uses
        contact.square += first.square
        contact.hours += first.hours
        contact.pairs += first.pairs
        contact.slots += first.slots
        contact.input_tokens += first.input_tokens
        contact.output_tokens += first.output_tokens
        contact.reasoning_tokens += first.reasoning_tokens
        contact.is_first, contact.age = True, first.age
        return First(contact, self.wave_s, self.marks)


def _settle_card(first: Contact, contact: Contact) -> None:
    """What of a card's contacts is not a sum and would be lost with all but the last: before the uses are added up."""
    contact.at = min(contact.at, first.at)
    contact.limit_rpm = max(contact.limit_rpm, first.limit_rpm)
    if uses := first.uses + contact.uses:
        before, now = first.uses / uses, contact.uses / uses
        contact.tokens_per_use = before * first.tokens_per_use + now * contact.tokens_per_use
        contact.asks = before * first.asks + now * contact.asks
        contact.grades = before * first.grades + now * contact.grades
    contact.declined = contact.declined if contact.declined >= 0 else first.declined
    contact.timed = contact.timed if contact.timed >= 0 else first.timed
    contact.spread = contact.spread if contact.spread >= 0 else first.spread
    contact.pace = contact.pace if contact.pace >= 0 else first.pace


class _First(Struct, array_like=True, gc=False):
    format: int
    kind: int
    account: str
    at: int
    counts: tuple[int, ...]
    """Uses, their square, hours, pairs, slots, age, day of registration, limit, tokens per use; input, output, reasoning tokens; wave and marks."""
    shares: tuple[int, ...]
    """Devotion, asks, grades, voice, rubric, single turn, timed, spread, pace."""
    card: str
    """Of a card, which is its own, nothing."""
    organisation: str
    model: str
    declined: int
    simhash: str
    """The value of a family of paraphrases, empty otherwise: whoever uses another key says its value."""


_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(_First).decode


def pack_first(first: First) -> bytes:
    """The record, some 95 bytes. 2.5 us."""
    c = first.contact
    counts = (
        c.uses, c.square, c.hours, c.pairs, c.slots, c.age, c.created_day, c.limit_rpm,
        round(c.tokens_per_use), c.input_tokens, c.output_tokens, c.reasoning_tokens, first.wave_s, first.marks,
    )  # fmt: skip
    shares = (c.devotion, c.asks, c.grades, c.voice, c.rubric, c.single_turn, c.timed, c.spread, c.pace)
    in_steps = tuple([round(share * _STEPS) for share in shares])
    card, simhash = "" if c.kind == PAYMENT else c.card, c.value if c.kind == PARAPHRASE else ""
    return _encode(_First(RECORD_FORMAT, c.kind, c.account, c.at, counts, in_steps, card, c.organisation, c.model, c.declined, simhash))


def paraphrases_in(packed: Iterable[bytes]) -> list[int]:
    """The SimHashes of those that are of families of paraphrases, in the order of their last contacts: what was founded first is found first."""
    families = sorted((found.at, found.simhash) for one in packed if (found := _read(one)).simhash)
    return [int(simhash, 16) for _, simhash in families]


def restore_first(packed: bytes, key: int, value: str) -> First:
    """The record, of the key with this hash and value. Raises `GuardError` for another format than this program's."""
    f = _read(packed)
    uses, square, hours, pairs, slots, age, created_day, limit_rpm, tokens_per_use, read, written, reasoned, wave_s, marks = f.counts
    devotion, *means = [share / _STEPS for share in f.shares]
    card = value if f.kind == PAYMENT else f.card
    asks, grades, voice, rubric, single_turn, timed, spread, pace = means
    contact = Contact(
        f.kind, key, value, f.account, f.at, uses, square, hours, pairs, slots, True, age, created_day, devotion, card, f.organisation, limit_rpm,
        asks, grades, voice, rubric, single_turn, timed, tokens_per_use, spread, pace, read, written, reasoned, f.model, f.declined,
    )  # fmt: skip
    return First(contact, wave_s, marks)


def _read(packed: bytes) -> _First:
    require_format(packed, RECORD_FORMAT, "first contact")
    return _decode(packed)
