"""Families of paraphrased prompts: SimHashes within `NEAR_BITS` of a representative count as one template.

Two SimHashes that differ in at most three bits share one of four 16-bit bands for certain (Manku, Jain, Das Sarma, WWW 2007). A band
keeps its `REPRESENTATIVES_MAX` latest representatives; an older family is then found through another band, or founded anew.
"""

from typing import Final

import msgspec

from guard.engine.contacts import BAND_CHARS, SIMHASH_BANDS, band_hash
from guard.engine.forwards import Contact
from guard.engine.link_store import LinkStore

NEAR_BITS: Final = 3
REPRESENTATIVES_MAX: Final = 16
BAND_PREFIX: Final = b"b:"

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[int]).decode


class Families:
    """The bands of one shard. Bounded by 4 x 65,536 bands over all shards, 16 representatives each."""

    def __init__(self, shard: int, shards: int, store: LinkStore) -> None:
        self._shard, self._shards = shard, shards
        self._bands = store.take_bands(BAND_PREFIX)
        self._changed: dict[bytes, bytes] = {}

    def of(self, contact: Contact) -> tuple[str, ...]:
        """The representatives of the families the contact's SimHash belongs to, by the bands of this shard; at most four."""
        simhash = int(contact.value, 16)
        found = []
        for band in range(SIMHASH_BANDS):
            if band_hash(band, contact.value) % self._shards == self._shard:
                representative = self._nearest(band, contact.value, simhash)
                if representative not in found:
                    found.append(representative)
        return tuple(f"{representative:016x}" for representative in found)

    def _nearest(self, band: int, value: str, simhash: int) -> int:
        key = BAND_PREFIX + b"%d:" % band + value[band * BAND_CHARS : (band + 1) * BAND_CHARS].encode()
        packed = self._bands.get(key)
        known = _decode(packed) if packed is not None else []
        for representative in known:
            if (representative ^ simhash).bit_count() <= NEAR_BITS:
                return representative
        known.append(simhash)
        self._bands[key] = self._changed[key] = _encode(known[-REPRESENTATIVES_MAX:])
        return simhash

    def drain(self) -> list[tuple[bytes, bytes | None]]:
        """Bands changed since the last drain."""
        changes: list[tuple[bytes, bytes | None]] = list(self._changed.items())
        self._changed = {}
        return changes
