"""All that is remembered of one link key: who shares it, how evenly it is used, how new its users are. Bounded and packed.

Accounts are exact up to `MEMBERS_MAX[kind]`; beyond it a sketch counts them (6.5 % error) and the list keeps the first ones.
"""

import enum
from typing import Final

import msgspec
from msgspec import Struct

from guard.state.evenness import Evenness
from guard.state.sketch import REGISTERS_FEW, DistinctCount


class KeyKind(enum.IntEnum):
    """Kinds of link between accounts. The number is part of stored records: append, never renumber."""

    PAYMENT = 0
    PREFIX = 1
    SHAPE = 2
    PARAPHRASE = 3
    CLIENT = 4
    NETWORK = 5
    CONVERSATION = 6
    SIGNATURE = 7
    ORGANISATION = 8

    @property
    def word(self) -> str:
        """The kind as campaign records and reasons write it."""
        return KIND_WORDS[self]


KIND_WORDS: Final = {
    KeyKind.PAYMENT: "payment_fingerprint",
    KeyKind.PREFIX: "prefix",
    KeyKind.SHAPE: "shape",
    KeyKind.PARAPHRASE: "simhash",
    KeyKind.CLIENT: "client_fingerprint",
    KeyKind.NETWORK: "ip_prefix",
    KeyKind.CONVERSATION: "conversation",
    KeyKind.SIGNATURE: "reasoning_signature",
    KeyKind.ORGANISATION: "org_id",
}


class Age(enum.IntEnum):
    """What an account's age says at its first contact with a key. The number is part of stored records."""

    UNKNOWN = 0
    NEW = 1
    AGED = 2
    TRUSTED = 3


KINDS: Final = tuple(KeyKind)
"""Every kind at the place of its number: cheaper than calling the enumeration."""

PAYMENT, PREFIX, SHAPE, PARAPHRASE, CLIENT, NETWORK, CONVERSATION, SIGNATURE, ORGANISATION = KINDS
AGE_UNKNOWN, AGE_NEW, AGE_AGED, AGE_TRUSTED = Age
"""Kinds and ages for the hot path: reading a member off its enumeration takes 0.1 us, ten times as long as a global."""

MEMBERS_MAX: Final = {
    KeyKind.PAYMENT: 5_000,
    KeyKind.PREFIX: 2_048,
    KeyKind.SHAPE: 256,
    KeyKind.PARAPHRASE: 256,
    KeyKind.CLIENT: 256,
    KeyKind.NETWORK: 64,
    KeyKind.CONVERSATION: 16,
    KeyKind.SIGNATURE: 64,
    KeyKind.ORGANISATION: 5_000,
}
"""Accounts listed by name per key. A payment fingerprint's are complete, since its decision must name them all (contract)."""


SEVERAL: Final = "*"
"""Stands for more than one card or organisation."""


ANEW_USES_MIN: Final = 5.0
ANEW_HOURS_MIN: Final = 2.0
"""Uses per account and hours from which a count begun anew says anything: what a key needs to be settled, and a use more."""


