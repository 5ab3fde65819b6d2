"""The campaigns stage: suspicions, reports and crossings in; campaign decisions with their members, and campaign records, out."""

from collections.abc import Sequence
from math import log2
from typing import Final, NamedTuple

import msgspec

from guard.decisions.decision import Action, Mode, Scope
from guard.engine import campaign_record as life
from guard.engine.announcements import Announcements, owns_all
from guard.engine.campaign_evidence import HARD_FAMILIES_MIN, accounts_on, evidence_of, is_held, is_linked, newcomers, with_successors
from guard.engine.campaign_record import Campaign, key_word, pack_campaign, publish
from guard.engine.caps import CapCount
from guard.engine.clusters import Clusters, strong_of
from guard.engine.control import Control
from guard.engine.evidence_graph import Node
from guard.engine.forwards import Crossing, Report, Suspicion, decode_tip
from guard.engine.issue import Desk, Subject
from guard.engine.membership import members_of, own_nodes
from guard.engine.onlooker import Onlooker
from guard.engine.stage import Message, Outcome, SourceRecord
from guard.engine.tallies import Tallies
from guard.engine.watchlist import CampaignKey
from guard.policy.jitter import offset_of
from guard.policy.judge import rewritten, weigh
from guard.policy.patience import judge_tried
from guard.policy.policy import Policy
from guard.scoring.account_rules import reason
from guard.scoring.fusion import Verdict
from guard.scoring.reasons import Reason
from guard.scoring.successors import successors
from guard.scoring.watch_rules import FAMILIES_MIN
from guard.state.link import KeyKind
from guard.topics import Topic
from guard.units import MINUTE_MS, EventTimeMs

CAPS_KEY: Final = b"k:caps"
USES_UNTOLD: Final = 2.0
"""A key is told again when its uses have doubled: at most so many times those known may have been asked for."""
JUDGE_EVERY_MS: Final = 1_000
JUDGE_MEMBER_MS: Final = 10
"""Event time between two judgements of one campaign, unless its keys changed: a second at least, and this for each member, since a judgement
takes microseconds a member. A pool of the largest disclosed size is judged every four minutes; new accounts that carry its keys are met by the
watch-list meanwhile."""


class _Group(NamedTuple):
    """What a campaign consists of at some moment."""

    nodes: list[Node]
    """Its own keys."""
    convicting: set[str]
    """Names of those that make it alone, by what is said of them now."""
    came: Reason | None
    """That accounts came to the keys which convicted it when its members were stopped; None for few, or where they never were."""
    members: tuple[str, ...]
    asked: int
    """The most that may have been asked for with all keys that it carries."""


