"""A worker's answer to one policy document, as it travels on `guard.policy.status`."""

import hashlib
from collections.abc import Iterable

import msgspec
from msgspec import Struct

from guard.policy.errors import PolicyError
from guard.policy.policy import Policy
from guard.policy.schedule import PolicySchedule
from guard.units import EventTimeMs

ACCEPTED = "accepted"
REJECTED = "rejected"


class PolicyAnswer(Struct, frozen=True, kw_only=True):
    """What one worker made of one document."""

    worker: str
    version: int | None
    """The version that the document claims; None when it cannot be read."""
    answer: str
    """`accepted` or `rejected`."""
    why: tuple[str, ...] = ()
    """One line for each fault of a rejected document."""
    effective_at: int | None = None
    """Event time from which an accepted document holds, milliseconds."""
    document_hash: str
    """SHA-256 of the document that is answered, hex."""
    offset: int
    """Where the document lies on `guard.policy`."""
    hash: str
    """Hash of the policy in force at `at`, after this document."""
    in_force_version: int
    """Its version; 0 for the built-in policy."""
    at: int
    """When the worker answered, its own clock, milliseconds."""

    @property
    def key(self) -> bytes:
        """The record key: `worker:version`, or `worker:@offset` for a document without a readable version."""
        return f"{self.worker}:{f'@{self.offset}' if self.version is None else self.version}".encode()

    @property
    def is_accepted(self) -> bool:
        """Whether the worker goes by the document."""
        return self.answer == ACCEPTED


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(PolicyAnswer).decode


def encode_answer(answer: PolicyAnswer) -> bytes:
    """The answer as it travels."""
    return _encode(answer)


def decode_answers(values: Iterable[bytes | None]) -> list[PolicyAnswer]:
    """The answers among the values, in their order; what is none of ours is passed over."""
    answers = []
    for value in values:
        try:
            answers.append(_decode(value or b""))
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue
    return answers


def document_hash(value: bytes | None) -> str:
    """SHA-256 of a document's bytes, hex."""
    return hashlib.sha256(value or b"").hexdigest()


class Answered(Struct, frozen=True):
    """A document taken in: the schedule after it, and the faults if it was refused."""

    schedule: PolicySchedule
    offset: int
    document_hash: str
    version: int | None
    faults: tuple[str, ...]
    accepted: Policy | None

    def by(self, worker: str, at: EventTimeMs) -> PolicyAnswer:
        """The answer of `worker` at its own time `at`."""
        in_force = self.schedule.at(at)
        return PolicyAnswer(
            worker=worker,
            version=self.version,
            answer=REJECTED if self.accepted is None else ACCEPTED,
            why=self.faults,
            effective_at=None if self.accepted is None else self.accepted.effective_at,
            document_hash=self.document_hash,
            offset=self.offset,
            hash=in_force.hash,
            in_force_version=in_force.version,
            at=at,
        )


def take_document(schedule: PolicySchedule, value: bytes | None, offset: int) -> Answered:
    """Take one record of `guard.policy` in. A document that is refused leaves the schedule as it was."""
    digest = document_hash(value)
    try:
        after = schedule.with_document(value or b"")
    except PolicyError as error:
        return Answered(schedule, offset, digest, error.version, error.lines, None)
    return Answered(after, offset, digest, after.newest.version, (), after.newest)
