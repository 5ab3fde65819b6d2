"""How one account behaves: everything remembered of its exchanges, bounded, packed into one small byte string.

What happens beyond a bound: the oldest event id, link key or conversation gives way to the newest.
"""

import struct
from array import array
from typing import Final

import msgspec
from msgspec import Struct

from guard.state.windows import CELLS, Windows

EVENT_IDS_MAX: Final = 64
"""Event ids remembered of an account (contract: a duplicate is recognised within 64 exchanges or ten minutes)."""

EVENT_IDS_BUSY_MAX: Final = 256
"""Event ids remembered of an account that makes more than 64 exchanges in ten minutes; the oldest go first beyond it."""

EVENT_ID_AGE_S: Final = 600
"""How long a busy account's event ids are kept beyond the 64 newest (contract: 10 minutes)."""

KEYS_MAX: Final = 24
"""Link keys remembered of an account; beyond it the least used one gives way, and counts as a first contact when it returns."""

CONVERSATIONS_MAX: Final = 8
"""Conversations remembered as the account's own; a longer-idle one is asked about like a stranger's."""

SHARE_MEMORY: Final = 64
"""Exchanges over which means are remembered: the weight of an older one fades by 1/64 per exchange."""

# Columns of `Behaviour.means`.
ELICITATION, RUBRIC, SINGLE_TURN, SAME_PARAMETERS, GAP_MS, GAP_SQUARE, COLUMNS = range(7)

SECONDS_MAX: Final = (1 << 32) - 1
BEHAVIOUR_BYTES_MAX: Final = 4_096
"""Nothing remembered of an account takes more: 256 ids at 12 bytes, 24 keys at 19, and 150 bytes of numbers."""


class KeyUse(Struct, gc=False):
    """How often an account used one link key, and how much of that the links stage has been told."""

    uses: int = 0
    told: int = 0


class Behaviour:
    """One account's memory of its own exchanges.

    `means` and `counts` hold, per column, a mean that fades by count and how many exchanges carried that field at all
    (64 at most): a missing field is missing, not zero.
    """

    __slots__ = (
        "conversations",
        "counts",
        "created_at",
        "current_keys",
        "event_ids",
        "exchanges",
        "first_at",
        "keys",
        "limit_rpm",
        "links_hash",
        "means",
        "parameters_hash",
        "refused",
        "same_uses",
        "windows",
    )

    def __init__(self) -> None:
        self.first_at = 0
        self.created_at = 0
        self.limit_rpm = 0
        self.exchanges = 0
        self.refused = 0
        self.links_hash = 0
        self.parameters_hash = 0
        self.same_uses = 0
        self.windows = Windows()
        self.means: array[float] = array("f", bytes(4 * COLUMNS))
        self.counts = bytearray(COLUMNS)
        self.event_ids: dict[int, int] = {}
        self.keys: dict[int, KeyUse] = {}
        self.current_keys: list[int] = []
        self.conversations: list[int] = []

    @property
    def at(self) -> int:
        """Newest event time of the account, milliseconds; 0 before the first exchange."""
        return self.windows.at

    def fade_in(self, column: int, value: float) -> None:
        """Take one more value into a column's fading mean."""
        count = self.counts[column]
        if count < SHARE_MEMORY:
            self.counts[column] = count = count + 1
        self.means[column] += (value - self.means[column]) / count

    def is_duplicate(self, event_hash: int, at: int) -> bool:
        """True when this event id is remembered; otherwise it is from now on."""
        ids = self.event_ids
        if event_hash in ids:
            return True
        ids[event_hash] = at_s = min(at // 1_000, SECONDS_MAX)
        if len(ids) > EVENT_IDS_MAX:
            oldest = next(iter(ids))
            if len(ids) > EVENT_IDS_BUSY_MAX or ids[oldest] < at_s - EVENT_ID_AGE_S:
                del ids[oldest]
        return False

    def remember_key(self, key: int) -> KeyUse:
        """The memory of a link key that the account uses for the first time, or for the first time in long."""
        if len(self.keys) >= KEYS_MAX:
            spare = [old for old in self.keys if old not in self.current_keys]
            self.keys.pop(min(spare, key=lambda old: self.keys[old].uses))
        use = self.keys[key] = KeyUse()
        return use

    def remember_conversation(self, conversation: int) -> None:
        """The account's own conversation as it stands after this exchange."""
        own = self.conversations
        own.append(conversation)
        if len(own) > CONVERSATIONS_MAX:
            del own[0]


_HEADER: Final = struct.Struct("<qqqIIIQQI")
_FLOAT_CELLS: Final = CELLS + COLUMNS


class _Tail(Struct, array_like=True):
    ids: bytes
    seen_s: bytes
    """When each id was seen, seconds since the epoch, 4 bytes each."""
    keys: list[int]
    """Key, uses, told; key, uses, told; ..."""
    current_keys: list[int]
    """Positions in `keys` of the last exchange's keys."""
    conversations: bytes


_encode_tail: Final = msgspec.msgpack.Encoder().encode
_decode_tail: Final = msgspec.msgpack.Decoder(_Tail).decode


def pack_behaviour(behaviour: Behaviour) -> bytes:
    """The behaviour as bytes; `restore_behaviour` gives back exactly the same. About 2 us."""
    b = behaviour
    order = {key: place for place, key in enumerate(b.keys)}
    tail = _Tail(
        array("Q", b.event_ids.keys()).tobytes(),
        array("I", b.event_ids.values()).tobytes(),
        [number for key, use in b.keys.items() for number in (key, use.uses, use.told)],
        [order[key] for key in b.current_keys],
        array("Q", b.conversations).tobytes(),
    )
    header = _HEADER.pack(
        b.windows.at, b.first_at, b.created_at, b.limit_rpm, b.exchanges, b.refused, b.links_hash, b.parameters_hash, b.same_uses
    )
    return b"".join((header, b.windows.sums.tobytes(), b.means.tobytes(), b.counts, _encode_tail(tail)))


def restore_behaviour(packed: bytes) -> Behaviour:
    """The behaviour that was packed."""
    b = Behaviour()
    at, b.first_at, b.created_at, b.limit_rpm, b.exchanges, b.refused, b.links_hash, b.parameters_hash, b.same_uses = _HEADER.unpack_from(packed)
    floats = _HEADER.size + 4 * _FLOAT_CELLS
    numbers = array("f", packed[_HEADER.size : floats])
    b.windows, b.means = Windows(at, numbers[:CELLS]), numbers[CELLS:]
    b.counts = bytearray(packed[floats : floats + COLUMNS])
    tail = _decode_tail(packed[floats + COLUMNS :])
    b.event_ids = dict(zip(array("Q", tail.ids), array("I", tail.seen_s), strict=True))
    keys = tail.keys
    b.keys = {keys[i]: KeyUse(keys[i + 1], keys[i + 2]) for i in range(0, len(keys), 3)}
    listed = list(b.keys)
    b.current_keys = [listed[place] for place in tail.current_keys]
    b.conversations = array("Q", tail.conversations).tolist()
    return b
