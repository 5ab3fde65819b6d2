"""`guard topics`: made once, left alone after, each difference named in one line."""

import asyncio
import json

import pytest
import typer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from typer.testing import CliRunner, Result

from guard.cli.topics import topics_app
from guard.errors import BrokerUnreachableError, ClusterMismatchError
from guard.streaming.admin import check_topics, create_topics, differences
from guard.topics import TOPICS, Topic
from tests.support.broker import fresh_topics

CLI = typer.Typer()
CLI.add_typer(topics_app, name="topics")


def _guard(bootstrap: str, *arguments: str) -> Result:
    return CliRunner().invoke(CLI, ["topics", *arguments], env={"GUARD_BOOTSTRAP": bootstrap})


async def _alter(bootstrap: str, topic: Topic, **settings: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    named = {name.replace("_", "."): value for name, value in settings.items()}
    await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic.value, named)])
    await admin.close()


def test_all_topics_are_made_as_the_contract_says_and_a_second_time_none(broker):
    """`guard topics create` runs at every deployment; it must be safe to run again."""
    fresh_topics(broker.bootstrap, shards=3, topics=[Topic.REQUESTS])
    asyncio.run(create_topics(broker.bootstrap, 3))
    fresh_topics(broker.bootstrap, shards=3)
    again = asyncio.run(create_topics(broker.bootstrap, 3))

    assert again == []
    assert asyncio.run(check_topics(broker.bootstrap, 3)) == []
    assert asyncio.run(check_topics(broker.bootstrap)) == []


def test_each_difference_is_one_line_with_what_would_be_right(broker):
    """Partition counts, clean-up and time stamps decide whether decisions are seen at all."""
    fresh_topics(broker.bootstrap, shards=2)
    fresh_topics(broker.bootstrap, shards=1, topics=[Topic.LABELS])
    asyncio.run(_alter(broker.bootstrap, Topic.POLICY, cleanup_policy="compact", message_timestamp_type="CreateTime"))
    lines = asyncio.run(check_topics(broker.bootstrap))

    assert "guard.labels: 1 partitions; it should have 2 (N for N = 2)" in lines
    assert "guard.policy: cleanup.policy is compact; it should be delete" in lines
    assert "guard.policy: message.timestamp.type is CreateTime; it should be LogAppendTime" in lines


def test_the_command_makes_what_is_missing_and_its_check_is_for_programs_too(broker):
    """Exit codes are the contract's: 0 when all is well, 5 when the cluster is not as it should be."""
    fresh_topics(broker.bootstrap, shards=1, topics=[Topic.REQUESTS])
    fresh_topics(broker.bootstrap, shards=2)
    made = _guard(broker.bootstrap, "create", "--partitions", "2")
    fine = _guard(broker.bootstrap, "check", "--json")
    other = _guard(broker.bootstrap, "check", "--partitions", "4", "--json")

    assert made.exit_code == fine.exit_code == 0
    assert f"0 topics made, {len(TOPICS)} were there" in made.output
    assert json.loads(fine.output) == {"topics": len(TOPICS), "mismatches": []}
    assert isinstance(other.exception, ClusterMismatchError)
    assert "guard.requests: 2 partitions; it should have 4 (N for N = 4)" in json.loads(other.output)["mismatches"]


def test_making_topics_for_another_n_changes_nothing_and_says_so(broker):
    """N is chosen once: state was built for it."""
    fresh_topics(broker.bootstrap, shards=2)
    result = _guard(broker.bootstrap, "create", "--partitions", "3")

    assert isinstance(result.exception, ClusterMismatchError)
    assert "guard.requests: 2 partitions; it should have 3" in str(result.exception)
    assert asyncio.run(check_topics(broker.bootstrap, 2)) == []


def test_no_broker_is_one_line_and_exit_code_4():
    """A wrong address is the first thing to go wrong anywhere."""
    result = _guard("127.0.0.1:1", "check")

    assert isinstance(result.exception, BrokerUnreachableError)
    assert result.exception.exit_code == 4
    assert "127.0.0.1:1: no broker answers" in str(result.exception)


@pytest.mark.parametrize("value", ["delete,compact", "compact,delete", "compact, delete"])
def test_the_order_within_a_list_does_not_matter(value):
    """Brokers give `compact,delete` back in either order."""
    settings = {**TOPICS[Topic.DECISIONS][1], "message.timestamp.type": "LogAppendTime", "cleanup.policy": value}

    assert differences(Topic.DECISIONS, 8, 9, settings) == []