class CampaignsStage:
    """All campaigns. One partition, one writer. `records` is the recovered state, which the stage owns from now on.

    The shard number of the other stages does not matter here; `shards` is N, and also this stage's own decision partition.
    """

    def __init__(
        self,
        shard: int,
        shards: int,
        records: dict[bytes, bytes],
        control: Control,
        *,
        is_journaled: bool = True,
        onlooker: Onlooker | None = None,
    ) -> None:
        del shard, is_journaled
        caps = records.pop(CAPS_KEY, None)
        self._caps = msgspec.msgpack.decode(caps, type=CapCount) if caps is not None else CapCount()
        self._desk = Desk(shards, "rules", onlooker)
        self._announcements = Announcements(Scope.CAMPAIGN, records, owns_all, self._desk, self._members_named)
        self._clusters = Clusters(records)
        self._judged_at: dict[str, int] = {}
        self._changes: dict[bytes, bytes | None] = {}
        self._messages: list[Message] = []
        self._tallies = Tallies()
        self._newest_at = self._aged_at = 0
        self.follow(control)

    @property
    def newest_at(self) -> int:
        """Newest event time taken in, milliseconds; 0 before the first."""
        return self._newest_at

    @property
    def subjects(self) -> int:
        """Campaigns remembered."""
        return len(self._clusters.campaigns)

    def follow(self, control: Control) -> None:
        """Work by this policy and these labels from now on."""
        self._control = control
        self._announcements.follow(control)

    def step(self, records: Sequence[SourceRecord]) -> None:
        """Take in tips in their order."""
        for record in records:
            self.take(decode_tip(record.value or b""))

    def take(self, tip: Suspicion | Report | Crossing) -> None:
        """Take in one tip. Campaigns that it touches are judged at the next drain."""
        self._newest_at = max(self._newest_at, tip.at)
        self._tallies.add("campaigns.tips")
        self._clusters.take(tip, self._policy())

    def _policy(self) -> Policy:
        return self._control.policies.at(EventTimeMs(self._newest_at))

    def _close(self, campaign: Campaign) -> None:
        """End a campaign and take back what it decided."""
        self._clusters.release(campaign)
        for mode in Mode:
            order = campaign.standing.order(mode)
            if order is not None and order.action > Action.ALLOW and order.is_active(self._newest_at):
                why = reason("released", 0.0, 0.0, 0.0, 0.0)
                self._desk.lift(self._subject(campaign, ()), mode, why, self._policy(), self._newest_at)
        self._publish(campaign, [])
        if campaign.campaign_id not in self._clusters.campaigns:
            self._changes[campaign.key] = None

    def _subject(self, campaign: Campaign, members: tuple[str, ...]) -> Subject:
        return Subject(Scope.CAMPAIGN, campaign.campaign_id, campaign.standing, members, campaign.campaign_id, campaign.members_total)

    def _judge_if_due(self, campaign_id: str) -> None:
        campaign = self._clusters.campaigns.get(campaign_id)
        pause_ms = max(JUDGE_EVERY_MS, 0 if campaign is None else JUDGE_MEMBER_MS * campaign.members_total)
        is_early = self._newest_at - self._judged_at.get(campaign_id, 0) < pause_ms
        if is_early and campaign_id not in self._clusters.regrouped:
            return
        del self._clusters.due[campaign_id]
        self._clusters.regrouped.discard(campaign_id)
        if campaign is not None and campaign.state != life.CLOSED:
            self._judged_at[campaign_id] = self._newest_at
            self._judge(campaign)

    def _judge(self, campaign: Campaign) -> None:
        """Score a campaign anew from its keys, and decide."""
        policy, at = self._policy(), EventTimeMs(self._newest_at)
        group = self._group(campaign, policy, at)
        nodes, members = group.nodes, group.members
        is_bare = not group.convicting and len({node.family for node in nodes}) < FAMILIES_MIN
        own = None if is_bare and group.came is None else self._verdict(campaign, nodes, members, policy, at)
        verdict = None if own is None else with_successors(own, group.came, policy)
        if verdict is None or (is_bare and verdict is own):
            self._close(campaign)
            return
        self._desk.heard(Scope.CAMPAIGN, campaign.campaign_id, verdict, members)
        campaign.score, campaign.reasons, campaign.updated_at = verdict.score, verdict.reasons, at
        campaign.exchanges = max(node.suspicion.uses for node in nodes)
        campaign.tokens = max(node.suspicion.tokens for node in nodes)
        campaign.first_exchange_at = min(campaign.first_exchange_at, *(node.suspicion.first_at for node in nodes))
        self._decide(campaign, verdict, group, policy, at)
        campaign.members_total = len(members)
        is_active = campaign.standing.is_sanctioned(at)
        campaign.state = life.ACTIVE if is_active or campaign.state == life.ACTIVE else life.FORMING
        self._publish(campaign, nodes)

    def _group(self, campaign: Campaign, policy: Policy, at: EventTimeMs) -> _Group:
        carried = self._clusters.nodes_of(campaign)
        convicted = campaign.convicted_by(at)
        came = successors(newcomers(carried, convicted), at - campaign.stopped_at, policy.thresholds) if convicted else None
        nodes, convicting = own_nodes(carried, convicted), strong_of(carried, policy)
        strong = convicting if came is None else convicting | {node.name for node in carried if node.name in convicted}
        found = members_of(nodes, strong, self._clusters.reports.of(campaign.campaign_id))
        members = tuple(account for account in found if not self._control.is_exempt(Scope.ACCOUNT, account, at, policy))
        return _Group(nodes, convicting, came, members, round(USES_UNTOLD * sum(node.suspicion.uses for node in carried)))

    def _members_named(self, campaign_id: str) -> tuple[str, ...]:
        campaign = self._clusters.campaigns.get(campaign_id)
        return () if campaign is None else self._group(campaign, self._policy(), EventTimeMs(self._newest_at)).members

    def _verdict(self, campaign: Campaign, nodes: list[Node], members: tuple[str, ...], policy: Policy, at: EventTimeMs) -> Verdict:
        evidence = evidence_of(nodes)
        floor = policy.thresholds["campaign_accounts_min"]
        if len(members) >= floor and is_linked(nodes, evidence):
            evidence.append(reason("campaign_member", len(members), floor, 0.0, min(0.75, 0.5 + 0.06 * log2(len(members) / floor))))
        said, relief = self._control.label_says(Scope.CAMPAIGN, campaign.campaign_id, at)
        return weigh([*evidence, *said], policy, relief)

    def _decide(self, campaign: Campaign, verdict: Verdict, group: _Group, policy: Policy, at: EventTimeMs) -> None:
        members = group.members
        mode = policy.modes[Scope.CAMPAIGN]
        held = campaign.standing.order(mode)
        standing = rewritten(held, at)
        offset = offset_of(policy.jitter, Scope.CAMPAIGN, campaign.campaign_id, at)
        sentence, vain = judge_tried(verdict, held, campaign.trial, group.asked, policy, mode, at, offset)
        is_own = all(one.code != "successors" for one in verdict.reasons)
        if sentence is None and len(members) != campaign.members_total and (group.convicting or not is_own):
            sentence, vain = standing, campaign.trial.found_in(mode)
        if sentence is None or not members or self._control.is_settled(Scope.CAMPAIGN, campaign.campaign_id, at, policy):
            return
        capped = None
        if mode is Mode.ENFORCE and standing is None and verdict.families < HARD_FAMILIES_MIN:
            capped = self._caps.exceeded(at, len(members), policy.caps.campaign_members)
            self._changes[CAPS_KEY] = msgspec.msgpack.encode(self._caps)
        if vain is not None:
            verdict = msgspec.structs.replace(verdict, reasons=(*verdict.reasons, vain))
        self._desk.sentence(self._subject(campaign, members), verdict, sentence, policy, at, capped=capped)
        campaign.mode = Mode.SHADOW if capped is not None else mode
        campaign.note(sentence.action, at)
        is_renewable = is_own and is_held(verdict, policy)
        if capped is None and mode is Mode.ENFORCE and sentence.action >= Action.CHALLENGE and group.convicting and is_renewable:
            campaign.stop(accounts_on(group.nodes, group.convicting), at)
        if capped is None:
            campaign.trial.note(mode, sentence.action, len(members), at, sentence.expires_at, vain)

    def _publish(self, campaign: Campaign, nodes: list[Node]) -> None:
        keys = [
            CampaignKey(key_word(node.suspicion.kind), node.suspicion.value, round(min(0.75, node.suspicion.score), 4))
            for node in sorted(nodes, key=lambda node: node.name)
            if node.suspicion.kind != KeyKind.CONVERSATION
        ]
        self._messages.append(Message(Topic.CAMPAIGNS, 0, campaign.campaign_id.encode(), publish(campaign, keys)))
        self._changes[campaign.key] = pack_campaign(campaign)

    def _age(self) -> None:
        """Let campaigns without news sleep, and end those that slept for long. Looked at once a minute of event time."""
        if self._newest_at - self._aged_at < MINUTE_MS:
            return
        self._aged_at = self._newest_at
        for campaign in self._clusters.campaigns.values():
            idle_ms = self._newest_at - campaign.updated_at
            if campaign.state != life.CLOSED and idle_ms > life.CLOSED_AFTER_MS:
                self._close(campaign)
            elif campaign.state in (life.ACTIVE, life.FORMING) and idle_ms > life.DORMANT_AFTER_MS:
                campaign.state = life.DORMANT
                self._publish(campaign, self._clusters.nodes_of(campaign))

    @property
    def is_quiet(self) -> bool:
        """Never: every drain may find a campaign due."""
        return False

    def drain(self) -> Outcome:
        """Judge every campaign that was touched, and hand over what came of it."""
        announced = self._announcements.drain(self._newest_at)
        self._age()
        ended, self._clusters.ended = self._clusters.ended, []
        for campaign in ended:
            self._clusters.due.pop(campaign.campaign_id, None)
        for campaign_id in list(self._clusters.due):
            self._judge_if_due(campaign_id)
        for campaign in ended:
            self._close(campaign)  # after the campaign that goes on with its keys: nobody is let go in between
        changes = [*announced, *self._clusters.graph.drain(), *self._clusters.reports.drain(), *self._changes.items()]
        self._changes = {}
        self._tallies.add("state.subjects.campaigns", self.subjects)
        decided, written = self._desk.drain()
        messages, self._messages = self._messages, []
        return Outcome(changes, [*written, *messages], decided, self._tallies.drain())
