"""The topics: their names, keys and clean-up, as the contract lists them. N is the partition count of `guard.requests`."""

import enum

from guard.units import DAY_MS, HOUR_MS

PARTITIONS_DEFAULT = 8
"""Partitions of `guard.requests` when nobody says otherwise (contract)."""


class Topic(enum.StrEnum):
    """Every topic that the guard reads or writes."""

    REQUESTS = "guard.requests"
    DECISIONS = "guard.decisions"
    SHADOW = "guard.decisions.shadow"
    CAMPAIGNS = "guard.campaigns"
    POLICY = "guard.policy"
    POLICY_STATUS = "guard.policy.status"
    LABELS = "guard.labels"
    DEAD_LETTERS = "guard.dead-letters"
    LINKS = "guard.internal.links"
    SUSPICIONS = "guard.internal.suspicions"
    ACCOUNTS_STATE = "guard.internal.accounts-state"
    LINKS_STATE = "guard.internal.links-state"
    CAMPAIGNS_STATE = "guard.internal.campaigns-state"
    ENFORCERS = "guard.internal.enforcers"


class Spread(enum.Enum):
    """How a topic's partition count follows from N."""

    ONE = "1"
    SHARDS = "N"
    SHARDS_AND_CAMPAIGNS = "N + 1"

    def partitions(self, shards: int) -> int:
        """Partition count for `shards` partitions of `guard.requests`."""
        return {Spread.ONE: 1, Spread.SHARDS: shards, Spread.SHARDS_AND_CAMPAIGNS: shards + 1}[self]


DECISION_RETENTION_MS = 8 * DAY_MS
"""Longest time-to-live of a decision (7 days) and one day (contract)."""

TOPICS: dict[Topic, tuple[Spread, dict[str, str]]] = {
    Topic.REQUESTS: (Spread.SHARDS, {"cleanup.policy": "delete", "retention.ms": str(7 * DAY_MS)}),
    Topic.DECISIONS: (
        Spread.SHARDS_AND_CAMPAIGNS,
        {"cleanup.policy": "compact,delete", "retention.ms": str(DECISION_RETENTION_MS)},
    ),
    Topic.SHADOW: (
        Spread.SHARDS_AND_CAMPAIGNS,
        {"cleanup.policy": "compact,delete", "retention.ms": str(DECISION_RETENTION_MS)},
    ),
    Topic.CAMPAIGNS: (Spread.ONE, {"cleanup.policy": "compact"}),
    Topic.POLICY: (Spread.ONE, {"cleanup.policy": "delete", "retention.ms": "-1"}),
    Topic.POLICY_STATUS: (Spread.ONE, {"cleanup.policy": "delete", "retention.ms": str(30 * DAY_MS)}),
    Topic.LABELS: (Spread.SHARDS, {"cleanup.policy": "compact"}),
    Topic.DEAD_LETTERS: (Spread.SHARDS, {"cleanup.policy": "delete", "retention.ms": str(14 * DAY_MS)}),
    Topic.LINKS: (Spread.SHARDS, {"cleanup.policy": "delete", "retention.ms": str(7 * DAY_MS)}),
    Topic.SUSPICIONS: (Spread.ONE, {"cleanup.policy": "delete", "retention.ms": str(7 * DAY_MS)}),
    Topic.ACCOUNTS_STATE: (Spread.SHARDS, {"cleanup.policy": "compact"}),
    Topic.LINKS_STATE: (Spread.SHARDS, {"cleanup.policy": "compact"}),
    Topic.CAMPAIGNS_STATE: (Spread.ONE, {"cleanup.policy": "compact"}),
    Topic.ENFORCERS: (Spread.ONE, {"cleanup.policy": "delete", "retention.ms": str(HOUR_MS)}),
}
"""Partition count and configuration of every topic; all of them use `LogAppendTime` (contract)."""
