"""An account's behaviour as one small byte string, and back: what is kept of the many accounts that are quiet."""

import struct
from array import array
from collections.abc import Collection
from itertools import accumulate
from typing import Final

from msgspec.structs import astuple

from guard.state.behaviour import COLUMNS, KEYS_MAX, Behaviour, KeyUse
from guard.state.windows import CELLS, Windows

BEHAVIOUR_BYTES_MAX: Final = 4_096
"""Nothing remembered of an account takes more: 256 ids at 12 bytes, 24 keys at 31, and 346 bytes of numbers, conversations, prompts, families and shapes."""

_HEADER: Final = struct.Struct("<qIIIIIIBIIIIIIIHBBBBB")
_USE: Final = struct.Struct("<IIHHIBHI")
_SMALL_USE: Final = struct.Struct("<HHBBHBBB")
_SMALL: Final = 0x80
"""Set in the number of keys where all their uses are small ones: half the bytes of a quiet account's keys."""
_HASHES: Final = tuple(struct.Struct(f"<{count}Q") for count in range(KEYS_MAX + 1))
"""64-bit hashes one after the other, by their number: keys, conversations, prompts, families."""
_PLACES: Final = 4
"""Bits of the number of prompts, in the byte that it shares with the number of families."""
_HOUR_USES_MAX: Final = (1 << 16) - 1
_PAIRS_MAX: Final = (1 << 32) - 1
_FLOAT_CELLS: Final = CELLS + COLUMNS


def pack_behaviour(behaviour: Behaviour) -> bytes:
    """The behaviour as bytes; `restore_behaviour` gives back exactly the same. About 4 us.

    Header, floats, counts; then ids (8 bytes each), their seconds (4), keys (8), their uses (11 while all are small, else 23), the places of the current
    keys (1 each), conversations (8), prompts (8), families (8), shapes (4).
    """
    b = behaviour
    keys = list(b.keys)
    small, uses = _pack_uses(b.keys.values())
    header = _HEADER.pack(
        b.windows.at, b.first_s, b.created_s, b.limit_rpm, b.exchanges, b.hour_s, b.slot_s, b.slot, b.refused, b.parameters_hash, b.same_uses, b.since_new,
        *b.untold_tokens, len(b.event_seconds), len(keys) | small, len(b.current_keys), len(b.conversations), len(b.prompts) | len(b.families) << _PLACES, len(b.shapes),
    )  # fmt: skip
    return b"".join((
        header, b.windows.sums.tobytes(), b.means.tobytes(), b.counts, b.event_ids, b.event_seconds.tobytes(),
        _HASHES[len(keys)].pack(*keys), uses, bytes(map(keys.index, b.current_keys)),
        _HASHES[len(b.conversations)].pack(*b.conversations), _HASHES[len(b.prompts)].pack(*b.prompts), _HASHES[len(b.families)].pack(*b.families),
        array("I", b.shapes).tobytes() if b.shapes else b"",
    ))  # fmt: skip


def _pack_uses(uses: Collection[KeyUse]) -> tuple[int, bytes]:
    """`_SMALL` or 0, and the uses in that form."""
    pack = _SMALL_USE.pack
    try:
        return _SMALL, b"".join([pack(*astuple(use)) for use in uses])
    except struct.error:  # some count is beyond the small form's field
        return 0, b"".join(map(_pack_use, uses))


def _pack_use(use: KeyUse) -> bytes:
    hours = min(use.hour_uses, _HOUR_USES_MAX), min(use.untold_hours, _HOUR_USES_MAX)
    return _USE.pack(
        use.uses, use.told, *hours, min(use.untold_pairs, _PAIRS_MAX), use.slot, min(use.untold_slots, _HOUR_USES_MAX), use.met
    )


def restore_behaviour(packed: bytes) -> Behaviour:
    """The behaviour that was packed."""
    b = Behaviour()
    (
        at, b.first_s, b.created_s, b.limit_rpm, b.exchanges, b.hour_s, b.slot_s, b.slot, b.refused, b.parameters_hash, b.same_uses, b.since_new,
        *b.untold_tokens, ids, keys, current, conversations, prompts, shapes,
    ) = _HEADER.unpack_from(packed)  # fmt: skip
    use, keys = (_SMALL_USE, keys ^ _SMALL) if keys & _SMALL else (_USE, keys)
    families, prompts = divmod(prompts, 1 << _PLACES)
    cuts = [
        _HEADER.size,
        4 * _FLOAT_CELLS,
        COLUMNS,
        8 * ids,
        4 * ids,
        8 * keys,
        use.size * keys,
        current,
        8 * conversations,
        8 * prompts,
        8 * families,
        4 * shapes,
    ]
    ends = list(accumulate(cuts))
    numbers, counts, event_ids, seconds, named, uses, places, own, seen, common, once = (
        packed[ends[i] : ends[i + 1]] for i in range(len(cuts) - 1)
    )
    floats = array("f", numbers)
    b.windows, b.means = Windows(at, floats[:CELLS]), floats[CELLS:]
    b.counts, b.event_ids, b.event_seconds = bytearray(counts), bytearray(event_ids), array("I", seconds)
    listed = array("Q", named).tolist()
    b.keys = {key: KeyUse(*counts_of) for key, counts_of in zip(listed, use.iter_unpack(uses), strict=True)}
    b.current_keys = [listed[place] for place in places]
    b.conversations = array("Q", own).tolist()
    b.prompts, b.families = array("Q", seen).tolist(), array("Q", common).tolist()
    b.shapes = array("I", once).tolist()
    return b
