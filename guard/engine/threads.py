"""Accounts that continue one another's conversations: crossings gathered into a key of their own.

A pool behind a balancer hands dialogues around; strangers do not. Threads grow by union; the key's value is its first account.
"""

from typing import Final

from guard.engine.evidence_graph import EvidenceGraph
from guard.engine.forwards import Crossing, Suspicion
from guard.scoring.account_rules import Numbers, reason
from guard.scoring.fusion import fuse
from guard.state.link import KeyKind

CROSSINGS_MIN: Final = 8
"""People change keys and devices: one crossing is no proof, eight among five accounts are not chance."""
THREAD_ACCOUNTS_MAX: Final = 5_000


class Threads:
    """Crossings by the account they lead to. Kept in the graph's own nodes, so that a restart finds them again."""

    def __init__(self, graph: EvidenceGraph) -> None:
        self._graph = graph
        self._root: dict[str, str] = {}
        for node in graph.nodes.values():
            if node.suspicion.kind == KeyKind.CONVERSATION:
                self._root.update(dict.fromkeys(node.suspicion.members, node.suspicion.value))

    def take(self, crossing: Crossing, numbers: Numbers) -> Suspicion | None:
        """Take a crossing in: the thread as it is now. None when the thread is full."""
        roots = sorted({self._root.get(account, account) for account in (crossing.owner, crossing.account)})
        threads = [node.suspicion for root in roots if (node := self._graph.nodes.get(_name(root))) is not None]
        members = dict.fromkeys(account for thread in threads for account in thread.members)
        members.update(dict.fromkeys((crossing.owner, crossing.account)))
        if len(members) > THREAD_ACCOUNTS_MAX:
            return None
        for root in roots[1:]:
            if _name(root) in self._graph.nodes:
                self._graph.remove(_name(root))
        crossings = 1 + sum(thread.uses for thread in threads)
        self._root.update(dict.fromkeys(members, roots[0]))
        first_at = min([crossing.at, *(thread.first_at for thread in threads)])
        return _thread(roots[0], tuple(members), crossings, crossing.at, first_at, numbers)


def _name(root: str) -> str:
    return f"{int(KeyKind.CONVERSATION)}:{root}"


def _thread(root: str, members: tuple[str, ...], crossings: int, at: int, first_at: int, numbers: Numbers) -> Suspicion:
    is_enough = crossings >= CROSSINGS_MIN and len(members) >= numbers["campaign_accounts_min"]
    weight = min(0.75, 0.1 * crossings / max(1.0, len(members) / 4)) if is_enough else 0.0
    verdict = fuse([reason("foreign_conversation", crossings, CROSSINGS_MIN, 0.0, weight)])
    return Suspicion(
        KeyKind.CONVERSATION, root, at, first_at, verdict.score, verdict.reasons, len(members), crossings, 0, members, verdict.families
    )
