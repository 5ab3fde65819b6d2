"""What stages tell one another: contacts (accounts to links), suspicions and reports (to campaigns). Internal, msgpack."""

from typing import Final

import msgspec
from msgspec import Struct

from guard.scoring.reasons import Reason


class Contact(Struct, array_like=True, gc=False):
    """An account's use of one link key since the links stage was last told of it."""

    kind: int
    key: int
    """Hash of kind and value."""
    value: str
    account: str
    at: int
    uses: int
    """Exchanges since the last telling."""
    square: int
    """By how much the square of the account's uses grew: its sum over accounts tells how even a pool is."""
    hours: int
    """By how many hours of the account with a use of the key they grew."""
    pairs: int
    """By how many ordered pairs of uses within one of these hours they grew: the same within an hour."""
    slots: int
    """By how many slots of ten minutes of the account with a use of the key they grew: sessions fill few."""
    is_first: bool
    age: int
    created_day: int
    """Day since the epoch on which the account was registered, 0 when unknown."""
    devotion: float
    """Share of the account's answered exchanges since it met the key that carried it, 0-1."""
    card: str
    """The payment fingerprint behind the account, empty when unknown."""
    organisation: str
    """The organisation behind the account, empty when unknown."""
    limit_rpm: int
    asks: float
    """How far this exchange asks for reasoning, 0-1; the account's mean where the event does not say."""
    grades: float
    """How far it asks for a grade, likewise."""
    voice: float
    """The account's mean of the former over all its exchanges lately, which tells what is usual in the crowd."""
    rubric: float
    single_turn: float
    timed: float = 0.0
    """1 when the account's exchanges come by a timer: gaps of hardly any spread; -1 when too few are known."""
    tokens_per_use: float = 0.0
    """Input and output tokens of the account's mean exchange lately."""
    spread: float = -1.0
    """`Behaviour.spread` of the account: near 0 where it comes in sessions, 1 where it calls at any time; -1 when too few gaps are known."""
    pace: float = -1.0
    """Natural logarithm of the account's mean gap between exchanges lately, in milliseconds; -1 when too few gaps are known."""
    input_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0
    model: str = ""
    """The model asked for; empty when the request was not answered."""
    declined: int = -1
    """1 where the model declined this exchange, 0 where it did not; -1 when nobody says."""

    @property
    def uses_before(self) -> int:
        """The account's uses of the key as they were told of last; only where `uses` grew since."""
        return (self.square // self.uses - self.uses) // 2


class Turn(Struct, array_like=True, gc=False):
    """A conversation or reasoning signature that an account left behind (`is_own`) or continues without having left it."""

    kind: int
    key: int
    account: str
    at: int
    is_own: bool
    means: str
    """`card|organisation` behind the account, each empty when unknown."""


class Request(Struct, array_like=True, gc=False):
    """A request that an account was refused, or that it sent and may have taken over from another."""

    key: int
    """Hash of the prompt prefix that it was sent under."""
    request: int
    """Hash of what was sent, under that prefix."""
    account: str
    at: int
    """When it was refused, or when its exchange began."""
    is_refused: bool
    means: str
    """`card|organisation` behind the account, each empty when unknown."""


class Told(Struct, array_like=True):
    """One record of the links topic."""

    contacts: list[Contact]
    turns: list[Turn]
    requests: list[Request] = []


class Suspicion(Struct, array_like=True, tag=1):
    """A link key that looks like a pool's: its evidence, and the accounts known to share it (a sample beyond the bound)."""

    kind: int
    value: str
    at: int
    first_at: int
    score: float
    reasons: tuple[Reason, ...]
    """Weights after what speaks for the key was taken off."""
    accounts: int
    uses: int
    tokens: int
    members: tuple[str, ...]
    families: int = 0
    """Independent families behind the score."""


class Report(Struct, array_like=True, tag=2):
    """An account that was met carrying keys of a known campaign."""

    account: str
    campaign_id: str
    at: int
    kinds: tuple[int, ...]
    age: int
    exchanges: int
    is_first: bool
    devoted: tuple[int, ...] = ()
    """Those of the kinds whose key is what the account asks with, not something that it tried."""


class Crossing(Struct, array_like=True, tag=3):
    """A conversation or reasoning signature that went from one account to a stranger's."""

    kind: int
    owner: str
    account: str
    at: int


CONTACTS_PER_RECORD_MAX: Final = 500
"""Contacts, turns, and requests, in one record of the links topic: about 150 KB at most."""

encode_told: Final = msgspec.msgpack.Encoder().encode
decode_told: Final = msgspec.msgpack.Decoder(Told).decode
encode_tip: Final = msgspec.msgpack.Encoder().encode
decode_tip: Final = msgspec.msgpack.Decoder(Suspicion | Report | Crossing).decode
