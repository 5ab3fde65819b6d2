"""The control value as records of the three topics change it: pure, so that a file, a test and a broker do the same."""

from collections.abc import Iterable
from typing import Protocol

import msgspec
from msgspec import Struct

from guard.control.answers import Answered, take_document
from guard.engine.control import Control
from guard.engine.watchlist import WatchList
from guard.policy.errors import shown
from guard.policy.labels import LabelBook
from guard.policy.schedule import PolicySchedule
from guard.policy.signature import UNSIGNED, KeyRing
from guard.topics import Topic


class ControlRecord(Protocol):
    """What is read of one record. aiokafka's `ConsumerRecord` fits as it is."""

    @property
    def topic(self) -> str:
        """Where the record lies."""

    @property
    def offset(self) -> int:
        """Its offset there."""

    @property
    def key(self) -> bytes | None:
        """Its key, if any."""

    @property
    def value(self) -> bytes | None:
        """Its bytes; None is a tombstone."""


class Taken(Struct, frozen=True):
    """What came of a batch: the control after it, the policy documents answered, and the records refused."""

    control: Control
    answered: tuple[Answered, ...]
    refused: tuple[str, ...]
    """One line for each label or campaign record that changed nothing."""


def opening_control(*, enforce: bool, keys: KeyRing = UNSIGNED) -> Control:
    """The control before any record: built-in policy, no label, nobody watched for."""
    return Control(PolicySchedule.builtin(enforce=enforce, keys=keys), LabelBook.empty(), WatchList.empty())


def take(control: Control, records: Iterable[ControlRecord]) -> Taken:
    """Take a batch in. Whatever its records hold, this raises nothing, and a bad record changes nothing."""
    by_topic: dict[str, list[ControlRecord]] = {Topic.POLICY: [], Topic.LABELS: [], Topic.CAMPAIGNS: []}
    for record in records:
        by_topic[record.topic].append(record)
    answered, policies = [], control.policies
    for record in by_topic[Topic.POLICY]:
        answered.append(take_document(policies, record.value, record.offset))
        policies = answered[-1].schedule
    labels = control.labels
    refused: tuple[str, ...] = ()
    if by_topic[Topic.LABELS]:
        labels, refused = labels.with_records((record.key, record.value) for record in by_topic[Topic.LABELS])
    watch, unread = _watch(control.watch, by_topic[Topic.CAMPAIGNS])
    return Taken(Control(policies, labels, watch), tuple(answered), (*refused, *unread))


def _watch(watch: WatchList, records: list[ControlRecord]) -> tuple[WatchList, list[str]]:
    refused = []
    done: set[bytes | None] = set()
    for record in reversed(records):  # newest first: of each campaign only the newest readable record counts
        if record.key in done:
            continue
        try:
            watch = watch.with_campaign(record.key or b"", record.value)
            done.add(record.key)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            refused.append(f"campaign {shown(record.key)}: {ascii(str(error))[1:-1][:200]}")
    return watch, refused
