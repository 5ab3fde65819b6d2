"""The campaigns stage: suspicions, reports and crossings in; campaign decisions with their members, and campaign records, out."""

from collections.abc import Sequence
from math import log2
from typing import Final

import msgspec

from guard.decisions.decision import Action, Mode, Scope
from guard.engine import campaign_record as life
from guard.engine.announcements import Announcements
from guard.engine.campaign_record import Campaign, key_word, new_campaign, publish
from guard.engine.caps import CapCount
from guard.engine.control import Control
from guard.engine.evidence_graph import EvidenceGraph, Node, is_strong
from guard.engine.forwards import Crossing, Report, Suspicion, decode_tip
from guard.engine.issue import Desk, Subject
from guard.engine.membership import Reports, members_of
from guard.engine.stage import Message, Outcome, SourceRecord
from guard.engine.tallies import Tallies
from guard.engine.threads import Threads
from guard.engine.watchlist import CampaignKey
from guard.policy.judge import Sentence, judge, weigh
from guard.policy.labels import Verdict as LabelVerdict
from guard.policy.policy import Policy
from guard.scoring.account_rules import reason
from guard.scoring.fusion import Verdict
from guard.scoring.reasons import Reason
from guard.state.link import KeyKind
from guard.topics import Topic
from guard.units import MINUTE_MS, EventTimeMs

CAMPAIGNS_MAX: Final = 2_000
"""Campaigns remembered; beyond it the one longest without news is closed."""
CAMPAIGN_PREFIX: Final = b"c:"
CAPS_KEY: Final = b"k:caps"
LABEL_WEIGHT: Final = 0.6
BENIGN_RELIEF: Final = 0.5
HARD_FAMILIES_MIN: Final = 3
"""Evidence of three families is hard: its campaign passes the members' cap."""
SOFT_KEYS_MAX: Final = 32
"""Client and network keys of one campaign: proxies come by the hundred and say the same."""
JUDGE_EVERY_MS: Final = 1_000
"""Event time between two judgements of one campaign, unless its keys changed."""
KEPT_SHARE: Final = 0.75
"""A key stays in its campaign until its score falls below this share of the suspicion threshold."""

_decode_campaign = msgspec.msgpack.Decoder(Campaign).decode


