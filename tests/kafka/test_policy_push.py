"""`guard policy show|lint|push` against a real broker, with real followers as the workers' ears."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import typer
from aiokafka import AIOKafkaConsumer
from typer.testing import CliRunner, Result

from guard.cli.policy import policy_app
from guard.control.follower import ControlFollower
from guard.control.push import push_policy, read_policy_topic
from guard.errors import GuardError, InputError
from guard.policy.errors import PolicyError
from guard.policy.signature import UNSIGNED, KeyRing
from guard.topics import Topic
from tests.support.broker import renew_topics
from tests.support.control_topics import CONTROL, answered, eventually, put_policies
from tests.support.policies import document

STRICT = KeyRing({"k1": bytes(32)})
"""A worker with these keys refuses unsigned documents."""


def _guard(bootstrap: str, *arguments: str) -> Result:
    return CliRunner().invoke(policy_app, list(arguments), env={"GUARD_BOOTSTRAP": bootstrap})


def _file(folder: Path, value: bytes) -> str:
    path = folder / "policy.json"
    path.write_bytes(value)
    return str(path)


@contextlib.asynccontextmanager
async def _worker(bootstrap: str, name: str, keys: KeyRing = UNSIGNED) -> AsyncIterator[ControlFollower]:
    """What `push --wait` sees of a worker: a group member under its name, and a follower that answers."""
    member = AIOKafkaConsumer(Topic.REQUESTS.value, bootstrap_servers=bootstrap, group_id="guard", client_id=name)
    follower = ControlFollower(bootstrap, enforce=False, worker_name=name, keys=keys)
    async with member:
        await eventually(lambda: bool(member.assignment()))
        await follower.start()
        try:
            yield follower
        finally:
            await follower.stop()


async def _fresh(bootstrap: str) -> None:
    await renew_topics(bootstrap, topics=(*CONTROL, Topic.REQUESTS))


def test_push_with_wait_ends_well_once_every_live_worker_has_accepted(broker, tmp_path):
    """Configuration that was applied somewhere, or nowhere, while the command said yes: not here."""

    async def scenario() -> Result:
        await _fresh(broker.bootstrap)
        async with _worker(broker.bootstrap, "w-1"), _worker(broker.bootstrap, "w-2"):
            arguments = ("push", _file(tmp_path, document(version=3)), "--wait", "--timeout", "20s")
            return await asyncio.to_thread(_guard, broker.bootstrap, *arguments)

    result = asyncio.run(scenario())

    assert result.exit_code == 0, result.output
    assert "accepted by 2: w-1, w-2" in result.output


def test_push_with_wait_names_the_worker_that_rejects_and_why(broker, tmp_path):
    """One worker with other keys than the rest is exactly what one wants to hear about."""

    async def scenario() -> Result:
        await _fresh(broker.bootstrap)
        async with _worker(broker.bootstrap, "w-strict", STRICT):
            arguments = ("push", _file(tmp_path, document(version=3)), "--wait", "--timeout", "20s")
            return await asyncio.to_thread(_guard, broker.bootstrap, *arguments)

    result = asyncio.run(scenario())

    assert isinstance(result.exception, InputError)
    assert "w-strict rejected version 3: signature: missing" in str(result.exception)


def test_push_with_wait_fails_when_no_worker_runs(broker, tmp_path):
    """A script must not take silence for consent; the document lies on the topic all the same."""
    asyncio.run(_fresh(broker.bootstrap))
    result = _guard(broker.bootstrap, "push", _file(tmp_path, document(version=3)), "--wait", "--timeout", "1s")
    topic = asyncio.run(read_policy_topic(broker.bootstrap, UNSIGNED))

    assert isinstance(result.exception, GuardError)
    assert "was not answered in time by any worker" in str(result.exception)
    assert topic.schedule.newest.version == 3


@pytest.mark.parametrize(
    ("value", "line"), [(document(mode="on"), "mode: 'on'"), (document(version=2), "should be above 5"), (b"{", "not JSON")]
)
def test_a_document_that_would_be_refused_is_not_pushed(broker, tmp_path, value, line):
    """Lint comes first, against the topic as it is; exit code 3."""

    async def scenario() -> None:
        await _fresh(broker.bootstrap)
        await put_policies(broker.bootstrap, document(version=5))

    asyncio.run(scenario())
    result = _guard(broker.bootstrap, "push", _file(tmp_path, value))
    topic = asyncio.run(read_policy_topic(broker.bootstrap, UNSIGNED))

    assert result.exit_code == 3
    assert line in result.stderr
    assert topic.documents == 1


def test_show_tells_what_is_in_force_and_each_workers_last_answer(broker):
    """The question after every incident is who went by what."""

    async def scenario() -> None:
        await _fresh(broker.bootstrap)
        await put_policies(broker.bootstrap, document(version=1), document(version=2, effective_at=10**14), b"garbage")
        async with _worker(broker.bootstrap, "w-1"):
            await answered(broker.bootstrap, 3)

    asyncio.run(scenario())
    plain, machine = _guard(broker.bootstrap, "show"), _guard(broker.bootstrap, "show", "--json")
    seen = json.loads(machine.output)

    assert plain.exit_code == machine.exit_code == 0
    assert "in force   version 1" in plain.output
    assert "later      version 2" in plain.output
    assert "w-1 rejected an unreadable document, in force there 1" in plain.output
    assert (seen["in_force"]["version"], seen["documents"], seen["workers"][0]["worker"]) == (1, 3, "w-1")


def test_two_operators_with_the_same_version_cannot_both_win(broker):
    """The first one on the topic counts; the second is told."""

    async def scenario() -> None:
        await _fresh(broker.bootstrap)
        await push_policy(broker.bootstrap, document(version=7, author="one"), UNSIGNED)
        await push_policy(broker.bootstrap, document(version=7, author="two"), UNSIGNED)

    with pytest.raises(PolicyError, match="version: 7; it should be above 7"):
        asyncio.run(scenario())


def test_lint_and_schema_need_no_broker(tmp_path):
    """A policy is checked where it is written."""
    good, bad = _file(tmp_path, document()), str(tmp_path / "bad.json")
    Path(bad).write_text("{}")
    results = [
        CliRunner().invoke(policy_app, arguments) for arguments in (["lint", good], ["lint", good, "--json"], ["lint", bad], ["schema"])
    ]

    assert [result.exit_code for result in results] == [0, 0, 3, 0]
    assert json.loads(results[1].output)["version"] == 1
    assert results[2].stderr.count("bad.json: ") == 3
    assert json.loads(results[3].output)["additionalProperties"] is False


def test_the_policy_commands_are_a_typer_application():
    """`guard` takes them in as they are."""
    assert isinstance(policy_app, typer.Typer)
    assert {command.callback.__name__ for command in policy_app.registered_commands} == {"show", "lint", "push", "sign", "schema"}
