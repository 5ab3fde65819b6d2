"""Which keys make a campaign must not depend on the order in which they were told of."""

import itertools
import random

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from guard.decisions.decision import Decision
from guard.engine.campaigns import CampaignsStage
from guard.engine.clusters import Clusters
from guard.engine.forwards import Crossing
from guard.state.link import KeyKind
from guard.topics import Topic
from tests.support.events import T0, open_control

CONTROL = open_control()
POLICY = CONTROL.policies.newest
POOL = [f"pool-{number}" for number in range(12)]


def _ring(accounts: list[str], rounds: int = 4) -> list[tuple[str, str]]:
    return [(account, accounts[(place + step) % len(accounts)]) for step in range(1, rounds + 1) for place, account in enumerate(accounts)]


def _crossing(pair: tuple[str, str], at: int) -> Crossing:
    return Crossing(KeyKind.CONVERSATION, *pair, T0 + at * 1_000)


def _standing(clusters: Clusters) -> list[frozenset[str]]:
    """Members of each campaign that still rests on a key."""
    live = [clusters.nodes_of(campaign) for campaign in clusters.campaigns.values() if not campaign.merged_into]
    return [frozenset(itertools.chain.from_iterable(node.suspicion.members for node in nodes)) for nodes in live]


@given(st.randoms(use_true_random=False))
def test_however_its_crossings_come_a_pool_is_one_campaign(dice: random.Random) -> None:
    """Threads of one pool begin apart and grow together; in a backlog they come in another order than they happened."""
    pairs = _ring(POOL)
    dice.shuffle(pairs)
    clusters = Clusters({})
    for at, pair in enumerate(pairs):
        clusters.take(_crossing(pair, at), POLICY)

    assert _standing(clusters) == [frozenset(POOL)]


def test_two_campaigns_whose_threads_meet_leave_one_decision_in_force() -> None:
    """A campaign without keys would be judged never again, and keep its members sanctioned until it expires."""
    stage = CampaignsStage(0, 1, {}, CONTROL)
    halves = (POOL[6:], POOL[:6])
    decided: list[Decision] = []
    for at, pair in enumerate([*_ring(halves[0]), *_ring(halves[1]), (POOL[7], POOL[0])]):
        stage.take(_crossing(pair, at))
        decided += stage.drain().decided
    decided += stage.drain().decided
    newest = {decision.subject: decision for decision in decided if decision.part == 0}
    in_force = [decision for decision in newest.values() if decision.action != "allow"]

    assert len(newest) == 2
    assert [set(decision.members or ()) for decision in in_force] == [set(POOL)]


def test_the_campaign_that_goes_on_is_published_before_the_one_that_is_merged_ends() -> None:
    """Whoever follows the records would take the keys of the latter for let go."""
    stage, told = CampaignsStage(0, 1, {}, CONTROL), list[tuple[str, str]]()
    for at, pair in enumerate([*_ring(POOL[6:]), *_ring(POOL[:6]), (POOL[7], POOL[0])]):
        stage.take(_crossing(pair, at))
        records = [message.value for message in stage.drain().messages if message.topic is Topic.CAMPAIGNS and message.value]
        told = [(record["campaign_id"], record["state"]) for record in map(msgspec.json.decode, records)] or told

    assert [state for _, state in told] == ["active", "closed"]
    assert len({campaign_id for campaign_id, _ in told}) == 2


def test_a_thread_keeps_its_campaign_when_a_shorter_one_names_it() -> None:
    """A thread is named by its first account: when an earlier one joins, the campaign stays the same with one more member."""
    clusters = Clusters({})
    for at, pair in enumerate(_ring(POOL[1:])):
        clusters.take(_crossing(pair, at), POLICY)
    before = [name for name, campaign in clusters.campaigns.items() if campaign.keys]
    clusters.take(_crossing((POOL[0], POOL[1]), 100), POLICY)

    assert [name for name, campaign in clusters.campaigns.items() if campaign.keys] == before
    assert _standing(clusters) == [frozenset(POOL)]
