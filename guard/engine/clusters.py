"""Which suspicious keys make one campaign: founded, joined, merged, cut again when the evidence goes. Decides nothing."""

from collections.abc import Iterable
from typing import Final

from guard.engine.campaign_record import ACTIVE, CLOSED, Campaign, new_campaign, restore_campaign
from guard.engine.evidence_graph import HARD_KINDS, EvidenceGraph, Node, is_strong
from guard.engine.forwards import Crossing, Report, Suspicion
from guard.engine.membership import Reports
from guard.engine.threads import Threads
from guard.policy.policy import Policy

CAMPAIGNS_MAX: Final = 2_000
"""Campaigns remembered; beyond it the one longest without news is ended and forgotten."""
CAMPAIGN_PREFIX: Final = b"c:"
SOFT_KEYS_MAX: Final = 32
"""Client and network keys of one campaign: proxies come by the hundred and say the same."""
KEPT_SHARE: Final = 0.75
"""A key stays in its campaign until its score falls below this share of the suspicion threshold."""


class Clusters:
    """Campaigns and their keys. `due` names the campaigns to be judged anew, `ended` those to be closed."""

    def __init__(self, records: dict[bytes, bytes]) -> None:
        self.graph = EvidenceGraph(records)
        self.reports = Reports(records)
        self._threads = Threads(self.graph)
        found = [restore_campaign(records.pop(key)) for key in [key for key in records if key.startswith(CAMPAIGN_PREFIX)]]
        self.campaigns = {campaign.campaign_id: campaign for campaign in found}
        self.due: dict[str, None] = {}
        self.ended: list[Campaign] = []
        self.regrouped: set[str] = set()
        """Campaigns whose keys changed since they were last judged."""

    def take(self, tip: Suspicion | Report | Crossing, policy: Policy) -> None:
        """Take in one tip under the policy in force."""
        if isinstance(tip, Report):
            if tip.campaign_id in self.campaigns and self.reports.put(tip):
                self.due[tip.campaign_id] = None
            return
        suspicion = self._threads.take(tip, policy.thresholds) if isinstance(tip, Crossing) else tip
        grown_together = self.graph.take_gone()
        if suspicion is not None:
            node = self.graph.put(suspicion)
            for thread in grown_together:
                self._bequeath(thread, node)
            self._place(node, policy)
        for node in self.graph.take_gone():
            self._leave(node)

    def nodes_of(self, campaign: Campaign) -> list[Node]:
        """The keys of a campaign that are still suspicious."""
        return [self.graph.nodes[name] for name in campaign.keys if name in self.graph.nodes]

    def release(self, campaign: Campaign) -> None:
        """The campaign is over: its keys belong to none again."""
        for node in self.nodes_of(campaign):
            node.campaign_id = ""
            self.graph.touch(node)
        campaign.keys = []
        campaign.state = CLOSED
        self.due.pop(campaign.campaign_id, None)

    def _place(self, node: Node, policy: Policy) -> None:
        """Put a key where it belongs: into a campaign, out of one, or nowhere yet."""
        floor = policy.thresholds["suspicion_score"]
        if node.suspicion.score < floor * (KEPT_SHARE if node.campaign_id else 1.0):
            if node.campaign_id or node.suspicion.kind not in HARD_KINDS:
                self.graph.remove(node.name)
            return  # a thread that is still short stays: it grows by one crossing at a time
        partners = self._partners(node, policy)
        homes = list(dict.fromkeys(one.campaign_id for one in [node, *partners] if one.campaign_id in self.campaigns))
        if not homes and not partners and not is_strong(node, policy.rungs[0].score):
            return
        if node.is_soft:
            self._attach(node, homes)
            return
        homes.sort(key=lambda name: self.campaigns[name].state != ACTIVE)  # what is in force over its members goes on
        home = self.campaigns[homes[0]] if homes else self._found(node)
        for other in homes[1:]:
            self._merge(self.campaigns[other], home)
        for joined in [node, *partners]:
            self._join(joined, home)

    def _partners(self, node: Node, policy: Policy) -> list[Node]:
        """Keys of the same pool: of another family, or strong like this one. Clients and networks never bridge two campaigns."""
        rung, numbers = policy.rungs[0].score, policy.thresholds
        is_strong_node = is_strong(node, rung)
        return [
            other
            for other in self.graph.neighbours(node, numbers)
            if other.suspicion.score >= numbers["suspicion_score"]
            and (node.is_soft or not other.is_soft)
            and (other.family != node.family or (is_strong_node and is_strong(other, rung)))
        ]

    def _attach(self, node: Node, homes: list[str]) -> None:
        """A client or network key marks the one campaign it overlaps most with; it founds none and bridges none."""
        if not homes:
            return
        campaign = self.campaigns[node.campaign_id or homes[0]]
        soft = sum(one.is_soft for one in self.nodes_of(campaign))
        if node.name in campaign.keys or soft < SOFT_KEYS_MAX:
            self._join(node, campaign)

    def _found(self, node: Node) -> Campaign:
        suspicion = node.suspicion
        if len(self.campaigns) >= CAMPAIGNS_MAX:
            oldest = min(self.campaigns.values(), key=lambda one: (one.updated_at, one.campaign_id))
            self.ended.append(oldest)
            del self.campaigns[oldest.campaign_id]
        campaign = new_campaign(suspicion.kind, suspicion.value, suspicion.first_at, suspicion.at)
        self.campaigns[campaign.campaign_id] = campaign
        return campaign

    def _join(self, node: Node, campaign: Campaign) -> None:
        if node.name not in campaign.keys:
            campaign.keys.append(node.name)
            self.regrouped.add(campaign.campaign_id)
        if node.campaign_id != campaign.campaign_id:
            node.campaign_id = campaign.campaign_id
            self.graph.touch(node)
        self.due[campaign.campaign_id] = None

    def _merge(self, campaign: Campaign, into: Campaign) -> None:
        for node in self.nodes_of(campaign):
            self._join(node, into)
        campaign.keys = []
        campaign.merged_into = into.campaign_id
        self.reports.move(campaign.campaign_id, into.campaign_id)
        into.trial.take_over(campaign.trial)
        into.rest_on(campaign)
        self.regrouped.add(into.campaign_id)
        into.first_exchange_at = min(into.first_exchange_at, campaign.first_exchange_at)
        self.ended.append(campaign)

    def _bequeath(self, thread: Node, heir: Node) -> None:
        """Two threads are one from now on, and so are their campaigns; whichever was there first, the order does not matter."""
        campaign = self.campaigns.get(thread.campaign_id)
        self._leave(thread)
        if campaign is None:
            return
        home = self.campaigns.get(heir.campaign_id, campaign)
        self._join(heir, home)
        if home is not campaign:
            self._merge(campaign, home)

    def _leave(self, node: Node) -> None:
        """The key is out of the graph: what rested on it is judged anew without it."""
        campaign = self.campaigns.get(node.campaign_id)
        if campaign is not None:
            campaign.keys = [name for name in campaign.keys if name != node.name]
            self.regrouped.add(campaign.campaign_id)
            self.due[campaign.campaign_id] = None


def strong_of(nodes: Iterable[Node], policy: Policy) -> set[str]:
    """The names of those of a campaign's keys that make it alone."""
    return {node.name for node in nodes if is_strong(node, policy.rungs[0].score)}
