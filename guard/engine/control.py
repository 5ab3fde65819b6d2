"""What operators, analysts and the campaigns stage tell every shard: one frozen value, swapped whole between two batches."""

from typing import Final

from msgspec import Struct

from guard.engine.watchlist import WatchList
from guard.policy.exemption import exemption
from guard.policy.labels import LabelBook, Verdict
from guard.policy.policy import Policy
from guard.policy.schedule import PolicySchedule
from guard.scoring.account_rules import reason
from guard.scoring.reasons import Reason
from guard.units import EventTimeMs

LABEL_WEIGHT: Final = 0.6
"""Below the first rung: labels are wrong about twice in a hundred (contract)."""
BENIGN_RELIEF: Final = 0.5
"""A benign label halves the score: strong evidence of two families still reaches a throttle."""


class Control(Struct, frozen=True):
    """The accepted policies, the labels in force and the campaigns' keys, as one consistent view."""

    policies: PolicySchedule
    labels: LabelBook
    watch: WatchList

    def is_exempt(self, scope: str, subject: str, at: EventTimeMs, policy: Policy) -> bool:
        """No sanction may reach the subject at `at`, whatever the evidence."""
        return exemption(policy, self.labels, scope, subject, at) is not None

    def is_settled(self, scope: str, subject: str, at: EventTimeMs, policy: Policy) -> bool:
        """The subject is exempt, or an operator's order stands over it: no automatic decision may be written."""
        order = policy.orders.get((scope, subject)) if policy.orders else None
        return self.is_exempt(scope, subject, at, policy) or (order is not None and at < order.expires_at)

    def label_says(self, scope: str, subject: str, at: EventTimeMs) -> tuple[list[Reason], float]:
        """What the label in force adds: evidence of extraction, or the relief (0-1) of a benign one."""
        label = self.labels.verdict(scope, subject, at)
        if label is None:
            return [], 0.0
        if label.verdict is Verdict.EXTRACTION:
            return [reason("label_extraction", 1.0, 1.0, 0.0, LABEL_WEIGHT)], 0.0
        return [], BENIGN_RELIEF if label.verdict is Verdict.BENIGN else 0.0
