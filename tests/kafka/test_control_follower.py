"""The follower against a real broker: what a worker goes by when it starts, while it runs, and what it answers."""

import asyncio
import json
from collections.abc import Awaitable, Callable

import pytest
from aiokafka import AIOKafkaProducer

from guard.control.follower import ControlFollower
from guard.errors import BrokerUnreachableError, ClusterMismatchError
from guard.topics import Topic
from tests.support.broker import renew_topics
from tests.support.control_topics import CONTROL, answered, answers, delete_topic, eventually, put, put_policies
from tests.support.policies import document

LABEL = {"label_id": "l", "scope": "account", "verdict": "certified", "at": 0, "author": "x"}
Scenario = Callable[[str], Awaitable[None]]


def _label(subject: str) -> tuple[bytes, bytes]:
    return f"account:{subject}".encode(), json.dumps({**LABEL, "subject": subject}).encode()


def _follower(bootstrap: str, name: str = "w-1") -> ControlFollower:
    return ControlFollower(bootstrap, enforce=False, worker_name=name)


@pytest.fixture
def play(broker):
    """Run a scenario on fresh control topics."""

    def run(scenario: Scenario) -> None:
        async def whole() -> None:
            await renew_topics(broker.bootstrap, topics=CONTROL)
            await scenario(broker.bootstrap)

        asyncio.run(whole())

    return run


def test_a_cold_start_with_garbage_as_the_newest_document_goes_by_the_previous_one(play):
    """The last good policy stays, also across restarts."""

    async def scenario(bootstrap: str) -> None:
        await put_policies(bootstrap, document(version=1), document(version=2), b"\x00garbage")
        follower = _follower(bootstrap)
        await follower.start()
        await follower.stop()

        assert follower.control.policies.newest.version == 2
        assert [(answer.version, answer.is_accepted) for answer in await answers(bootstrap)] == [(1, True), (2, True), (None, False)]

    play(scenario)


def test_a_cold_start_with_nothing_but_garbage_goes_by_the_built_in_policy(play):
    """Somebody's first attempt must not keep the guard from starting."""

    async def scenario(bootstrap: str) -> None:
        await put_policies(bootstrap, b"version: 1", b"{}")
        follower = _follower(bootstrap)
        await follower.start()
        await follower.stop()

        assert follower.control.policies.newest.version == 0
        assert {answer.hash for answer in await answers(bootstrap)} == {"builtin-shadow"}

    play(scenario)


def test_every_worker_takes_a_change_and_answers_it(play):
    """The operator sees each of them on the status topic."""

    async def scenario(bootstrap: str) -> None:
        followers = [_follower(bootstrap, "w-1"), _follower(bootstrap, "w-2")]
        seen: list[int] = []
        for follower in followers:
            follower.subscribe(lambda control: seen.append(control.policies.newest.version))
            await follower.start()
        await put_policies(bootstrap, document(version=5), document(version=4))
        found = await answered(bootstrap, 4)
        for follower in followers:
            await follower.stop()

        assert seen == [5, 5]
        assert {(answer.worker, answer.version, answer.is_accepted) for answer in found} == {
            ("w-1", 5, True), ("w-2", 5, True), ("w-1", 4, False), ("w-2", 4, False),
        }  # fmt: skip
        assert {answer.in_force_version for answer in found} == {5}

    play(scenario)


def test_a_restart_does_not_answer_the_whole_history_again(play):
    """A crash loop must not flood the status topic."""

    async def scenario(bootstrap: str) -> None:
        await put_policies(bootstrap, *[document(version=version) for version in range(1, 21)], b"garbage")
        for name in ("w-1", "w-2", "w-1"):
            follower = _follower(bootstrap, name)
            await follower.start()
            await follower.stop()
        found = await answers(bootstrap)

        assert len(found) == 21 + 2 + 2
        assert [(answer.worker, answer.version) for answer in found[21:]] == [("w-2", 20), ("w-2", None), ("w-1", 20), ("w-1", None)]

    play(scenario)


def test_labels_of_all_partitions_and_campaigns_are_known_before_the_first_event(play):
    """A worker must not judge a certified account in the seconds after its start."""

    async def scenario(bootstrap: str) -> None:
        names = [f"a-{number}" for number in range(20)]
        await put(bootstrap, Topic.LABELS, *[_label(name) for name in names], (b"account:a-7", None), (b"account:a-8", b"?"))
        await put(bootstrap, Topic.CAMPAIGNS, (b"c-1", b'{"campaign_id":"c-1","state":"active","keys":[]}'), (b"c-2", b"?"))
        follower = _follower(bootstrap)
        await follower.start()
        await follower.stop()

        assert {label.subject for label in follower.control.labels.exemptions()} == set(names) - {"a-7"}
        assert list(follower.control.watch.campaigns) == ["c-1"]
        assert follower.tallies["control.refused"] == 2

    play(scenario)


def test_what_a_transaction_has_not_committed_is_neither_read_nor_waited_for(play):
    """A campaigns stage that died inside a transaction must not keep other workers from starting."""

    async def scenario(bootstrap: str) -> None:
        record = b'{"campaign_id":"c-1","state":"active","keys":[]}'
        producer = AIOKafkaProducer(bootstrap_servers=bootstrap, transactional_id="tests-control")
        follower = _follower(bootstrap)
        async with producer:
            await producer.begin_transaction()
            await producer.send_and_wait(Topic.CAMPAIGNS, record, key=b"c-1")
            await follower.start()
            before = dict(follower.control.watch.campaigns)
            await producer.commit_transaction()
        await eventually(lambda: "c-1" in follower.control.watch.campaigns)
        await follower.stop()

        assert before == {}

    play(scenario)


def test_a_missing_topic_is_named(play):
    """Exit code 5 and the command that helps."""

    async def scenario(bootstrap: str) -> None:
        await delete_topic(bootstrap, Topic.LABELS)
        await _follower(bootstrap).start()

    with pytest.raises(ClusterMismatchError, match="`guard topics create`"):
        play(scenario)


def test_a_broker_out_of_reach_is_named():
    """Exit code 4, no traceback."""

    async def scenario() -> None:
        await _follower("127.0.0.1:1").start()

    with pytest.raises(BrokerUnreachableError, match=r"127\.0\.0\.1:1: no broker answers"):
        asyncio.run(scenario())


def test_a_fault_in_a_subscriber_is_seen_from_outside(play):
    """A worker that follows no longer must not go on judging by an old policy in silence."""

    async def scenario(bootstrap: str) -> None:
        follower = _follower(bootstrap)
        follower.subscribe(lambda _: 1 / 0)
        await follower.start()
        await put_policies(bootstrap, document(version=1))
        following = follower.following
        await eventually(following.done)
        await follower.stop()

        assert isinstance(following.exception(), ZeroDivisionError)

    play(scenario)
