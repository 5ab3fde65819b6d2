"""What the guard's own stages have committed, as the referee counts it: exchanges, tellings, suspicions, standing orders."""

from collections import Counter

import msgspec
from msgspec import Struct

from guard.decisions.decision import Mode, Scope
from guard.decisions.standing import Standing
from guard.engine.account_record import AccountRecord, restore_account
from guard.engine.accounts import ACCOUNT_PREFIX
from guard.engine.campaign_record import Campaign
from guard.engine.clusters import CAMPAIGN_PREFIX
from guard.engine.evidence_graph import NODE_PREFIX, Node
from guard.engine.forwards import Contact
from guard.engine.link_record import LinkMemory, restore_memory
from guard.engine.link_store import FIRST_PREFIX, LINK_PREFIX
from guard.engine.watchlist import key_hash
from guard.state.link import KINDS
from guard.streaming.meta import META_KEY
from guard.topics import Topic
from tests.crash.referee import committed

_campaign = msgspec.msgpack.Decoder(Campaign).decode
_node = msgspec.msgpack.Decoder(Node).decode
_contact = msgspec.msgpack.Decoder(Contact).decode


class EngineState(Struct, frozen=True):
    """The committed state of all three stages."""

    accounts: dict[str, AccountRecord]
    links: list[LinkMemory]
    firsts: list[Contact]
    """Keys of one account, which are kept as their first contact only."""
    campaigns: list[Campaign]
    nodes: dict[str, Node]

    @property
    def exchanges(self) -> dict[str, int]:
        """Exchanges of each account."""
        return {name: record.behaviour.exchanges for name, record in self.accounts.items()}

    @property
    def told(self) -> Counter[str]:
        """Per link key, by its hash: uses that the accounts stage says it has told."""
        found: Counter[str] = Counter()
        for record in self.accounts.values():
            for key, use in record.behaviour.keys.items():
                found[f"{key:x}"] += use.told
        return found

    @property
    def heard(self) -> dict[str, int]:
        """Per link key, by its hash: uses that the links stage has counted."""
        found: Counter[str] = Counter()
        for memory in self.links:
            found[f"{key_hash(KINDS[memory.link.kind], memory.link.value):x}"] += round(memory.link.uses)
        for first in self.firsts:
            found[f"{key_hash(KINDS[first.kind], first.value):x}"] += first.uses
        return found

    @property
    def standing(self) -> dict[tuple[str, str, str], str]:
        """The newest decision id by scope, subject and mode, in force or not."""
        found: dict[tuple[str, str, str], str] = {}
        for name, record in self.accounts.items():
            found.update(_orders(Scope.ACCOUNT, name, record.standing))
        for memory in self.links:
            found.update(_orders(Scope.PAYMENT, memory.link.value, memory.standing))
        for campaign in self.campaigns:
            found.update(_orders(Scope.CAMPAIGN, campaign.campaign_id, campaign.standing))
        return found


def read_state(bootstrap: str) -> EngineState:
    """The committed state as it is now."""
    return state_of(*(newest(bootstrap, topic) for topic in (Topic.ACCOUNTS_STATE, Topic.LINKS_STATE, Topic.CAMPAIGNS_STATE)))


def state_of(accounts: dict[bytes, bytes], links: dict[bytes, bytes], campaigns: dict[bytes, bytes]) -> EngineState:
    """The state in these records of the three stages."""
    names = {key: key.removeprefix(ACCOUNT_PREFIX).decode() for key in accounts if key.startswith(ACCOUNT_PREFIX)}
    nodes = [_node(value) for key, value in campaigns.items() if key.startswith(NODE_PREFIX)]
    return EngineState(
        {name: restore_account(accounts[key], name) for key, name in names.items()},
        [restore_memory(value) for key, value in links.items() if key.startswith(LINK_PREFIX)],
        [_contact(value) for key, value in links.items() if key.startswith(FIRST_PREFIX)],
        [_campaign(value) for key, value in campaigns.items() if key.startswith(CAMPAIGN_PREFIX)],
        {node.name: node for node in nodes},
    )


def newest(bootstrap: str, changelog: Topic) -> dict[bytes, bytes]:
    """The newest value of each key; one key in two partitions would be a fault that shows as a count too small."""
    found: dict[bytes, bytes] = {}
    for _, key, value in committed(bootstrap, changelog):
        assert key is not None
        if key == META_KEY:
            continue
        if value is None:
            found.pop(key, None)
        else:
            found[key] = value
    return found


def _orders(scope: Scope, name: str, standing: Standing) -> dict[tuple[str, str, str], str]:
    orders = ((mode, standing.order(mode)) for mode in Mode)
    return {(scope, name, mode): order.decision_id for mode, order in orders if order is not None}
