"""The decision as the contract writes it: one order about one subject, with its reasons and its end."""

import enum

import msgspec
import xxhash
from msgspec import UNSET, Struct, UnsetType

from guard.scoring.reasons import Reason
from guard.units import EventTimeMs

MEMBERS_PER_PART_MAX = 1_000
"""Members of one part of a decision; further members lie in further parts (contract)."""


class Action(enum.IntEnum):
    """The rungs of the ladder, milder first."""

    ALLOW = 0
    THROTTLE = 1
    CHALLENGE = 2
    BLOCK = 3

    @property
    def word(self) -> str:
        """The action as it is written in a decision."""
        return self.name.lower()


class Scope(enum.StrEnum):
    """Whom a decision speaks about."""

    ACCOUNT = "account"
    PAYMENT = "payment_fingerprint"
    ORGANISATION = "organisation"
    CAMPAIGN = "campaign"
    ALL = "all"


class Origin(enum.StrEnum):
    """Who decided."""

    AUTOMATIC = "automatic"
    OPERATOR = "operator"
    LABEL = "label"


class Mode(enum.StrEnum):
    """Whether gateways obey the decision."""

    ENFORCE = "enforce"
    SHADOW = "shadow"


class Decision(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One order about one subject; fields in the contract's words. Absent fields are left out of the JSON."""

    decision_id: str = ""
    scope: str
    subject: str
    part: int = 0
    action: str
    rate_rpm: int | UnsetType = UNSET
    issued_at: EventTimeMs
    expires_at: EventTimeMs
    score: float
    reasons: tuple[Reason, ...]
    campaign_id: str | UnsetType = UNSET
    members: tuple[str, ...] | UnsetType = UNSET
    members_total: int | UnsetType = UNSET
    policy_version: int
    model_version: str
    supersedes: str | UnsetType = UNSET
    origin: str
    mode: str

    @property
    def key(self) -> bytes:
        """The record key: `scope:subject`, and `#part` for parts beyond the first."""
        part = f"#{self.part}" if self.part else ""
        return f"{self.scope}:{self.subject}{part}".encode()


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Decision).decode


def sealed(decision: Decision) -> Decision:
    """The decision with its id: a hash of everything else in it, so that one id can never have two bodies."""
    digest = xxhash.xxh3_128_hexdigest(_encode(decision))
    return msgspec.structs.replace(decision, decision_id=f"d-{digest}")


def encode_decision(decision: Decision) -> bytes:
    """The decision as it travels."""
    return _encode(decision)


def decode_decision(value: bytes) -> Decision:
    """The decision that was written; raises `msgspec.ValidationError` when it is none."""
    return _decode(value)
