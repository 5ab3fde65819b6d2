"""How one account behaves: everything remembered of its exchanges, bounded, packed into one small byte string.

What happens beyond a bound: the oldest event id, link key or conversation gives way to the newest.
"""

from array import array
from math import exp, log
from typing import Final

from msgspec import Struct

from guard.state.windows import Windows
from guard.units import MINUTE_MS

EVENT_IDS_MAX: Final = 64
"""Event ids remembered of an account (contract: a duplicate is recognised within 64 exchanges or ten minutes)."""

EVENT_IDS_BUSY_MAX: Final = 256
"""Event ids remembered of an account that makes more than 64 exchanges in ten minutes; the oldest go first beyond it."""

EVENT_ID_AGE_S: Final = 600
"""How long a busy account's event ids are kept beyond the 64 newest (contract: 10 minutes)."""

KEYS_MAX: Final = 24
"""Link keys remembered of an account; beyond it the least used one gives way, and counts as a first contact when it returns."""

SHAPES_MAX: Final = 6
"""Shapes seen once, remembered until they come again: only what an account repeats is a template."""

PROMPTS_MAX: Final = 6
"""SimHashes of prompts without a family yet, to compare the next one with; the oldest gives way."""

FAMILIES_MAX: Final = 8
"""Families of paraphrases that the account asks with; the one longest without a like gives way."""

NEAR_BITS: Final = 8
"""SimHashes this near belong to one family: among random pairs 3e-10 are (binomial), a replaced name or number moves fewer bits."""

LIKES_MIN: Final = 2
"""Earlier prompts that a family takes besides the one at hand: the bitwise majority of three wordings, each with one bit in fourteen changed at
random, is one bit of 64 from what they have in common (3 p^2 - 2 p^3), where a single wording is 4.5."""

CONVERSATIONS_MAX: Final = 8
"""Conversations remembered as the account's own; a longer-idle one is asked about like a stranger's."""

SHARE_MEMORY: Final = 64
"""Exchanges over which means are remembered: the weight of an older one fades by 1/64 per exchange."""

# Columns of `Behaviour.means`.
ELICITATION, RUBRIC, SINGLE_TURN, SAME_PARAMETERS, GAP_MS, GAP_SQUARE, NEW_SLOT, COLUMNS = range(8)

GAPS: Final = (GAP_MS, GAP_SQUARE, NEW_SLOT)
SPREAD_GAPS_MIN: Final = 8
"""Gaps before an account can be said to come in sessions or not: fewer are one session."""
TIMED_GAPS_MIN: Final = 3
TIMED_SPREAD_MAX: Final = 0.05
"""Standard deviation of a timer's gaps, as a share of their mean; independent arrivals have 1, people more (Goh and Barabasi 2008)."""

DEVOTED_OVER: Final = 16
"""Exchanges over which devotion is taken at least: less is one session. What an account did before it met a key says nothing about the key:
bought accounts have a past when they join a pool."""
DEVOTED_USES: Final = 4
DEVOTED_SHARE: Final = 0.4
"""Uses, and devotion, from which a key is what the account works with and not something that it tried: people try a public prompt among
others."""

SLOT_MS: Final = 10 * MINUTE_MS
"""Turns of one session follow within minutes (Azure 2023 conversations), so that it fills few slots with many uses."""
HASH_BYTES: Final = 8
SECONDS_MAX: Final = (1 << 32) - 1


class KeyUse(Struct, gc=False):
    """How often an account used one link key, how evenly over its hours, and how much of that the links stage has been told."""

    uses: int = 0
    told: int = 0
    hour_uses: int = 0
    """Uses in the account's current hour."""
    untold_hours: int = 0
    """Hours with a use that are over and have not been told of."""
    untold_pairs: int = 0
    """Ordered pairs of uses within one hour, of the hours that are over, that have not been told of."""
    slot: int = 0
    """The account's slot, modulo 256, in which it used the key last."""
    untold_slots: int = 0
    """Slots with a use that have not been told of."""
    met: int = 0
    """Answered exchanges of the account before it used the key."""

    def count(self, uses: int, slot: int) -> None:
        """Take in `uses` of the account's slot at hand."""
        self.uses += uses
        self.hour_uses += uses
        if slot != self.slot:
            self.slot = slot
            self.untold_slots += 1

    def close_hour(self) -> None:
        """The account's hour is over: what it says beyond the last telling waits for the next one."""
        self.untold_hours, self.untold_pairs = self.grown()
        self.hour_uses = 0

    def grown(self) -> tuple[int, int]:
        """By how many hours, and pairs of uses within one hour, the key's use has grown since last told."""
        if not self.hour_uses:
            return self.untold_hours, self.untold_pairs
        told = max(0, self.hour_uses - (self.uses - self.told))
        pairs = self.hour_uses * (self.hour_uses - 1) - told * (told - 1)
        return self.untold_hours + (not told), self.untold_pairs + pairs


