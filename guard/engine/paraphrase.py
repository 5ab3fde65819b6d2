"""Families of paraphrased prompts: SimHashes within `NEAR_BITS` of a representative count as one template.

Two SimHashes that differ in at most three bits share one of four 16-bit bands for certain (Manku, Jain, Das Sarma, WWW 2007). A band
keeps its `REPRESENTATIVES_MAX` latest representatives; an older family is then found through another band, or founded anew.
"""

from typing import Final

from guard.engine.exchange_keys import SIMHASH_BANDS, band_of
from guard.engine.link_store import LinkStore
from guard.state.behaviour import NEAR_BITS

REPRESENTATIVES_MAX: Final = 16


class Families:
    """The bands of one shard. Bounded by 4 x 65,536 bands over all shards, 16 representatives each; found again from the store."""

    def __init__(self, shard: int, shards: int, store: LinkStore) -> None:
        self._shard, self._shards = shard, shards
        self._bands: dict[int, list[int]] = {}
        for simhash in store.paraphrases():
            self.of(simhash)

    def of(self, simhash: int) -> list[int]:
        """The representatives of the families that a SimHash belongs to, by the bands of this shard; at most four."""
        found: list[int] = []
        for band in range(SIMHASH_BANDS):
            key = band_of(band, simhash)
            if key % self._shards == self._shard:
                representative = self._nearest(key, simhash)
                if representative not in found:
                    found.append(representative)
        return found

    def _nearest(self, key: int, simhash: int) -> int:
        known = self._bands.setdefault(key, [])
        for representative in known:
            if (representative ^ simhash).bit_count() <= NEAR_BITS:
                return representative
        known.append(simhash)
        if len(known) > REPRESENTATIVES_MAX:
            del known[0]
        return simhash
