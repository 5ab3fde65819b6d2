"""All three stages over N shards in one process: the same engine as the stream, without Kafka. Replay and simulation run on it.

Where the stream paces flushes by the clock, this one paces them by event time, so the same input gives the same output.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from msgspec import Struct

from guard.decisions.decision import Decision
from guard.engine.accounts import MODELS_KEY, AccountsStage
from guard.engine.campaigns import CampaignsStage
from guard.engine.control import Control
from guard.engine.links import LinksStage
from guard.engine.onlooker import Onlooker
from guard.engine.stage import Message, Outcome, Stage
from guard.engine.tallies import SIZES
from guard.events.partition import partition_of
from guard.events.request import RequestEvent
from guard.scoring.learned.models import ShardModels
from guard.topics import Topic

FLUSH_MS: Final = 500
"""Event time between two drains of one stage: the way of a contact through a few flushes of the stream."""
FLUSH_RECORDS: Final = 256
_LINKS, _SUSPICIONS, _CAMPAIGNS = Topic.LINKS, Topic.SUSPICIONS, Topic.CAMPAIGNS
OWNERS_MAX: Final = 100_000
"""Account -> shard, remembered because the hash costs more than the look-up; beyond it forgotten and begun anew."""


class Forwarded(Struct, frozen=True):
    """A message as the record that the next stage reads."""

    topic: str
    partition: int
    value: bytes | None
    key: bytes | None = None
    offset: int = 0
    timestamp: int = 0


class _Lane(Struct):
    """One stage of one shard, and what waits in it for the next drain."""

    stage: Stage
    drained_at: int = 0
    waiting: int = 0


class Driver:
    """Feeds events through the engine and yields the decisions in the order in which they are written.

    `models` is the packed form of what every shard begins with; nothing if not given. `onlooker` hears every verdict.
    """

    def __init__(
        self, shards: int, control: Control, *, has_watch_list: bool = True, models: bytes | None = None, onlooker: Onlooker | None = None
    ) -> None:
        self._shards = shards
        self._control = control
        self._has_watch_list = has_watch_list
        begun = {} if models is None else {MODELS_KEY: models}
        self._accounts = [
            AccountsStage(shard, shards, dict(begun), control, is_journaled=False, onlooker=onlooker) for shard in range(shards)
        ]
        self._account_lanes = [_Lane(stage) for stage in self._accounts]
        self._link_lanes = [
            _Lane(LinksStage(shard, shards, dict(begun), control, is_journaled=False, onlooker=onlooker)) for shard in range(shards)
        ]
        self._campaign_lane = _Lane(CampaignsStage(0, shards, {}, control, is_journaled=False, onlooker=onlooker))
        self._owners: dict[str, int] = {}
        self._now = 0
        self.decided: list[Decision] = []
        self.campaigns: dict[bytes, bytes] = {}
        self.tallies: dict[str, int] = {}
        """Counts by name over all stages so far."""

    @property
    def accounts(self) -> int:
        """Accounts seen so far."""
        return sum(stage.subjects for stage in self._accounts)

    @property
    def models(self) -> list[ShardModels]:
        """The models of every shard."""
        return [stage.models for stage in self._accounts]

    def take(self, event: RequestEvent, appended_at: int) -> None:
        """Take in one event. Decisions that come of it are in `decided` once their stage is drained."""
        shard = self._owners.get(event.account_id)
        if shard is None:
            shard = self._own(event.account_id)
        self._now = max(self._now, min(event.event_time, appended_at))
        self._accounts[shard].take(event, appended_at)
        lane = self._account_lanes[shard]
        lane.waiting += 1
        if self._now - lane.drained_at >= FLUSH_MS or lane.waiting >= FLUSH_RECORDS:
            self._drain_accounts(lane, self._accounts[shard])

    def _drain_accounts(self, lane: _Lane, stage: AccountsStage) -> None:
        """As `_drain`. Mostly there are only contacts to hand on, and a whole outcome would cost more than they do."""
        if not stage.has_contacts_at_most:
            self._drain(lane)
            return
        lane.drained_at, lane.waiting = self._now, 0
        for message in stage.drain_contacts():
            self._forward(self._link_lanes[message.partition], message)

    def _own(self, account: str) -> int:
        if len(self._owners) >= OWNERS_MAX:
            self._owners.clear()
        shard = self._owners[account] = partition_of(account, self._shards)
        return shard

    def _drain(self, lane: _Lane, *, is_last: bool = False) -> None:
        lane.drained_at, lane.waiting = self._now, 0
        if is_last or not lane.stage.is_quiet:
            self._route(lane.stage.drain())

    def _route(self, outcome: Outcome) -> None:
        self.decided.extend(outcome.decided)
        tallies = self.tallies
        for name, count in outcome.tallies.items():
            if name not in SIZES:
                tallies[name] = tallies.get(name, 0) + count
        for message in outcome.messages:
            if message.topic is _LINKS:
                self._forward(self._link_lanes[message.partition], message)
            elif message.topic is _SUSPICIONS:
                self._forward(self._campaign_lane, message)
            elif message.topic is _CAMPAIGNS and message.key is not None:
                self._publish(message.key, message.value)

    def _forward(self, lane: _Lane, message: Message) -> None:
        lane.stage.step([Forwarded(message.topic, message.partition, message.value)])
        lane.waiting += 1
        if self._now - lane.drained_at >= FLUSH_MS or lane.waiting >= FLUSH_RECORDS:
            self._drain(lane)

    def _publish(self, key: bytes, record: bytes | None) -> None:
        if record is not None:
            self.campaigns[key] = record
        watch = self._control.watch.with_campaign(key, record) if self._has_watch_list else self._control.watch
        if watch is not self._control.watch:
            self.follow(Control(self._control.policies, self._control.labels, watch))

    def follow(self, control: Control) -> None:
        """Every stage works by this control from the next event on."""
        self._control = control
        for lane in self._lanes():
            lane.stage.follow(control)

    def _lanes(self) -> Iterator[_Lane]:
        yield from self._account_lanes
        yield from self._link_lanes
        yield self._campaign_lane

    def finish(self) -> None:
        """Drain everything, stage by stage, in the order of the way."""
        for lane in [*self._lanes(), *self._link_lanes, self._campaign_lane]:
            self._drain(lane, is_last=True)

    def drained(self) -> Sequence[Decision]:
        """The decisions since the last call."""
        decided, self.decided = self.decided, []
        return decided
