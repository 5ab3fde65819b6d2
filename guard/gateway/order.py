"""One decision as a gateway keeps it: what to do, under which id, until when; 30 bytes and its id's."""

import re
from struct import Struct as Layout
from typing import Final

from msgspec import UNSET, Struct

from guard.decisions.decision import Action, Decision
from guard.scoring.reasons import REASONS

_HEAD: Final = Layout("<qqIBB")
"""Begin and end (UTC milliseconds), rate (0 for none), action and flags, reason."""
_RATE_MAX: Final = 0xFFFF_FFFF
_EXEMPTION: Final = 0x10
_SHORT_ID: Final = 0x20
_ACTION: Final = 0x0F
WORDS: Final = {action.word: action for action in Action}
CODES: Final = tuple(REASONS)
"""Reason codes by the number that stands for them in a packed order."""
_NUMBERS: Final = {code: number for number, code in enumerate(CODES)}
_UNKNOWN: Final = 0xFF
_HASHED: Final = re.compile("d-[0-9a-f]{32}", re.ASCII)


class Order(Struct, frozen=True, gc=False):
    """Part 0 of a subject's decision."""

    action: Action
    issued_at: int
    expires_at: int
    decision_id: str
    rate_rpm: int | None
    is_exemption: bool
    reason_code: str
    """The strongest reason; empty if the decision gives none or one that this version does not know."""


def pack_order(decision: Decision) -> bytes:
    """The order in a decision. Raises KeyError for an action that the contract does not know."""
    action = WORDS[decision.action]
    flags = int(action)
    if action is Action.ALLOW and decision.expires_at > decision.issued_at:
        flags |= _EXEMPTION
    name = decision.decision_id.encode()
    if _HASHED.fullmatch(decision.decision_id):
        flags |= _SHORT_ID
        name = bytes.fromhex(decision.decision_id[2:])
    rate = 0 if decision.rate_rpm is UNSET else min(max(decision.rate_rpm, 1), _RATE_MAX)
    reason = _NUMBERS.get(decision.reasons[0].code, _UNKNOWN) if decision.reasons else _UNKNOWN
    return _HEAD.pack(decision.issued_at, decision.expires_at, rate, flags, reason) + name


def unpack_order(packed: bytes) -> Order:
    """What `pack_order` packed."""
    issued_at, expires_at, rate, flags, reason = _HEAD.unpack_from(packed)
    name = packed[_HEAD.size :]
    return Order(
        Action(flags & _ACTION),
        issued_at,
        expires_at,
        f"d-{name.hex()}" if flags & _SHORT_ID else name.decode(),
        rate or None,
        bool(flags & _EXEMPTION),
        CODES[reason] if reason < len(CODES) else "",
    )


def is_due(packed: bytes, at: int) -> bool:
    """Whether the order still holds at `at`, UTC milliseconds."""
    return at < int.from_bytes(packed[8:16], "little", signed=True)