class LinkRecord(Struct, array_like=True):
    """One key's memory. Counts of accounts are over the key's life; uses are exchanges."""

    kind: int
    value: str
    first_at: int = 0
    at: int = 0
    accounts: int = 0
    """Accounts that ever used the key; an estimate once `sketch` is not empty."""
    mass: float = 0.0
    """Sum over accounts of their devotion: the share of each one's exchanges, since it met the key, that carries it."""
    mass_square: float = 0.0
    """Sum of its squares: with `mass`, how many accounts stand behind the key in earnest."""
    aged_mass: float = 0.0
    """Devotion of accounts whose age is known."""
    new_mass: float = 0.0
    """Of which younger than `young_account_days` at their first use."""
    trusted_mass: float = 0.0
    """Of which trusted at their first use: old enough and never sanctioned."""
    uses: float = 0.0
    tokens: float = 0.0
    even: Evenness = msgspec.field(default_factory=Evenness)
    """How evenly its accounts use it, from the first use on."""
    anew: Evenness | None = None
    """The same since accounts that had been stopped were let go; None where none were."""
    registered: int = 0
    """Listed accounts that were not new when they met the key and whose day of registration is known."""
    same_day: int = 0
    """Ordered pairs of these that were registered on the same day."""
    tellings: int = 0
    voice: float = 0.0
    """Mean elicitation of the exchanges that told of the key: each account speaks in geometric steps, so none drowns the rest."""
    rubric: float = 0.0
    """Mean rubric grading, likewise."""
    timed: float = 0.0
    """Share of the accounts that call by a timer, likewise."""
    timings: int = 0
    card: str = ""
    """The one payment fingerprint behind all accounts of which one is known; `*` once there are two, empty while there is none."""
    organisation: str = ""
    """The one organisation behind all accounts so far, likewise."""
    cardless: int = 0
    """Accounts behind which no card was known at their first use."""
    organisationless: int = 0
    """Accounts behind which no organisation was known, likewise."""
    sketch: bytes = b""
    suspected_uses: float = 0.0
    suspected_accounts: int = 0
    suspected_score: float = 0.0
    limit_rpm: int = 0
    """Highest plan limit among the accounts."""
    judged_at: int = 0
    judged_accounts: int = 0
    judged_uses: float = 0.0
    refused: int = 0
    """Requests under the key that were refused to their account, by a decision or by its plan's limit."""
    taken_over: int = 0
    """Of which a stranger's account got the answer within seconds."""
    takers: bytes = b""
    """Sketch of the different pairs of accounts of which one took over from the other, 16 bytes."""
    hands: bytes = b""
    """Sketch of the accounts in these pairs, 256 bytes."""
    suspected_families: int = 0
    callers_spread: float = 0.0
    """Mean spread of the accounts that told of the key, with all that they did lately, likewise."""
    callers: int = 0
    pace: float = 0.0
    """Mean logarithm of the mean gap, in milliseconds, of the accounts that told of the key, likewise."""
    pace_square: float = 0.0
    """Mean of its square, likewise."""
    declined: float = 0.0
    """Share of the exchanges told of that the model declined, likewise."""
    answers: int = 0
    """Tellings behind it: exchanges of which it is known."""
    release_s: int = 0
    """The wave of releases, by its second, that the next three are about."""
    present: int = 0
    """Accounts listed when it began."""
    present_seen: int = 0
    """Of these, those that were told of within the day."""
    moved: int = 0
    """Of these, those that asked for a new model."""

    def shown(self, at: int) -> Evenness:
        """The count that shows how the key is used: all of it, or what came since accounts were let go, where that is enough and more surely even.

        A stop, and who came in it, looks like people's rhythm; a slow pool needs days to show its own again, and keeps it through a short stop.
        """
        anew = self.anew
        if anew is None or anew.uses < ANEW_USES_MIN * anew.accounts or anew.exposure_hours(at) < ANEW_HOURS_MIN:
            return self.even
        return anew if anew.errors_below_people > self.even.errors_below_people else self.even

    @property
    def callers_scatter(self) -> float:
        """Variance of the logarithm of the callers' pace, with all that they did lately: a balancer's are alike, people and programs are not."""
        return max(0.0, self.pace_square - self.pace * self.pace)

    @property
    def adherents(self) -> float:
        """How many accounts stand behind the key in earnest (Kish's effective size): who tries a public prompt once hardly counts."""
        return self.mass * self.mass / self.mass_square if self.mass_square > 0 else 0.0

    @property
    def devotion(self) -> float:
        """The devotion of a typical adherent, 0-1: the mean weighted by itself."""
        return self.mass_square / self.mass if self.mass > 0 else 0.0

    def weigh(self, devotion: float, age: int, sign: int = 1) -> None:
        """Add an account's devotion to the sums by its `Age`, or take it out with `sign` -1."""
        self.mass += sign * devotion
        self.mass_square += sign * devotion * devotion
        if age != AGE_UNKNOWN:
            self.aged_mass += sign * devotion
            if age == AGE_NEW:
                self.new_mass += sign * devotion
            elif age == AGE_TRUSTED:
                self.trusted_mass += sign * devotion

    def count_account(self, hashed: int, listed: int) -> bool:
        """Take in one account that is not listed; True when it is new to the key. Exact below the list's bound, sketched beyond."""
        if listed < MEMBERS_MAX[KINDS[self.kind]]:
            self.accounts += 1
            return True
        sketch = DistinctCount(self.sketch) if self.sketch else DistinctCount()
        if not sketch.observe(hashed):
            return False
        before = DistinctCount(self.sketch).estimate() if self.sketch else 0.0
        self.sketch = bytes(sketch.registers)
        after = sketch.estimate()
        self.accounts = MEMBERS_MAX[KINDS[self.kind]] + round(after)
        return after > before

    @property
    def takers_total(self) -> float:
        """About how many different pairs of accounts took over from one another: a pool's are ever new ones, people have one spare account."""
        return DistinctCount(self.takers).estimate() if self.takers else 0.0

    @property
    def hands_total(self) -> float:
        """About how many accounts took over or were taken over from."""
        return DistinctCount(self.hands).estimate() if self.hands else 0.0

    def take_over(self, pair: int, accounts: tuple[int, int]) -> None:
        """Count that one of two accounts got the answer that the other was refused; 64 bits of hash of the pair, and of each."""
        self.taken_over += 1
        takers = DistinctCount(self.takers or bytes(REGISTERS_FEW))
        if takers.observe(pair):
            self.takers = bytes(takers.registers)
        hands = DistinctCount(self.hands) if self.hands else DistinctCount()
        if sum(map(hands.observe, accounts)):
            self.hands = bytes(hands.registers)
