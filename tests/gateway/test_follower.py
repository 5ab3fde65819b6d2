"""What the topic says is taken in record by record: none stops those behind it, and what is half read is not kept."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from guard.decisions.decision import Action
from guard.gateway.clock import SteadyClock
from guard.gateway.enforcer import Enforcer
from guard.gateway.follower import DecisionFollower
from guard.gateway.orders import Orders
from guard.gateway.places import Place
from guard.gateway.service import EnforcerService, ServiceConfig

DECISION = {
    "decision_id": "d-1", "scope": "account", "subject": "bob", "action": "block", "issued_at": 1, "expires_at": 2_000, "score": 0.9,
    "reasons": [], "policy_version": 1, "model_version": "m", "origin": "operator", "mode": "enforce",
}  # fmt: skip


@pytest.mark.parametrize(
    "wrong",
    [
        {"expires_at": 1 << 63}, {"expires_at": 10**30}, {"issued_at": -(1 << 64)}, {"scope": "all", "subject": "*", "expires_at": 1 << 64},
        {"scope": "campaign", "part": -1, "members": ["bob"]}, {"scope": "campaign", "part": 1 << 70, "members": ["bob"]},
    ],
)  # fmt: skip
def test_a_number_out_of_range_is_counted_and_the_next_decision_is_obeyed(wrong: dict[str, Any]) -> None:
    """Read again after every new connection, it would keep all decisions behind it from every gateway for ever."""
    follower = DecisionFollower("127.0.0.1:1", Orders())
    follower._take(json.dumps(DECISION | wrong).encode())
    follower._take(b'{"a":' * 5_000)
    follower._take(json.dumps(DECISION).encode())
    assert (follower.unreadable, follower.decisions_read) == (2, 1)
    assert follower.orders.answer("bob", None, None, 1_000).action is Action.BLOCK


def test_no_snapshot_is_kept_while_the_topic_is_read_anew(tmp_path: Path) -> None:
    """The orders of the old topic with positions in the new one would come back after a restart as if they were one."""
    clock = SteadyClock()
    service = EnforcerService(ServiceConfig(bootstrap="127.0.0.1:1", snapshot=tmp_path / "s"), Enforcer(now=clock), clock)
    service.follower._is_ready.set()
    service.follower._target = Orders()
    service.follower.places.known[0] = Place(7, b"12345678")
    asyncio.run(service.stop())
    assert not (tmp_path / "s").exists()

    service.follower._arrived()
    asyncio.run(service.stop())
    assert (tmp_path / "s").exists()
