"""What the guard's own stages have committed, as the referee counts it: exchanges, tellings, suspicions, standing orders."""

from collections import Counter
from collections.abc import Iterable, Iterator

import msgspec
from msgspec import Struct

from guard.decisions.decision import Mode, Scope
from guard.decisions.standing import Standing
from guard.engine.account_record import AccountRecord, restore_account
from guard.engine.accounts import ACCOUNT_PREFIX
from guard.engine.campaign_record import Campaign, restore_campaign
from guard.engine.clusters import CAMPAIGN_PREFIX
from guard.engine.evidence_graph import NODE_PREFIX, Node
from guard.engine.exchange_keys import shards_of
from guard.engine.first_record import restore_first
from guard.engine.forwards import Contact
from guard.engine.link_record import LinkMemory, restore_memory
from guard.engine.link_store import CARD_PREFIX, FIRST_PREFIX, LINK_PREFIX
from guard.engine.watchlist import key_hash
from guard.state.behaviour import Behaviour
from guard.state.link import KINDS, KeyKind
from guard.streaming.meta import META_KEY
from guard.topics import Topic
from tests.crash.referee import committed

LAG = 3
"""What is told lags behind what was used by a third at most."""

_node = msgspec.msgpack.Decoder(Node).decode


class EngineState(Struct, frozen=True):
    """The committed state of all three stages."""

    shards: int
    accounts: list[AccountRecord]
    links: list[LinkMemory]
    firsts: list[Contact]
    """Keys of one account, which are kept as their first contact only; by their hash, since their value is not kept."""
    campaigns: list[Campaign]
    nodes: dict[str, Node]

    @property
    def exchanges(self) -> Counter[str]:
        """Exchanges of each account."""
        found: Counter[str] = Counter()
        for record in self.accounts:
            found[record.account] += record.behaviour.exchanges
        return found

    @property
    def untold(self) -> Counter[str]:
        """Per link key, by its hash: uses that wait in the accounts' records for the next telling, as often as they will be heard."""
        found: Counter[str] = Counter()
        for record in self.accounts:
            families = {key_hash(KeyKind.PARAPHRASE, f"{one:016x}"): len(shards_of(one, self.shards)) for one in record.behaviour.families}
            for key, left in _waiting(record.behaviour):
                found[f"{key:x}"] += left * families.get(key, 1)
        return found

    @property
    def overdue(self) -> int:
        """Uses of cards, which every exchange carries, that wait although the steps of telling allow a third at most."""
        cards = self.cards
        waiting = [(record.behaviour, key, left) for record in self.accounts for key, left in _waiting(record.behaviour)]
        return sum(max(0, left - b.exchanges // LAG) for b, key, left in waiting if f"{key:x}" in cards)

    @property
    def cards(self) -> set[str]:
        """The payment fingerprints that the links stage knows, by their hash."""
        shared = {_hash(memory.link.kind, memory.link.value) for memory in self.links if memory.link.kind == KeyKind.PAYMENT}
        return shared | {f"{first.key:x}" for first in self.firsts if first.kind == KeyKind.PAYMENT}

    @property
    def heard(self) -> Counter[str]:
        """Per link key, by its hash: uses that the links stage has counted."""
        found: Counter[str] = Counter()
        for memory in self.links:
            found[_hash(memory.link.kind, memory.link.value)] += round(memory.link.uses)
        for first in self.firsts:
            found[f"{first.key:x}"] += first.uses
        return found

    @property
    def standing(self) -> dict[tuple[str, str, str], str]:
        """The newest decision id by scope, subject and mode, in force or not."""
        found: dict[tuple[str, str, str], str] = {}
        for record in self.accounts:
            found.update(_orders(Scope.ACCOUNT, record.account, record.standing))
        for memory in self.links:
            found.update(_orders(Scope.PAYMENT, memory.link.value, memory.standing))
        for campaign in self.campaigns:
            found.update(_orders(Scope.CAMPAIGN, campaign.campaign_id, campaign.standing))
        return found


Records = Iterable[tuple[bytes, bytes]]
"""The newest value of each key, per partition."""


def read_state(bootstrap: str, shards: int) -> EngineState:
    """The committed state as it is now."""
    changelogs = (Topic.ACCOUNTS_STATE, Topic.LINKS_STATE, Topic.CAMPAIGNS_STATE)
    return state_of(shards, *(newest(bootstrap, topic) for topic in changelogs))


def state_of(shards: int, accounts: Records, links: Records, campaigns: Records) -> EngineState:
    """The state in these records of the three stages."""
    named = [(key.removeprefix(ACCOUNT_PREFIX).decode(), value) for key, value in accounts if key.startswith(ACCOUNT_PREFIX)]
    packed = list(links)
    kept = list(campaigns)
    nodes = [_node(value) for key, value in kept if key.startswith(NODE_PREFIX)]
    return EngineState(
        shards,
        [restore_account(value, name) for name, value in named],
        [restore_memory(value) for key, value in packed if key.startswith(LINK_PREFIX)],
        [_first(key, value) for key, value in packed if key.startswith((FIRST_PREFIX, CARD_PREFIX))],
        [restore_campaign(value) for key, value in kept if key.startswith(CAMPAIGN_PREFIX)],
        {node.name: node for node in nodes},
    )


def _first(key: bytes, packed: bytes) -> Contact:
    return restore_first(packed, int.from_bytes(key[len(FIRST_PREFIX) :], "little"), "").contact


def newest(bootstrap: str, changelog: Topic) -> list[tuple[bytes, bytes]]:
    """The newest value of each key; one that two shards keep comes twice, and is counted twice."""
    found: dict[tuple[int, bytes], bytes] = {}
    for partition, key, value in committed(bootstrap, changelog):
        assert key is not None
        if key == META_KEY:
            continue
        if value is None:
            found.pop((partition, key), None)
        else:
            found[partition, key] = value
    return [(key, value) for (_, key), value in found.items()]


def _waiting(b: Behaviour) -> Iterator[tuple[int, int]]:
    """Per key of an account: uses that the links stage has not been told of."""
    for key, use in b.keys.items():
        yield key, use.uses - use.told + (b.same_uses if key in b.current_keys else 0)


def _hash(kind: int, value: str) -> str:
    return f"{key_hash(KINDS[kind], value):x}"


def _orders(scope: Scope, name: str, standing: Standing) -> dict[tuple[str, str, str], str]:
    orders = ((mode, standing.order(mode)) for mode in Mode)
    return {(scope, name, mode): order.decision_id for mode, order in orders if order is not None}
