"""Exemptions: an allow-list that loses is what users of such systems hate most."""

from hypothesis import given
from hypothesis import strategies as st

from guard.decisions.decision import Origin
from guard.policy.exemption import exemption
from guard.policy.labels import LabelBook, Verdict
from guard.policy.parse import parse_policy
from guard.policy.policy import FOREVER_AT
from guard.units import EventTimeMs
from tests.support.policies import document

ENTRY = {"scope": "account", "subject": "a-1", "author": "ops"}


def _labels(verdict: str, at: int, expires_at: int) -> LabelBook:
    label = f'{{"label_id":"l","scope":"account","subject":"a-1","verdict":"{verdict}","at":{at},"author":"x","expires_at":{expires_at}}}'
    book, refused = LabelBook.empty().with_records([(b"account:a-1", label.encode())])
    assert not refused
    return book


def test_an_entry_without_end_exempts_for_ever() -> None:
    """What operators expect of a line in a list."""
    found = exemption(parse_policy(document(allow_list=[ENTRY])), LabelBook.empty(), "account", "a-1", EventTimeMs(10**14))

    assert found is not None
    assert (found.until, found.origin, found.why, found.reference) == (FOREVER_AT, Origin.OPERATOR, "allow_list", "ops")


def test_an_entry_exempts_its_own_scope_only() -> None:
    """An account and a card may have the same name."""
    policy = parse_policy(document(allow_list=[ENTRY]))

    assert exemption(policy, LabelBook.empty(), "payment_fingerprint", "a-1", EventTimeMs(0)) is None


def test_of_two_exemptions_the_longer_one_counts() -> None:
    """A short certificate must not shorten a long entry."""
    policy = parse_policy(document(allow_list=[{**ENTRY, "expires_at": 5_000}]))
    longer = exemption(policy, _labels("certified", 0, 9_000), "account", "a-1", EventTimeMs(1))
    shorter = exemption(policy, _labels("certified", 0, 3_000), "account", "a-1", EventTimeMs(1))

    assert longer is not None
    assert shorter is not None
    assert (longer.until, longer.why, shorter.until, shorter.why) == (9_000, "certified", 5_000, "allow_list")


@given(
    at=st.integers(0, 20),
    entry_until=st.none() | st.integers(1, 20),
    verdict=st.sampled_from([*Verdict]),
    label_at=st.integers(0, 10),
    lasts=st.integers(1, 10),
)
def test_a_subject_is_exempt_exactly_while_somebody_vouches(
    at: int, entry_until: int | None, verdict: Verdict, label_at: int, lasts: int
) -> None:
    """Extraction and benign labels never exempt, and nothing exempts a millisecond longer than it says."""
    entries = [] if entry_until is None else [{**ENTRY, "expires_at": entry_until}]
    found = exemption(
        parse_policy(document(allow_list=entries)), _labels(verdict.value, label_at, label_at + lasts), "account", "a-1", EventTimeMs(at)
    )
    is_listed = entry_until is not None and at < entry_until
    is_labelled = verdict in (Verdict.CERTIFIED, Verdict.APPEAL_UPHELD) and label_at <= at < label_at + lasts

    assert (found is not None) == (is_listed or is_labelled)
    assert found is None or found.until > at
