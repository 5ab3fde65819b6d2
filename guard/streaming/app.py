"""The Faust app: an agent per stage, a table per changelog, nothing open to the network."""

from typing import Any, Final

import faust
from faust.app.base import BootStrategy

from guard.config import WorkerConfig
from guard.streaming.batches import BatchSchema
from guard.streaming.recovery import BatchTableManager
from guard.streaming.shards import Shards
from guard.streaming.stages import ROUTES, StageKind
from guard.streaming.store import StateTable
from guard.streaming.transport import SCHEME
from guard.topics import TOPICS

HEARTBEAT_SECONDS: Final = 1.0
REBALANCE_SECONDS: Final = 10.0
"""How long the group waits for a member in a rebalance: the last flush (5 s) and some more."""
METADATA_MS: Final = 5_000
"""How soon another number of partitions is noticed."""
NEVER_SECONDS: Final = 10.0 * 365 * 86_400
"""The period of what the runtime does on its own and the shards do better."""
QUEUE_BATCHES_MAX: Final = 1_000_000
"""Never reached: what is queued is bounded by records, before it is fetched."""


class QuietBoot(BootStrategy):
    """Starts neither a web server nor the runtime's own producer: every shard has its own."""

    enable_web = False
    enable_kafka_producer = False


class GuardApp(faust.App):
    """Faust's app with the worker's shards; writes nothing to the disk."""

    BootStrategy = QuietBoot
    shards: Shards

    def _create_directories(self) -> None:
        """Nothing is kept on the disk: state lives in the changelogs."""


def create_app(config: WorkerConfig, shards: Shards) -> GuardApp:
    """The app over these shards, not started."""
    app = GuardApp(
        config.group,
        broker=[f"{SCHEME}://{address}" for address in config.bootstrap.split(",")],
        store="memory://",
        autodiscover=False,
        web_enabled=False,
        topic_disable_leader=True,
        topic_allow_declare=False,
        topic_partitions=shards.shards,
        table_standby_replicas=0,
        stream_wait_empty=True,
        stream_buffer_maxsize=QUEUE_BATCHES_MAX,
        broker_session_timeout=config.session_timeout_ms / 1_000,
        broker_heartbeat_interval=HEARTBEAT_SECONDS,
        broker_rebalance_timeout=REBALANCE_SECONDS,
        broker_commit_interval=NEVER_SECONDS,
        consumer_metadata_max_age_ms=METADATA_MS,
        Table=StateTable,
        TableManager=BatchTableManager,
    )
    app.shards = shards
    for kind in StageKind:
        _add_stage(app, kind, shards)
    return app


def _add_stage(app: GuardApp, kind: StageKind, shards: Shards) -> None:
    route = ROUTES[kind]
    changelog = app.topic(route.changelog.value, key_type=bytes, value_type=bytes, acks=False)
    partitions = TOPICS[route.changelog][0].partitions(shards.shards)
    app.Table(kind.value, key_type=bytes, value_type=bytes, partitions=partitions, changelog_topic=changelog)

    async def take(stream: Any) -> None:
        async for event in stream.events():
            await shards.take(event.value)

    app.agent(app.topic(route.source.value, schema=BatchSchema()), name=f"guard.{kind}")(take)
