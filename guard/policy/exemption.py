"""Whom no sanction may reach, until when, and on whose word: the allow-list of the policy and the labels that exempt."""

from msgspec import Struct

from guard.decisions.decision import Origin
from guard.policy.labels import LabelBook
from guard.policy.policy import Policy
from guard.units import EventTimeMs


class Exemption(Struct, frozen=True):
    """One exemption in force."""

    until: EventTimeMs
    """First event time at which it no longer holds; `FOREVER_AT` for no end."""
    origin: Origin
    """`operator` for the allow-list, `label` for certificates and upheld appeals."""
    why: str
    """`allow_list`, `certified` or `appeal_upheld`."""
    reference: str
    """Who vouches: the entry's author, or the label's id."""


def exemption(policy: Policy, labels: LabelBook, scope: str, subject: str, at: EventTimeMs) -> Exemption | None:
    """The exemption of `subject` for an event at `at`, the one that ends last if there are two. 0.2 us when there are none at all."""
    entry = policy.allowed.get((scope, subject)) if policy.allowed else None
    listed = (
        Exemption(entry.expires_at, Origin.OPERATOR, "allow_list", entry.author) if entry is not None and at < entry.expires_at else None
    )
    label = labels.exempting.get((scope, subject)) if labels.exempting else None
    if label is None or not label.holds(at):
        return listed
    labelled = Exemption(label.expires_at, Origin.LABEL, label.verdict.value, label.label_id)
    return labelled if listed is None or labelled.until > listed.until else listed
