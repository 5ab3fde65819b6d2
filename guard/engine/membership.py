"""Who belongs to a campaign: accounts that its keys of two families share, or that a strong key or a report names."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from math import ceil
from statistics import median_low
from typing import Final

import msgspec

from guard.engine.evidence_graph import Node
from guard.engine.forwards import Report
from guard.scoring.reasons import REASONS
from guard.scoring.watch_rules import FAMILIES_MIN, KIND_CODES
from guard.state.link import Age

REPORT_PREFIX: Final = b"r:"
REPORTS_MAX: Final = 50_000
"""Reported accounts remembered per campaign, twice the largest pool disclosed; a further one is not admitted by report."""

_FAMILIES: Final = {int(kind): REASONS[code].family for kind, code in KIND_CODES.items()}
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Report).decode


class Reports:
    """Accounts that the accounts stage met carrying a campaign's keys, by campaign."""

    def __init__(self, records: dict[bytes, bytes]) -> None:
        self._by_campaign: dict[str, dict[str, Report]] = {}
        self._changes: dict[bytes, bytes | None] = {}
        for key in [key for key in records if key.startswith(REPORT_PREFIX)]:
            report = _decode(records.pop(key))
            self._by_campaign.setdefault(report.campaign_id, {})[report.account] = report

    def put(self, report: Report) -> bool:
        """Take a report in; True when it says something new."""
        known = self._by_campaign.setdefault(report.campaign_id, {})
        before = known.get(report.account)
        if before is not None and (before.kinds, before.devoted) == (report.kinds, report.devoted):
            return False
        if before is None and len(known) >= REPORTS_MAX:
            return False
        known[report.account] = report
        self._changes[_key(report)] = _encode(report)
        return True

    def of(self, campaign_id: str) -> Iterable[Report]:
        """The reports about one campaign."""
        return self._by_campaign.get(campaign_id, {}).values()

    def move(self, campaign_id: str, into: str) -> None:
        """A campaign was merged into another: its reports go with it."""
        for report in self._by_campaign.pop(campaign_id, {}).values():
            self._changes[_key(report)] = None
            report.campaign_id = into
            self.put(report)

    def drain(self) -> list[tuple[bytes, bytes | None]]:
        """Reports changed since the last drain."""
        changes, self._changes = list(self._changes.items()), {}
        return changes


def _key(report: Report) -> bytes:
    return REPORT_PREFIX + f"{report.campaign_id}:{report.account}".encode()


FEW_SHARE: Final = 1 / 3
"""Share of the keys that the middle one of the accounts carries, below which one is no member by a strong key alone."""
OWN_SHARE: Final = 0.5
"""Share of a key's accounts that must carry keys whose use speaks against them, from which the key is the campaign's own."""


def own_nodes(nodes: list[Node], convicting: Collection[str] = ()) -> list[Node]:
    """The keys that are the campaign's own: how they are used speaks or spoke against them, or most of their accounts carry such keys.

    A public prompt or a team's card may overlap with a pool; what is said of the pool's keys is not said of everybody on these.
    """
    accused = {node.name for node in nodes if (node.is_accused or node.name in convicting) and not node.is_soft}
    if not accused:
        return nodes
    covered = {account for node in nodes if node.name in accused for account in node.suspicion.members}
    return [
        node
        for node in nodes
        if node.name in accused or sum(account in covered for account in node.suspicion.members) >= OWN_SHARE * len(node.suspicion.members)
    ]


def members_of(nodes: list[Node], strong: set[str], reports: Iterable[Report]) -> Iterator[str]:
    """The accounts of a campaign, in a stable order. `strong` names the keys whose every account is a member."""
    families: dict[str, set[str]] = {}
    admitted: dict[str, None] = {}
    carried: Counter[str] = Counter()
    for node in nodes:
        carried.update(node.suspicion.members)
        for account in node.suspicion.members:
            families.setdefault(account, set()).add(node.family)
            if node.name in strong:
                admitted[account] = None
    strong_kinds = {int(name.partition(":")[0]) for name in strong}
    for report in reports:
        families.setdefault(report.account, set()).update(map(_FAMILIES.__getitem__, report.kinds))
        carried[report.account] = max(carried[report.account], len(report.kinds))
        if strong_kinds & (set(report.devoted) if report.age == Age.TRUSTED else set(report.kinds)):
            admitted[report.account] = None
    needed = _keys_needed([carried[account] for account in admitted])
    found = {account for account in admitted if carried[account] >= needed}
    found.update(account for account, known in families.items() if len(known) >= FAMILIES_MIN)
    return iter(sorted(found))


def _keys_needed(carried: list[int]) -> int:
    """How many of the campaign's keys make a member: who carries one where members carry many met the pool's prompt elsewhere."""
    return ceil(FEW_SHARE * median_low(carried)) if carried else 1
