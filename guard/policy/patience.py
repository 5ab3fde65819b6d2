"""How long a throttle is tried on a group whose members ask for less than it leaves them."""

from typing import Final

from guard.policy.policy import Policy
from guard.scoring.account_rules import reason
from guard.scoring.reasons import Reason
from guard.units import MINUTE_MS

ASKED_SHARE: Final = 0.5
"""Of the rate that a throttle leaves, up to which members ask so little that it takes nothing from them."""


def idle_throttle(throttled_at: int, exchanges: int, members: int, policy: Policy, at: int) -> Reason | None:
    """Why nothing milder than a challenge does anything to a group: a throttle has stood for long and leaves more than is asked for.

    `throttled_at` is the event time since when one is tried, 0 for not yet; `exchanges` are at most what was answered since.
    """
    tried_ms = at - throttled_at
    if not throttled_at or tried_ms < policy.throttle_patience_ms:
        return None
    asked_rpm, left_rpm = exchanges * MINUTE_MS / (tried_ms * max(1, members)), ASKED_SHARE * policy.throttle_rate_rpm
    return reason("idle_throttle", asked_rpm, left_rpm, 0.0, 0.0) if asked_rpm <= left_rpm else None
