"""Decisions as the guard writes them: one builder, sensible defaults, every field can be overridden."""

import time
from typing import Any, Final

from guard.decisions.decision import Decision, sealed
from guard.scoring.reasons import Family, Reason

WHY: Final = Reason("template_lift", Family.TEMPLATE, 31.0, 12.0, 0.4, 0.5)
MINUTE_MS: Final = 60_000


def decision(subject: str, action: str = "block", scope: str = "account", **fields: Any) -> Decision:
    """One about `subject`, in force for a minute from now unless the fields say otherwise."""
    at = fields.pop("issued_at", None) or time.time_ns() // 1_000_000
    named = {
        "expires_at": at + MINUTE_MS, "score": 0.93, "reasons": (WHY,), "policy_version": 1, "model_version": "m", "origin": "automatic",
        "mode": "enforce",
    } | fields  # fmt: skip
    return sealed(Decision(scope=scope, subject=subject, action=action, issued_at=at, **named))
