"""The control value: what one batch of records from the three topics makes of it."""

import json
from typing import NamedTuple

from guard.control.answers import decode_answers, encode_answer
from guard.control.board import opening_control, take
from guard.topics import Topic
from guard.units import EventTimeMs
from tests.support.policies import document


class Record(NamedTuple):
    """A record as Kafka hands it over."""

    topic: str
    offset: int
    key: bytes | None
    value: bytes | None


OPENING = opening_control(enforce=False)


def _policy(value: bytes | None, offset: int = 0) -> Record:
    return Record(Topic.POLICY, offset, b"policy", value)


def test_garbage_as_the_newest_document_leaves_the_last_good_one() -> None:
    """A cold start must not depend on the last person who typed."""
    taken = take(OPENING, [_policy(document(version=3)), _policy(b"\x00garbage", 1)])

    assert taken.control.policies.newest.version == 3
    assert [answered.accepted is not None for answered in taken.answered] == [True, False]


def test_garbage_alone_leaves_the_built_in_policy() -> None:
    """The guard works before anybody wrote a policy."""
    taken = take(OPENING, [_policy(None), _policy(b"{}", 1)])

    assert taken.control.policies is OPENING.policies
    assert all(answered.faults for answered in taken.answered)


def test_an_answer_names_worker_version_faults_and_the_hash_in_force() -> None:
    """Operators see from the topic alone who goes by what."""
    good, bad = take(OPENING, [_policy(document(version=3)), _policy(document(version=2), 1)]).answered
    accepted, rejected = good.by("w-1", EventTimeMs(50)), bad.by("w-1", EventTimeMs(51))

    assert (accepted.key, accepted.answer, accepted.hash) == (b"w-1:3", "accepted", accepted.document_hash)
    assert (rejected.key, rejected.answer, rejected.in_force_version) == (b"w-1:2", "rejected", 3)
    assert rejected.why == ("version: 2; it should be above 3, the highest version accepted so far",)
    assert rejected.hash == accepted.document_hash


def test_an_unreadable_document_is_answered_under_its_offset() -> None:
    """It has no version that could stand in the key."""
    (bad,) = take(OPENING, [_policy(b"?", 17)]).answered

    assert bad.by("w-1", EventTimeMs(0)).key == b"w-1:@17"


def test_a_policy_for_later_is_accepted_but_not_in_force_yet() -> None:
    """The answer tells both."""
    (good,) = take(OPENING, [_policy(document(version=3, effective_at=1_000))]).answered
    answer = good.by("w-1", EventTimeMs(999))

    assert (answer.is_accepted, answer.effective_at, answer.in_force_version, answer.hash) == (True, 1_000, 0, "builtin-shadow")


def test_answers_survive_the_topic_and_strangers_on_it_are_passed_over() -> None:
    """A status reader must not fall over what somebody else wrote there."""
    (good,) = take(OPENING, [_policy(document())]).answered
    answer = good.by("w-1", EventTimeMs(5))

    assert decode_answers([b"{}", None, encode_answer(answer), b"\xff"]) == [answer]


def test_labels_and_campaigns_arrive_and_bad_ones_are_named() -> None:
    """One bad record of each kind beside good ones."""
    label = {"label_id": "l", "scope": "account", "subject": "a", "verdict": "benign", "at": 0, "author": "x"}
    campaign = {"campaign_id": "c-1", "state": "active", "keys": [{"kind": "payment_fingerprint", "value": "k1:ff", "weight": 0.9}]}
    taken = take(
        OPENING,
        [
            Record(Topic.LABELS, 0, b"account:a", json.dumps(label).encode()),
            Record(Topic.LABELS, 1, b"account:b", b"?"),
            Record(Topic.CAMPAIGNS, 0, b"c-1", json.dumps(campaign).encode()),
            Record(Topic.CAMPAIGNS, 1, b"c-2", b"?"),
            Record(Topic.CAMPAIGNS, 2, b"\xff", None),
        ],
    )

    assert taken.control.labels.knows("account", "a")
    assert list(taken.control.watch.campaigns) == ["c-1"]
    assert len(taken.refused) == 3


def test_a_campaigns_tombstone_takes_it_off_the_watch_list() -> None:
    """A campaign that is over must not follow people around."""
    campaign = json.dumps({"campaign_id": "c-1", "state": "active", "keys": []}).encode()
    watched = take(OPENING, [Record(Topic.CAMPAIGNS, 0, b"c-1", campaign)]).control
    released = take(watched, [Record(Topic.CAMPAIGNS, 1, b"c-1", None)]).control

    assert list(watched.watch.campaigns) == ["c-1"]
    assert list(released.watch.campaigns) == []


def test_a_batch_without_news_hands_back_the_same_parts() -> None:
    """Stages are told only when something changed."""
    taken = take(OPENING, [])

    assert taken.control == OPENING
    assert taken.control.labels is OPENING.labels
