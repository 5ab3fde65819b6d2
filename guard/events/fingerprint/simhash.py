"""Keyed SimHash (Charikar, STOC 2002): prompts that share most of their word pairs differ in few of 64 bits.

Each pair of neighbouring words votes on every bit by its keyed BLAKE2b hash; the majority decides. Two prompts whose pairs agree to a
share r (as vectors) differ in about arccos(r)/pi of the bits: a strange prompt in 32 of 64. Without the key no prompt can be tried.
"""

from collections.abc import Sequence
from hashlib import blake2b
from itertools import islice, pairwise
from typing import Final

BITS: Final = 64
_ONES: Final = int.from_bytes(b"\1" * BITS, "big")
"""The lowest bit of each byte of a BLAKE2b-512 hash: 64 votes, a byte apart, so that 255 of them can be added in one addition."""
PAIRS_MAX: Final = 255


def simhash_of(words: Sequence[str], keyed: blake2b) -> str:
    """16 hex digits for the pairs of neighbouring `words`, at most `PAIRS_MAX`; 0.7 us a pair. `keyed` is the keyed, still empty hash."""
    pairs = [f"{left} {right}" for left, right in islice(pairwise(words), PAIRS_MAX)]
    votes = 0
    for pair in pairs:
        voter = keyed.copy()
        voter.update(pair.encode("utf-8", "surrogatepass"))
        votes += int.from_bytes(voter.digest(), "big") & _ONES
    elected = votes.to_bytes(BITS, "big").translate(_majority(len(pairs)))
    return f"{int(elected, 2):016x}"


def _majority(voters: int) -> bytes:
    """A table from a count of votes to the digit `0` or `1`."""
    against = voters // 2 + 1
    return b"0" * against + b"1" * (256 - against)
