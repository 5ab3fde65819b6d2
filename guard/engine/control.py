"""What operators, analysts and the campaigns stage tell every shard: one frozen value, swapped whole between two batches."""

from msgspec import Struct

from guard.engine.watchlist import WatchList
from guard.policy.exemption import exemption
from guard.policy.labels import LabelBook
from guard.policy.policy import Policy
from guard.policy.schedule import PolicySchedule
from guard.units import EventTimeMs


class Control(Struct, frozen=True):
    """The accepted policies, the labels in force and the campaigns' keys, as one consistent view."""

    policies: PolicySchedule
    labels: LabelBook
    watch: WatchList

    def is_exempt(self, scope: str, subject: str, at: EventTimeMs, policy: Policy) -> bool:
        """No sanction may reach the subject at `at`, whatever the evidence."""
        return exemption(policy, self.labels, scope, subject, at) is not None
