"""Suspicious keys and the accounts they share. Two keys belong together when most of the smaller one's accounts use both.

Links are scored and reversible: a key whose suspicion falls away leaves, and everything that rested on it is judged anew.
"""

from collections import Counter, OrderedDict
from itertools import chain
from typing import Final

import msgspec
from msgspec import Struct

from guard.engine.forwards import Suspicion
from guard.scoring.account_rules import Numbers
from guard.scoring.fusion import SHARING_CODES
from guard.scoring.reasons import CONTENT_FAMILIES, REASONS, Family
from guard.scoring.watch_rules import FAMILIES_MIN, KIND_CODES
from guard.state.link import KINDS, KeyKind

NODES_MAX: Final = 20_000
"""Suspicious keys remembered; beyond it the one longest without news goes."""

FAMILY_MEMBERS_MAX: Final = 1_024
SOFT_KINDS: Final = frozenset({KeyKind.CLIENT, KeyKind.NETWORK})
HARD_KINDS: Final = frozenset({KeyKind.CONVERSATION, KeyKind.SIGNATURE})
"""Replayed conversations hold by construction: they make a campaign, though no block, without a second family."""
NODE_PREFIX: Final = b"n:"

_encode = msgspec.msgpack.Encoder().encode


class Node(Struct, array_like=True):
    """One suspicious key as it was last told, and the campaign it belongs to."""

    name: str
    """The key's name in the graph: `kind:value`."""
    suspicion: Suspicion
    campaign_id: str = ""

    @property
    def is_soft(self) -> bool:
        """A client stack or a network: shared by strangers too easily to found or to bridge campaigns."""
        return self.suspicion.kind in SOFT_KINDS

    @property
    def is_accused(self) -> bool:
        """How the key is used speaks against it, not only that it is shared."""
        return any(one.weight > 0 and one.code not in SHARING_CODES for one in self.suspicion.reasons)

    @property
    def family(self) -> Family:
        """The family that sharing a key of this kind belongs to."""
        return REASONS[KIND_CODES[KINDS[self.suspicion.kind]]].family


_decode = msgspec.msgpack.Decoder(Node).decode


class EvidenceGraph:
    """All suspicious keys by name, and which of them each account uses."""

    def __init__(self, records: dict[bytes, bytes]) -> None:
        self.nodes: OrderedDict[str, Node] = OrderedDict()
        self._of_account: dict[str, dict[str, None]] = {}
        self._changes: dict[bytes, bytes | None] = {}
        self._gone: list[Node] = []
        for key in [key for key in records if key.startswith(NODE_PREFIX)]:
            node = _decode(records.pop(key))
            self.nodes[node.name] = node
            self._index(node)

    def put(self, suspicion: Suspicion) -> Node:
        """Take in what is newest about a key. A paraphrase family is told of by up to four shards: their members add up."""
        name = f"{suspicion.kind}:{suspicion.value}"
        before = self.nodes.pop(name, None)
        if before is not None:
            self._unindex(before)
            if suspicion.kind == KeyKind.PARAPHRASE:
                suspicion.members = tuple(dict.fromkeys((*before.suspicion.members, *suspicion.members)))[:FAMILY_MEMBERS_MAX]
        node = Node(name, suspicion, before.campaign_id if before is not None else "")
        self.nodes[name] = node
        self._index(node)
        self.touch(node)
        if len(self.nodes) > NODES_MAX:
            self.remove(next(iter(self.nodes)))
        return node

    def touch(self, node: Node) -> None:
        """The node has changed and belongs into the next drain."""
        self._changes[NODE_PREFIX + node.name.encode()] = _encode(node)

    def remove(self, name: str) -> None:
        """The key is suspicious no more."""
        node = self.nodes.pop(name)
        self._unindex(node)
        self._changes[NODE_PREFIX + name.encode()] = None
        if node.campaign_id:
            self._gone.append(node)

    def take_gone(self) -> list[Node]:
        """Keys of campaigns that were removed since the last call, for whatever reason: their campaigns rest on them no more."""
        gone, self._gone = self._gone, []
        return gone

    def _index(self, node: Node) -> None:
        for account in node.suspicion.members:
            self._of_account.setdefault(account, {})[node.name] = None

    def _unindex(self, node: Node) -> None:
        for account in node.suspicion.members:
            names = self._of_account.get(account, {})
            names.pop(node.name, None)
            if not names:
                self._of_account.pop(account, None)

    def neighbours(self, node: Node, numbers: Numbers) -> list[Node]:
        """Keys that share enough accounts with this one to be the same pool's, strongest overlap first."""
        of_account = self._of_account
        shared = Counter(chain.from_iterable(of_account[account] for account in node.suspicion.members if account in of_account))
        del shared[node.name]
        size = len(node.suspicion.members)
        found = []
        for name, overlap in sorted(shared.items(), key=lambda item: (-item[1], item[0])):
            other = self.nodes[name]
            smaller = min(size, len(other.suspicion.members))
            if overlap >= max(numbers["campaign_accounts_min"], numbers["campaign_overlap_min"] * smaller):
                found.append(other)
        return found

    def drain(self) -> list[tuple[bytes, bytes | None]]:
        """Nodes changed since the last drain."""
        changes, self._changes = list(self._changes.items()), {}
        return changes


STRONG_KEPT: Final = 0.85
"""A key that makes a campaign goes on doing so until its score falls below this share of the rung that it took to begin."""


def is_strong(node: Node, rung: float) -> bool:
    """A key that makes a campaign by itself: a sanction's score, from two families of which one is not about content."""
    families = {reason.family for reason in node.suspicion.reasons if reason.weight > 0} - CONTENT_FAMILIES
    needed = rung * STRONG_KEPT if node.campaign_id else rung
    is_hard = node.suspicion.kind in HARD_KINDS
    return not node.is_soft and node.suspicion.score >= needed and (is_hard or node.suspicion.families >= FAMILIES_MIN) and bool(families)
