"""Labels: the last word about a subject, for its time, and never a reason to stumble."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guard.policy.labels import LABEL_BYTES_MAX, LabelBook, Verdict, decode_label
from guard.policy.policy import FOREVER_AT
from guard.units import EventTimeMs

LABEL: dict[str, Any] = {
    "label_id": "l-1", "scope": "account", "subject": "a-1", "verdict": "extraction", "at": 1_000, "author": "analyst",
}  # fmt: skip


def record(**changes: object) -> tuple[bytes, bytes]:
    """A label as it lies on the topic."""
    label = {**LABEL, **changes}
    return f"{label['scope']}:{label['subject']}".encode(), json.dumps(label).encode()


def _book(*records: tuple[bytes, bytes | None]) -> LabelBook:
    book, refused = LabelBook.empty().with_records(records)
    assert not refused
    return book


def _verdict(book: LabelBook, at: int) -> Verdict | None:
    label = book.verdict("account", "a-1", EventTimeMs(at))
    return None if label is None else label.verdict


def test_a_label_holds_for_events_from_its_time_until_its_expiry() -> None:
    """A label that came late still speaks about the events it was made for, and no label is for ever unless it says so."""
    book = _book(record(expires_at=5_000))

    assert [_verdict(book, at) for at in (999, 1_000, 4_999, 5_000)] == [None, "extraction", "extraction", None]


def test_a_label_without_expiry_holds_on() -> None:
    """A certificate is taken back by its tombstone."""
    assert _verdict(_book(record()), 10**14) is Verdict.EXTRACTION


def test_the_last_record_of_a_subject_counts() -> None:
    """An appeal that was upheld replaces the suspicion, whatever its own time says."""
    book = _book(record(), record(label_id="l-2", verdict="appeal_upheld", at=500))

    assert _verdict(book, 600) is Verdict.APPEAL_UPHELD
    assert [label.label_id for label in book.exemptions()] == ["l-2"]


def test_a_tombstone_takes_the_label_off() -> None:
    """Compaction forgets it too."""
    book = _book(record(verdict="certified"), (b"account:a-1", None))

    assert not book
    assert book == LabelBook.empty()
    assert list(book.exemptions()) == []


def test_unknown_fields_are_ignored() -> None:
    """A reader of the contract lets writers add."""
    assert _verdict(_book(record(colour="blue")), 1_000) is Verdict.EXTRACTION


@pytest.mark.parametrize(
    ("value", "line"),
    [
        (record(verdict="guilty"), "Invalid enum value"),
        (record(at="1000"), "Expected `int`, got `str`"),
        (record(at=-1), "at -1"),
        (record(expires_at=1_000), "the second later"),
        (record(subject=""), "subject ''"),
        (record(author="x" * 200), "author"),
        (record(scope="all", subject="*"), "scope 'all'"),
        ((b"account:a-2", record()[1]), "the record key is b'account:a-2'; it should be b'account:a-1'"),
        ((None, record()[1]), "the record key is None"),
        ((b"account:a-1", b"{"), "truncated"),
        ((b"account:a-1", b"\xff"), "malformed"),
        ((b"account:a-1", b"[" * 4_000), "label"),
        ((b"account:a-1", b" " * (LABEL_BYTES_MAX + 1)), "at most 4096 are read"),
        ((b"account:a-1\n\x1b", b"null"), "Expected `object`"),
    ],
)
def test_a_bad_label_gets_one_line_and_changes_nothing(value: tuple[bytes | None, bytes], line: str) -> None:
    """One analyst's broken script must not touch what the others said."""
    before = _book(record(verdict="benign"))
    after, refused = before.with_records([value])

    assert after == before
    assert len(refused) == 1
    assert line in refused[0]
    assert refused[0].isascii()
    assert refused[0].isprintable()


def test_a_bad_label_does_not_spoil_the_batch() -> None:
    """The next record is taken as if it had never been."""
    book, refused = LabelBook.empty().with_records([(b"x", b"x"), record()])

    assert len(refused) == 1
    assert _verdict(book, 1_000) is Verdict.EXTRACTION


subjects = st.lists(st.tuples(st.sampled_from(["a-1", "a-2", "a-3"]), st.sampled_from([*Verdict, None])), max_size=20)


@given(history=subjects, dice=st.randoms())
def test_only_the_last_record_of_each_subject_matters(history: list[tuple[str, Verdict | None]], dice: Any) -> None:
    """A worker that reads the compacted topic and one that saw all of it must agree, in any order of subjects."""
    records = [
        (key, None if verdict is None else value)
        for name, verdict in history
        for key, value in [record(subject=name, verdict=verdict or "benign")]
    ]
    last = list(dict(records).items())
    dice.shuffle(last)
    full, compacted = _book(*records), _book(*last)

    assert full == compacted
    assert full.hash == compacted.hash
    assert list(full.exemptions()) == list(compacted.exemptions())


def test_null_stands_for_no_end_and_no_note() -> None:
    """Many encoders write null for what they leave open."""
    written = b'{"label_id":"l","scope":"account","subject":"a","verdict":"benign","at":5,"author":"x","expires_at":null,"note_ref":null}'

    assert decode_label(written).expires_at == FOREVER_AT
