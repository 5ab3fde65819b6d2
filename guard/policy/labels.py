"""What analysts, appeals and billing say about subjects: the last record per subject holds, until its expiry or tombstone."""

import enum
from collections.abc import Iterable, Iterator
from typing import Final

import msgspec
import xxhash
from msgspec import Struct

from guard.decisions.decision import Scope
from guard.policy.errors import LabelError, shown
from guard.policy.policy import FOREVER_AT
from guard.units import STRING_CHARS_MAX, EventTimeMs

LABELS_MAX: Final = 500_000
"""Subjects remembered; a label for one more is refused until others have their tombstone."""

LABEL_BYTES_MAX: Final = 4 * 1024


class Verdict(enum.StrEnum):
    """What a label says."""

    EXTRACTION = "extraction"
    BENIGN = "benign"
    APPEAL_UPHELD = "appeal_upheld"
    CERTIFIED = "certified"


EXEMPTING: Final = frozenset({Verdict.APPEAL_UPHELD, Verdict.CERTIFIED})
"""Labels that no sanction passes."""


class Label(Struct, frozen=True, kw_only=True):
    """One label, in the contract's words; fields that it does not know are ignored."""

    label_id: str
    scope: Scope
    subject: str
    verdict: Verdict
    at: EventTimeMs
    author: str
    expires_at: EventTimeMs = FOREVER_AT
    note_ref: str = ""

    @property
    def key(self) -> bytes:
        """The record key: `scope:subject`."""
        return f"{self.scope.value}:{self.subject}".encode()

    def holds(self, at: EventTimeMs) -> bool:
        """Whether the label is in force for an event at `at`."""
        return self.at <= at < self.expires_at


class _Written(Struct, frozen=True, kw_only=True):
    """A label as it may be written: what has no end or no note may also say null."""

    label_id: str
    scope: Scope
    subject: str
    verdict: Verdict
    at: EventTimeMs
    author: str
    expires_at: EventTimeMs | None = None
    note_ref: str | None = None


_decode = msgspec.json.Decoder(_Written).decode
_encode = msgspec.json.Encoder().encode


def decode_label(value: bytes) -> Label:
    """The label in a record's value; raises LabelError with one line that names the field and what would be right."""
    if len(value) > LABEL_BYTES_MAX:
        raise LabelError(f"label: {len(value)} bytes; at most {LABEL_BYTES_MAX} are read")
    try:
        written = msgspec.structs.asdict(_decode(value))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise LabelError(f"label: {ascii(str(error))[1:-1][:200]}") from None
    label = Label(**{name: said for name, said in written.items() if said is not None})
    _check(label)
    return label


def _check(label: Label) -> None:
    if label.scope is Scope.ALL:
        raise LabelError("label: scope 'all'; a label speaks about one account, payment_fingerprint, organisation or campaign")
    for name in ("label_id", "subject", "author"):
        text = getattr(label, name)
        if not (text.isprintable() and 1 <= len(text) <= STRING_CHARS_MAX):
            raise LabelError(f"label: {name} {shown(text)}; it should be 1-{STRING_CHARS_MAX} printable characters")
    if len(label.note_ref) > STRING_CHARS_MAX or not label.note_ref.isprintable():
        raise LabelError(f"label: note_ref {shown(label.note_ref)}; it should be at most {STRING_CHARS_MAX} printable characters")
    if not 0 <= label.at < label.expires_at <= FOREVER_AT:
        raise LabelError(
            f"label: at {label.at}, expires_at {label.expires_at}; they should be event times in milliseconds, the second later"
        )


class LabelBook(Struct, frozen=True):
    """All labels by (scope, subject), at most `LABELS_MAX`. Records change it whole batch by whole batch."""

    labels: dict[tuple[str, str], Label] = {}
    exempting: dict[tuple[str, str], Label] = {}
    """Those of `labels` that exempt."""
    digest: int = 0
    """Exclusive or over the labels' own hashes, so that it does not depend on the order in which they came."""

    @classmethod
    def empty(cls) -> "LabelBook":
        """The book before any label."""
        return cls()

    def __bool__(self) -> bool:
        """Whether anybody has said anything."""
        return bool(self.labels)

    @property
    def hash(self) -> str:
        """One short name for all labels: equal books have equal hashes."""
        return f"{self.digest:016x}"

    def knows(self, scope: str, subject: str) -> bool:
        """Whether there is a label about the subject, in force or not."""
        return (scope, subject) in self.labels

    def verdict(self, scope: str, subject: str, at: EventTimeMs) -> Label | None:
        """The label in force for an event of `subject` at `at`. 0.1 us while the book is empty."""
        if not self.labels:
            return None
        label = self.labels.get((scope, subject))
        return label if label is not None and label.holds(at) else None

    def exemptions(self) -> Iterator[Label]:
        """The labels that exempt, by scope and subject, whether in force yet or not."""
        for key in sorted(self.exempting):
            yield self.exempting[key]

    def with_records(self, records: Iterable[tuple[bytes | None, bytes | None]]) -> "tuple[LabelBook, tuple[str, ...]]":
        """The book after these (key, value) records, and one line for each that was refused and so changed nothing.

        A value of None is a tombstone. Cost: about 1 us for each label in the book, so hand over whole batches.
        """
        labels = dict(self.labels)
        refused = tuple(line for key, value in records if (line := _apply(labels, key, value)) is not None)
        exempting = {key: label for key, label in labels.items() if label.verdict in EXEMPTING}
        digest = 0
        for label in labels.values():
            digest ^= xxhash.xxh3_64_intdigest(_encode(label))
        return LabelBook(labels, exempting, digest), refused


def _apply(labels: dict[tuple[str, str], Label], key: bytes | None, value: bytes | None) -> str | None:
    """Take one record into `labels`; the line that says why not, else None."""
    if value is None:
        scope, _, subject = (key or b"").decode("utf-8", "replace").partition(":")
        labels.pop((scope, subject), None)
        return None
    try:
        label = decode_label(value)
    except LabelError as error:
        return f"{error} (record key {shown(key)})"
    if key != label.key:
        return f"label: the record key is {shown(key)}; it should be {shown(label.key)}, the label's scope and subject"
    subject_key = (label.scope.value, label.subject)
    if subject_key not in labels and len(labels) >= LABELS_MAX:
        return f"label: {LABELS_MAX} subjects are labelled and {shown(key)} is one more; write tombstones for labels that are over"
    labels[subject_key] = label
    return None
