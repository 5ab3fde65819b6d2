"""The closed table of stages: which topic each one reads, where its changelog is, and how it is made."""

import enum
from collections.abc import Mapping
from typing import Final, Protocol

from aiokafka import TopicPartition
from msgspec import Struct

from guard.engine.accounts import MODELS_KEY, AccountsStage
from guard.engine.campaigns import CampaignsStage
from guard.engine.control import Control
from guard.engine.links import LinksStage
from guard.engine.stage import Stage
from guard.topics import Topic


class StageKind(enum.StrEnum):
    """The three stages, in the order of an event's way."""

    ACCOUNTS = "accounts"
    LINKS = "links"
    CAMPAIGNS = "campaigns"


class Route(Struct, frozen=True):
    """Where a stage reads and where its state is kept. One writer owns partition p of all routes that it serves."""

    source: Topic
    changelog: Topic


ROUTES: Final[Mapping[StageKind, Route]] = {
    StageKind.ACCOUNTS: Route(Topic.REQUESTS, Topic.ACCOUNTS_STATE),
    StageKind.LINKS: Route(Topic.LINKS, Topic.LINKS_STATE),
    StageKind.CAMPAIGNS: Route(Topic.SUSPICIONS, Topic.CAMPAIGNS_STATE),
}
SOURCES: Final[Mapping[str, StageKind]] = {route.source.value: kind for kind, route in ROUTES.items()}
CHANGELOGS: Final[Mapping[str, StageKind]] = {route.changelog.value: kind for kind, route in ROUTES.items()}


class StageFactory(Protocol):
    """Makes one stage over the recovered records of its partition; the stage owns the mapping from then on."""

    def __call__(self, shard: int, shards: int, records: dict[bytes, bytes], control: Control, /) -> Stage:
        """The stage of shard `shard` of `shards`."""


StageTable = Mapping[StageKind, StageFactory]
"""Every kind has its factory."""


def engine_stages(models: bytes | None = None) -> StageTable:
    """The stages of the guard. A shard whose recovered state holds no models begins with these packed ones, if given."""
    return {
        StageKind.ACCOUNTS: _beginning(AccountsStage, models),
        StageKind.LINKS: _beginning(LinksStage, models),
        StageKind.CAMPAIGNS: CampaignsStage,
    }


def _beginning(factory: StageFactory, models: bytes | None) -> StageFactory:
    def make(shard: int, shards: int, records: dict[bytes, bytes], control: Control, /) -> Stage:
        if models is not None:
            records.setdefault(MODELS_KEY, models)
        return factory(shard, shards, records, control)

    return make


def kinds_of(shard: int, shards: int) -> tuple[StageKind, ...]:
    """The stages of a shard. Shards 0 to N-1 serve accounts and links; number N, the last one, serves the campaigns."""
    return (StageKind.CAMPAIGNS,) if shard == shards else (StageKind.ACCOUNTS, StageKind.LINKS)


def shard_of(topic: str, partition: int, shards: int) -> int | None:
    """The shard that owns this partition of a source or changelog topic; None for any other topic."""
    kind = SOURCES.get(topic) or CHANGELOGS.get(topic)
    if kind is None:
        return None
    return shards if kind is StageKind.CAMPAIGNS else partition


def source_of(kind: StageKind, shard: int) -> TopicPartition:
    """The source partition that a shard's stage reads."""
    return TopicPartition(ROUTES[kind].source.value, 0 if kind is StageKind.CAMPAIGNS else shard)


def changelog_of(kind: StageKind, shard: int) -> TopicPartition:
    """The changelog partition that keeps a shard's stage."""
    return TopicPartition(ROUTES[kind].changelog.value, 0 if kind is StageKind.CAMPAIGNS else shard)
