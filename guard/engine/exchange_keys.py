"""The link keys of one exchange: what it shows of its account's identity, and what its prompt is like."""

from typing import Final

from guard.engine.watchlist import key_hash
from guard.events.request import RequestEvent
from guard.state.behaviour import Behaviour
from guard.state.link import CLIENT, NETWORK, PARAPHRASE, PAYMENT, PREFIX, SHAPE, KeyKind

SIMHASH_BANDS: Final = 4
"""Bands of 16 bits: two SimHashes within 3 bits share one for certain, within 8 bits one in three times (hypergeometric)."""
BAND_BITS: Final = 16
BAND_MASK: Final = (1 << BAND_BITS) - 1

_SHAPE_MASK: Final = (1 << 32) - 1
IDENTITY_KINDS: Final = (PAYMENT, PREFIX, CLIENT, NETWORK)

Key = tuple[KeyKind, int, str]
"""One link key of an exchange: kind, hash, value."""


def band_of(band: int, simhash: int) -> int:
    """Where the likes of one 16-bit band of a SimHash meet: the band's number and its bits."""
    return band << BAND_BITS | simhash >> band * BAND_BITS & BAND_MASK


def shards_of(simhash: int, shards: int) -> set[int]:
    """The shards that own the four bands of a SimHash."""
    return {band_of(band, simhash) % shards for band in range(SIMHASH_BANDS)}


def identity_of(event: RequestEvent) -> tuple[str | None, ...]:
    """Payment, prefix, client and network of the exchange."""
    return (event.payment_fingerprint, event.prefix, event.client_fingerprint, event.ip_prefix)


def identity_keys(identity: tuple[str | None, ...]) -> list[Key]:
    """The keys of an identity; what is missing has none."""
    return [(kind, key_hash(kind, value), value) for kind, value in zip(IDENTITY_KINDS, identity, strict=True) if value is not None]


def paraphrase_key(family: int) -> Key:
    """The link key of a family of paraphrases."""
    value = f"{family:016x}"
    return PARAPHRASE, key_hash(PARAPHRASE, value), value


def content_keys(b: Behaviour, event: RequestEvent) -> list[Key]:
    """Shape and paraphrase family of the exchange, if they are repeated; both are remembered. Later turns quote the dialogue."""
    found: list[Key] = []
    if event.shape is not None:
        key = key_hash(SHAPE, event.shape)
        if key in b.keys or b.repeated_shape(key & _SHAPE_MASK):
            found.append((SHAPE, key, event.shape))
    if event.simhash is not None and event.conversation is None:
        family = b.family_of(int(event.simhash, 16))
        if family is not None:
            found.append(paraphrase_key(family))
    return found


def known_content(b: Behaviour, event: RequestEvent) -> list[Key]:
    """Shape and paraphrase family of an exchange that has been taken in."""
    found: list[Key] = []
    if event.shape is not None:
        found.append((SHAPE, key_hash(SHAPE, event.shape), event.shape))
    if event.simhash is not None and event.conversation is None and b.families:
        found.append(paraphrase_key(b.families[-1]))
    return found
