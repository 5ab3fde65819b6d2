"""What speaks against a campaign: the evidence of its keys taken together, and who came since its members were stopped."""

from collections.abc import Collection, Iterable, Mapping
from typing import Final

import msgspec

from guard.engine.evidence_graph import Node
from guard.policy.judge import HYSTERESIS, weigh
from guard.policy.policy import Policy
from guard.scoring.fusion import FAMILY_WEIGHT_MIN, Verdict
from guard.scoring.reasons import Reason
from guard.scoring.watch_rules import FAMILIES_MIN
from guard.state.link import KeyKind

HARD_FAMILIES_MIN: Final = 3
"""Evidence of three families is hard: its campaign passes the members' cap."""
OF_THE_LARGEST: Final = frozenset({"even_rates", "alike_callers"})
"""How even the pool is, only its largest key may say: a small one is even by accident now and then."""


def accounts_on(nodes: Iterable[Node], names: Collection[str]) -> dict[str, int]:
    """How many accounts are on each of these keys."""
    return {node.name: max(node.suspicion.accounts, len(node.suspicion.members)) for node in nodes if node.name in names}


def newcomers(nodes: Iterable[Node], stopped: Mapping[str, int]) -> int:
    """How many accounts came to the keys of stopped members since, who came to several as often."""
    return sum(max(0, total - stopped[name]) for name, total in accounts_on(nodes, stopped).items())


def is_held(verdict: Verdict, policy: Policy) -> bool:
    """Whether a verdict is enough to renew the mildest sanction."""
    return verdict.score >= policy.rungs[0].score - HYSTERESIS


def with_successors(own: Verdict, came: Reason | None, policy: Policy) -> Verdict:
    """The verdict with what came since, where that is enough to go on and the keys' own evidence is not: it holds a campaign and raises none.

    It counts as no family of evidence: neither for a block nor for what passes the members' cap.
    """
    if came is None or is_held(own, policy):
        return own
    both = weigh([*own.reasons, came], policy, own.relief)
    return msgspec.structs.replace(both, families=own.families) if is_held(both, policy) else own


def is_linked(nodes: list[Node], evidence: list[Reason]) -> bool:
    """Whether the number of members says more than the size of one public: keys of two families hold them together, or three families speak."""
    families = {one.family for one in evidence if one.weight >= FAMILY_WEIGHT_MIN}
    return len({node.family for node in nodes}) >= FAMILIES_MIN or len(families) >= HARD_FAMILIES_MIN


def evidence_of(nodes: list[Node]) -> list[Reason]:
    """The strongest reason of each code over all keys; how even the pool is, only its largest key may say.

    A small key is even by accident now and then, and of many small ones the strongest would be that accident.
    """
    largest = max(
        [node for node in nodes if _counts(node)] or nodes, key=lambda node: (not node.is_soft, len(node.suspicion.members), node.name)
    ).name
    strongest: dict[str, Reason] = {}
    for node in nodes:
        for one in node.suspicion.reasons:
            if one.code in OF_THE_LARGEST and node.name != largest:
                continue
            if one.code not in strongest or one.weight > strongest[one.code].weight:
                strongest[one.code] = one
    return list(strongest.values())


def _counts(node: Node) -> bool:
    """Whether a key's number of accounts says how much its evenness matters: paraphrases add up over shards, which count uses apart."""
    return node.suspicion.kind != KeyKind.PARAPHRASE or any(one.code == "even_rates" for one in node.suspicion.reasons)
