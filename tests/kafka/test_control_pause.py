"""`guard pause` and `guard resume` on a real broker, without any worker."""

import asyncio
import json

import pytest
import typer
from typer.testing import CliRunner, Result

from guard.cli.labels import label_app
from guard.cli.pause import pause, resume
from guard.control.topics_read import read_topic
from guard.decisions.decision import decode_decision
from guard.errors import ClusterMismatchError
from guard.topics import Topic
from tests.support.broker import SHARDS, fresh_topics, renew_topics

SWITCH = typer.Typer()
SWITCH.command()(pause)
SWITCH.command()(resume)


def _guard(bootstrap: str, *arguments: str, app: typer.Typer = SWITCH) -> Result:
    return CliRunner().invoke(app, list(arguments), env={"GUARD_BOOTSTRAP": bootstrap})


def _decisions(bootstrap: str) -> list:
    return asyncio.run(read_topic(bootstrap, Topic.DECISIONS))


def test_a_pause_lies_on_the_last_partition_and_resume_after_it(broker):
    """Every gateway reads it there, and nothing but the broker is needed to write it."""
    fresh_topics(broker.bootstrap, topics=(Topic.REQUESTS, Topic.DECISIONS))
    results = [_guard(broker.bootstrap, "pause", "--for", "1h", "--reason", "rule gone wild"), _guard(broker.bootstrap, "resume", "--json")]
    first, second = _decisions(broker.bootstrap)
    paused, resumed = decode_decision(first.value), decode_decision(second.value)

    assert [result.exit_code for result in results] == [0, 0]
    assert (first.partition, first.key, first.headers) == (SHARDS, b"all:*", (("note", b"rule gone wild"),))
    assert paused.expires_at - paused.issued_at == 3_600_000
    assert resumed.expires_at == resumed.issued_at >= paused.issued_at
    assert json.loads(results[1].output)["decision_id"] == resumed.decision_id


def test_a_pause_is_refused_where_the_partitions_are_not_as_the_contract_wants(broker):
    """On another partition no gateway would promise to keep its order."""

    async def scenario() -> None:
        await renew_topics(broker.bootstrap, 3, (Topic.REQUESTS,))
        await renew_topics(broker.bootstrap, 2, (Topic.DECISIONS,))

    asyncio.run(scenario())
    result = _guard(broker.bootstrap, "pause", "--for", "1h")

    assert isinstance(result.exception, ClusterMismatchError)
    assert "guard.decisions has 3 partitions; it should have 4" in str(result.exception)


@pytest.mark.parametrize("text", ["3d", "1s", "soon"])
def test_a_pause_of_no_sane_length_is_refused_before_the_broker_is_asked(text):
    """Exit code 2, whatever the broker does."""
    result = _guard("127.0.0.1:1", "pause", "--for", text)

    assert result.exception.exit_code == 2


def test_labels_are_pushed_whole_and_withdrawn_by_tombstone(broker, tmp_path):
    """Appeals and certificates reach the guard by a command, too."""
    fresh_topics(broker.bootstrap, topics=[Topic.LABELS])
    label = {"label_id": "l", "scope": "account", "subject": "a-1", "verdict": "certified", "at": 0, "author": "x"}
    good, bad = tmp_path / "good.jsonl", tmp_path / "bad.jsonl"
    good.write_text(json.dumps(label))
    bad.write_text(f"{json.dumps(label)}\n{{}}")
    results = [
        _guard(broker.bootstrap, "push", str(good), app=label_app),
        _guard(broker.bootstrap, "push", str(bad), app=label_app),
        _guard(broker.bootstrap, "withdraw", "account", "a-1", app=label_app),
    ]
    records = asyncio.run(read_topic(broker.bootstrap, Topic.LABELS))

    assert [result.exit_code for result in results] == [0, 1, 0]
    assert "bad.jsonl:2: label" in str(results[1].exception)
    assert [(record.key, record.value is None) for record in records] == [(b"account:a-1", False), (b"account:a-1", True)]