class Behaviour:
    """One account's memory of its own exchanges.

    `means` and `counts` hold, per column, a mean that fades by count and how many exchanges carried that field at all
    (64 at most): a missing field is missing, not zero. `first_s` and `created_s` are seconds since the epoch, 0 while unknown.
    `since_new` counts exchanges from the last one that brought a new card or template. `hour_s` is when the hour began that the keys' `hour_uses` are of: with an exchange, so that
    sessions are not cut; `slot_s` and `slot` are when the slot of ten minutes began, likewise, and its number modulo 256. `untold_tokens` are input, output and reasoning tokens that the payment fingerprint has not been told of.
    """

    __slots__ = (
        "conversations",
        "counts",
        "created_s",
        "current_keys",
        "event_ids",
        "event_seconds",
        "exchanges",
        "families",
        "first_s",
        "hour_s",
        "keys",
        "limit_rpm",
        "means",
        "parameters_hash",
        "prompts",
        "refused",
        "same_uses",
        "shapes",
        "since_new",
        "slot",
        "slot_s",
        "untold_tokens",
        "windows",
    )

    def __init__(self) -> None:
        self.first_s = 0
        self.created_s = 0
        self.limit_rpm = 0
        self.exchanges = 0
        self.hour_s = 0
        self.refused = 0
        self.parameters_hash = 0
        self.same_uses = 0
        self.slot = 0
        self.slot_s = 0
        self.since_new = 0
        self.windows = Windows()
        self.means: array[float] = array("f", bytes(4 * COLUMNS))
        self.counts = bytearray(COLUMNS)
        self.event_ids = bytearray()
        self.event_seconds: array[int] = array("I")
        self.keys: dict[int, KeyUse] = {}
        self.current_keys: list[int] = []
        self.conversations: list[int] = []
        self.shapes: list[int] = []
        self.prompts: list[int] = []
        self.families: list[int] = []
        self.untold_tokens = [0, 0, 0]

    @property
    def at(self) -> int:
        """Newest event time of the account, milliseconds; 0 before the first exchange."""
        return self.windows.at

    @property
    def timed(self) -> float:
        """1 when the gaps between exchanges hardly differ: a timer, not a person and not a queue; -1 before three gaps."""
        if self.counts[GAP_MS] < TIMED_GAPS_MIN:
            return -1.0
        mean, square = self.means[GAP_MS], self.means[GAP_SQUARE]
        return float(square - mean * mean < TIMED_SPREAD_MAX**2 * mean * mean)

    def is_new_slot(self, at: int) -> bool:
        """Whether an exchange at `at` begins another slot of the account's own."""
        return at >= self.slot_s * 1_000 + SLOT_MS

    @property
    def spread(self) -> float:
        """Slots in which the account called lately, as a share of those that as many exchanges at random would fill; -1 before eight gaps.

        As `LinkRecord.spread`, of one account with all its keys: who comes in sessions is near 0, who calls at any time near 1.
        """
        if self.counts[GAP_MS] < SPREAD_GAPS_MIN:
            return -1.0
        per_slot = SLOT_MS / max(1.0, self.means[GAP_MS])
        return float(min(1.0, self.means[NEW_SLOT] * per_slot / (1.0 - exp(-per_slot))))

    @property
    def pace(self) -> float:
        """Natural logarithm of the mean gap between exchanges lately, in milliseconds; -1 before eight gaps."""
        return log(max(1.0, self.means[GAP_MS])) if self.counts[GAP_MS] >= SPREAD_GAPS_MIN else -1.0

    def forget_gaps(self) -> None:
        """Something new begins: when the account came before weighs as much as its next eight exchanges, and less and less than what follows."""
        for column in GAPS:
            self.counts[column] = min(self.counts[column], SPREAD_GAPS_MIN)

    def fade_in(self, column: int, value: float) -> None:
        """Take one more value into a column's fading mean."""
        counts, means = self.counts, self.means
        count = counts[column]
        if count < SHARE_MEMORY:
            counts[column] = count = count + 1
        mean = means[column]
        means[column] = mean + (value - mean) / count

    def is_duplicate(self, event_hash: bytes, at: int) -> bool:
        """True when this event id (its 8-byte hash) is remembered; otherwise it is from now on. 0.4 us."""
        ids = self.event_ids
        place = ids.find(event_hash)
        while place >= 0 and place % HASH_BYTES:
            place = ids.find(event_hash, place + 1)
        if place >= 0:
            return True
        at_s = min(at // 1_000, SECONDS_MAX)
        ids += event_hash
        self.event_seconds.append(at_s)
        is_old = self.event_seconds[0] < at_s - EVENT_ID_AGE_S
        if len(ids) > (EVENT_IDS_MAX if is_old else EVENT_IDS_BUSY_MAX) * HASH_BYTES:
            del ids[:HASH_BYTES]
            del self.event_seconds[0]
        return False

    def remember_key(self, key: int) -> KeyUse:
        """The memory of a link key that the account uses for the first time, or for the first time in long."""
        if len(self.keys) >= KEYS_MAX:
            spare = [old for old in self.keys if old not in self.current_keys]
            self.keys.pop(min(spare, key=lambda old: self.keys[old].uses))
        use = self.keys[key] = KeyUse(slot=self.slot - 1 & 255, met=max(0, self.exchanges - self.refused - 1))
        return use

    def devotion(self, uses: int, met: int) -> float:
        """Share, 0-1, of a key with so many uses in the answered exchanges since it was met, of the last `DEVOTED_OVER` at least."""
        answered = self.exchanges - self.refused
        return min(1.0, uses / max(1, answered - met, min(answered, DEVOTED_OVER)))

    def is_devoted(self, key: int) -> bool:
        """A key that the account knows is what it asks with: several exchanges, and a good share of those since it was met."""
        use = self.keys[key]
        uses = use.uses + (self.same_uses if key in self.current_keys else 0)
        return uses >= DEVOTED_USES and self.devotion(uses, use.met) >= DEVOTED_SHARE

    def repeated_shape(self, shape: int) -> bool:
        """True when this shape (its 32-bit hash) came lately; otherwise it is remembered from now on."""
        if shape in self.shapes:
            self.shapes.remove(shape)
            return True
        self.shapes.append(shape)
        if len(self.shapes) > SHAPES_MAX:
            del self.shapes[0]
        return False

    def family_of(self, simhash: int) -> int | None:
        """What the account's paraphrases of one prompt have in common, if this is one of them; None for another kind of prompt, now remembered.

        A family is found with its third wording and keeps the bitwise majority of the three, their median in Hamming distance: accounts
        that ask in wordings of their own for the same thing so arrive at nearly the same value.
        """
        families, prompts = self.families, self.prompts
        for place, family in enumerate(families):
            if (family ^ simhash).bit_count() <= NEAR_BITS:
                families.append(families.pop(place))
                return family
        likes = [earlier for earlier in prompts if (earlier ^ simhash).bit_count() <= NEAR_BITS]
        if len(likes) < LIKES_MIN:
            prompts.append(simhash)
            if len(prompts) > PROMPTS_MAX:
                del prompts[0]
            return None
        one, other = likes[-LIKES_MIN:]
        self.prompts = [earlier for earlier in prompts if earlier not in likes]
        families.append(one & other | simhash & (one | other))
        if len(families) > FAMILIES_MAX:
            del families[0]
        return families[-1]

    def remember_conversation(self, conversation: int) -> None:
        """The account's own conversation as it stands after this exchange."""
        own = self.conversations
        own.append(conversation)
        if len(own) > CONVERSATIONS_MAX:
            del own[0]