class CampaignsStage:
    """All campaigns. One partition, one writer. `records` is the recovered state, which the stage owns from now on."""

    def __init__(self, shard: int, shards: int, records: dict[bytes, bytes], control: Control, *, is_journaled: bool = True) -> None:
        self._partition = shards
        caps = records.pop(CAPS_KEY, None)
        self._caps = msgspec.msgpack.decode(caps, type=CapCount) if caps is not None else CapCount()
        self._desk = Desk(self._partition, "rules")
        self._announcements = Announcements(Scope.CAMPAIGN, records, lambda _: True, self._desk, self._members_named)
        self._graph = EvidenceGraph(records)
        self._reports = Reports(records)
        self._threads = Threads(self._graph)
        found = [_decode_campaign(records.pop(key)) for key in [key for key in records if key.startswith(CAMPAIGN_PREFIX)]]
        self._campaigns = {campaign.campaign_id: campaign for campaign in found}
        self._due: dict[str, None] = {}
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
        return len(self._campaigns)

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
        if isinstance(tip, Report):
            if tip.campaign_id in self._campaigns and self._reports.put(tip):
                self._due[tip.campaign_id] = None
            return
        numbers = self._policy().thresholds
        suspicion = self._threads.take(tip, numbers) if isinstance(tip, Crossing) else tip
        if suspicion is not None:
            self._place(self._graph.put(suspicion))

    def _policy(self) -> Policy:
        return self._control.policies.at(EventTimeMs(self._newest_at))

    def _place(self, node: Node) -> None:
        """Put a key where it belongs: into a campaign, out of one, or nowhere yet."""
        numbers = self._policy().thresholds
        is_kept = node.suspicion.score >= numbers["suspicion_score"] * (KEPT_SHARE if node.campaign_id else 1.0)
        if not is_kept:
            self._cut(node)
            return
        partners = self._partners(node, numbers["suspicion_score"])
        homes = list(dict.fromkeys(one.campaign_id for one in [node, *partners] if one.campaign_id))
        if not homes and not partners and not is_strong(node, self._first_rung()):
            return
        if node.is_soft:
            self._attach(node, homes)
            return
        home = self._campaigns[homes[0]] if homes else self._found(node)
        for other in homes[1:]:
            self._merge(self._campaigns[other], home)
        for joined in [node, *partners]:
            self._join(joined, home)

    def _partners(self, node: Node, floor: float) -> list[Node]:
        """Keys of the same pool: of another family, or strong like this one. Clients and networks never bridge two campaigns."""
        rung, numbers = self._first_rung(), self._policy().thresholds
        is_strong_node = is_strong(node, rung)
        return [
            other
            for other in self._graph.neighbours(node, numbers)
            if other.suspicion.score >= floor
            and (node.is_soft or not other.is_soft)
            and (other.family != node.family or (is_strong_node and is_strong(other, rung)))
        ]

    def _attach(self, node: Node, homes: list[str]) -> None:
        """A client or network key marks the one campaign it overlaps most with; it founds none and bridges none."""
        if not homes:
            return
        campaign = self._campaigns[node.campaign_id or homes[0]]
        soft = sum(self._graph.nodes[name].is_soft for name in campaign.keys if name in self._graph.nodes)
        if node.name in campaign.keys or soft < SOFT_KEYS_MAX:
            self._join(node, campaign)

    def _first_rung(self) -> float:
        return self._policy().rungs[0].score

    def _found(self, node: Node) -> Campaign:
        suspicion = node.suspicion
        campaign = new_campaign(suspicion.kind, suspicion.value, suspicion.first_at, suspicion.at)
        if len(self._campaigns) >= CAMPAIGNS_MAX:
            oldest = min(self._campaigns.values(), key=lambda one: (one.updated_at, one.campaign_id))
            self._close(oldest)
            self._changes[oldest.key] = None
            del self._campaigns[oldest.campaign_id]
        self._campaigns[campaign.campaign_id] = campaign
        return campaign

    def _join(self, node: Node, campaign: Campaign) -> None:
        if node.name not in campaign.keys:
            campaign.keys.append(node.name)
            self._judged_at.pop(campaign.campaign_id, None)
        if node.campaign_id != campaign.campaign_id:
            node.campaign_id = campaign.campaign_id
            self._graph.touch(node)
        self._due[campaign.campaign_id] = None

    def _merge(self, campaign: Campaign, into: Campaign) -> None:
        for name in campaign.keys:
            if name in self._graph.nodes:
                self._join(self._graph.nodes[name], into)
        campaign.keys = []
        campaign.merged_into = into.campaign_id
        self._reports.move(campaign.campaign_id, into.campaign_id)
        into.first_exchange_at = min(into.first_exchange_at, campaign.first_exchange_at)
        self._close(campaign)

    def _cut(self, node: Node) -> None:
        """The key's evidence is gone: what rested on it is judged anew without it."""
        campaign = self._campaigns.get(node.campaign_id)
        self._graph.remove(node.name)
        if campaign is not None:
            campaign.keys = [name for name in campaign.keys if name != node.name]
            self._due[campaign.campaign_id] = None

    def _close(self, campaign: Campaign) -> None:
        """End a campaign and take back what it decided."""
        policy = self._policy()
        campaign.state = life.CLOSED
        for mode in Mode:
            order = campaign.standing.order(mode)
            if order is not None and order.action > Action.ALLOW and order.is_active(self._newest_at):
                why = reason("released", 0.0, 0.0, 0.0, 0.0)
                subject = Subject(Scope.CAMPAIGN, campaign.campaign_id, (), campaign.campaign_id, campaign.members_total)
                self._desk.lift(subject, campaign.standing, mode, self._newest_at, why, policy)
        for name in campaign.keys:
            if name in self._graph.nodes:
                self._graph.nodes[name].campaign_id = ""
                self._graph.touch(self._graph.nodes[name])
        campaign.keys = []
        self._publish(campaign, [])
        self._due.pop(campaign.campaign_id, None)

    def _judge(self, campaign: Campaign) -> None:
        """Score a campaign anew from its keys, and decide."""
        policy, at = self._policy(), EventTimeMs(self._newest_at)
        nodes = [self._graph.nodes[name] for name in campaign.keys if name in self._graph.nodes]
        strong = {node.name for node in nodes if is_strong(node, policy.rungs[0].score)}
        if not strong and len({node.family for node in nodes}) < 2:  # noqa: PLR2004
            self._close(campaign)
            return
        members = self._members(campaign, nodes, strong, policy, at)
        verdict = self._verdict(campaign, nodes, members, policy, at)
        campaign.score, campaign.reasons, campaign.updated_at = verdict.score, verdict.reasons, at
        campaign.exchanges = max(node.suspicion.uses for node in nodes)
        campaign.tokens = max(node.suspicion.tokens for node in nodes)
        campaign.first_exchange_at = min(campaign.first_exchange_at, *(node.suspicion.first_at for node in nodes))
        self._decide(campaign, verdict, members, policy, at)
        campaign.members_total = len(members)
        is_active = campaign.standing.is_sanctioned(at)
        campaign.state = life.ACTIVE if is_active or campaign.state == life.ACTIVE else life.FORMING
        self._publish(campaign, nodes)

    def _members(self, campaign: Campaign, nodes: list[Node], strong: set[str], policy: Policy, at: EventTimeMs) -> tuple[str, ...]:
        found = members_of(nodes, strong, self._reports.of(campaign.campaign_id))
        return tuple(account for account in found if not self._control.is_exempt(Scope.ACCOUNT, account, at, policy))

    def _members_named(self, campaign_id: str) -> tuple[str, ...]:
        campaign = self._campaigns.get(campaign_id)
        if campaign is None:
            return ()
        policy = self._policy()
        nodes = [self._graph.nodes[name] for name in campaign.keys if name in self._graph.nodes]
        strong = {node.name for node in nodes if is_strong(node, policy.rungs[0].score)}
        return self._members(campaign, nodes, strong, policy, EventTimeMs(self._newest_at))

    def _verdict(self, campaign: Campaign, nodes: list[Node], members: tuple[str, ...], policy: Policy, at: EventTimeMs) -> Verdict:
        strongest: dict[str, Reason] = {}
        for node in nodes:
            for one in node.suspicion.reasons:
                if one.code not in strongest or one.weight > strongest[one.code].weight:
                    strongest[one.code] = one
        evidence = list(strongest.values())
        floor = policy.thresholds["campaign_accounts_min"]
        if len(members) >= floor:
            evidence.append(reason("campaign_member", len(members), floor, 0.0, min(0.75, 0.5 + 0.06 * log2(len(members) / floor))))
        label = self._control.labels.verdict(Scope.CAMPAIGN, campaign.campaign_id, at)
        if label is not None and label.verdict is LabelVerdict.EXTRACTION:
            evidence.append(reason("label_extraction", 1.0, 1.0, 0.0, LABEL_WEIGHT))
        is_benign = label is not None and label.verdict is LabelVerdict.BENIGN
        return weigh(evidence, policy, BENIGN_RELIEF if is_benign else 0.0)

    def _decide(self, campaign: Campaign, verdict: Verdict, members: tuple[str, ...], policy: Policy, at: EventTimeMs) -> None:
        mode = policy.modes[Scope.CAMPAIGN]
        held = campaign.standing.order(mode)
        is_held = held is not None and held.is_active(at) and held.action > Action.ALLOW
        sentence = judge(verdict, held, policy, at)
        if sentence is None and held is not None and is_held and len(members) != campaign.members_total:
            sentence = Sentence(Action(held.action), held.expires_at)
        order = policy.orders.get((Scope.CAMPAIGN, campaign.campaign_id))
        if sentence is None or not members or (order is not None and at < order.expires_at):
            return
        if self._control.is_exempt(Scope.CAMPAIGN, campaign.campaign_id, at, policy):
            return
        capped = None
        if mode is Mode.ENFORCE and not is_held and verdict.families < HARD_FAMILIES_MIN:
            capped = self._caps.exceeded(at, len(members), policy.caps.campaign_members)
            self._changes[CAPS_KEY] = msgspec.msgpack.encode(self._caps)
        subject = Subject(Scope.CAMPAIGN, campaign.campaign_id, members, campaign.campaign_id, campaign.members_total)
        self._desk.sentence(subject, verdict, sentence, campaign.standing, policy, at, capped)
        campaign.mode = Mode.SHADOW if capped is not None else mode
        self._note(campaign, sentence.action, at)

    def _note(self, campaign: Campaign, action: Action, at: int) -> None:
        if not campaign.first_throttle_at:
            campaign.first_throttle_at, campaign.exchanges_before_throttle = at, campaign.exchanges
        if action is Action.BLOCK and not campaign.first_block_at:
            campaign.first_block_at, campaign.exchanges_before_block = at, campaign.exchanges

    def _publish(self, campaign: Campaign, nodes: list[Node]) -> None:
        keys = [
            CampaignKey(key_word(node.suspicion.kind), node.suspicion.value, round(min(0.75, node.suspicion.score), 4))
            for node in sorted(nodes, key=lambda node: node.name)
            if node.suspicion.kind != KeyKind.CONVERSATION
        ]
        self._messages.append(Message(Topic.CAMPAIGNS, 0, campaign.campaign_id.encode(), publish(campaign, keys)))
        self._changes[campaign.key] = msgspec.msgpack.encode(campaign)

    def _age(self) -> None:
        """Let campaigns without news sleep, and end those that slept for long. Looked at once a minute of event time."""
        if self._newest_at - self._aged_at < MINUTE_MS:
            return
        self._aged_at = self._newest_at
        for campaign in self._campaigns.values():
            idle_ms = self._newest_at - campaign.updated_at
            if campaign.state != life.CLOSED and idle_ms > life.CLOSED_AFTER_MS:
                self._close(campaign)
            elif campaign.state in (life.ACTIVE, life.FORMING) and idle_ms > life.DORMANT_AFTER_MS:
                campaign.state = life.DORMANT
                self._publish(campaign, [self._graph.nodes[name] for name in campaign.keys if name in self._graph.nodes])

    def drain(self) -> Outcome:
        """Judge every campaign that was touched, and hand over what came of it."""
        announced = self._announcements.drain(self._newest_at)
        self._age()
        for campaign_id in [one for one in self._due if self._newest_at - self._judged_at.get(one, 0) >= JUDGE_EVERY_MS]:
            del self._due[campaign_id]
            campaign = self._campaigns.get(campaign_id)
            if campaign is not None and campaign.state != life.CLOSED:
                self._judged_at[campaign_id] = self._newest_at
                self._judge(campaign)
        changes = [*announced, *self._graph.drain(), *self._reports.drain(), *self._changes.items()]
        self._changes = {}
        decided, written = self._desk.drain()
        messages, self._messages = self._messages, []
        return Outcome(changes, [*written, *messages], decided, self._tallies.drain())
