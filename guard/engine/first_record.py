"""The first contact of a key that only one account has used so far: what its memory begins with, should a second one come. Most never do."""

from typing import Final

import msgspec
from msgspec import Struct

from guard.engine.forwards import Contact
from guard.engine.record_format import require_format
from guard.state.link import PARAPHRASE, PAYMENT

RECORD_FORMAT: Final = 16
"""Above every `KeyKind`: in a layout without a format number the kind stands in its place, and must not pass for it."""
_STEPS: Final = 1_000
"""Shares and logarithms are kept in thousandths: two or three bytes, where a float takes nine."""


class _First(Struct, array_like=True, gc=False):
    format: int
    kind: int
    account: str
    at: int
    counts: tuple[int, ...]
    """Uses, their square, hours, pairs, slots, age, day of registration, limit, tokens per use, and input, output, reasoning tokens."""
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


def pack_first(contact: Contact) -> bytes:
    """The contact in some 95 bytes. 2.5 us."""
    c = contact
    counts = (
        c.uses, c.square, c.hours, c.pairs, c.slots, c.age, c.created_day, c.limit_rpm,
        round(c.tokens_per_use), c.input_tokens, c.output_tokens, c.reasoning_tokens,
    )  # fmt: skip
    shares = (c.devotion, c.asks, c.grades, c.voice, c.rubric, c.single_turn, c.timed, c.spread, c.pace)
    in_steps = tuple([round(share * _STEPS) for share in shares])
    card, simhash = "" if c.kind == PAYMENT else c.card, c.value if c.kind == PARAPHRASE else ""
    return _encode(_First(RECORD_FORMAT, c.kind, c.account, c.at, counts, in_steps, card, c.organisation, c.model, c.declined, simhash))


def simhash_of(packed: bytes) -> int | None:
    """Which family of paraphrases it is of; None for every other kind."""
    simhash = _read(packed).simhash
    return int(simhash, 16) if simhash else None


def restore_first(packed: bytes, key: int, value: str) -> Contact:
    """The contact, of the key with this hash and value. Raises `GuardError` for another format than this program's."""
    f = _read(packed)
    uses, square, hours, pairs, slots, age, created_day, limit_rpm, tokens_per_use, read, written, reasoned = f.counts
    devotion, *means = [share / _STEPS for share in f.shares]
    card = value if f.kind == PAYMENT else f.card
    asks, grades, voice, rubric, single_turn, timed, spread, pace = means
    return Contact(
        f.kind, key, value, f.account, f.at, uses, square, hours, pairs, slots, True, age, created_day, devotion, card, f.organisation, limit_rpm,
        asks, grades, voice, rubric, single_turn, timed, tokens_per_use, spread, pace, read, written, reasoned, f.model, f.declined,
    )  # fmt: skip


def _read(packed: bytes) -> _First:
    require_format(packed, RECORD_FORMAT, "first contact")
    return _decode(packed)
