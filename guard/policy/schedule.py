"""Which policy holds at which event time: the highest accepted version whose `effective_at` has come."""

import hashlib
from bisect import bisect_right
from typing import Final

import msgspec
from msgspec import Struct

from guard.policy.builtin import builtin_policy
from guard.policy.errors import PolicyError
from guard.policy.parse import parse_policy
from guard.policy.policy import Policy
from guard.policy.signature import UNSIGNED, KeyRing
from guard.units import EventTimeMs

POLICIES_MAX: Final = 64
"""Accepted policies remembered. Events older than the oldest remembered one are judged by the built-in policy."""

BEGINNING_AT: Final = EventTimeMs(-(2**63))
END_AT: Final = EventTimeMs(2**63 - 1)


class PolicySchedule(Struct, frozen=True):
    """All accepted policies as spans of event time. A document changes it whole, or not at all."""

    accepted: tuple[Policy, ...]
    """Versions strictly rising; the first is the built-in policy."""
    keys: KeyRing
    starts: tuple[int, ...]
    """Event times at which the policy in force changes, rising; the first is the beginning of time."""
    spans: tuple[Policy, ...]
    """The policy in force from the start beside it."""

    @classmethod
    def builtin(cls, *, enforce: bool, keys: KeyRing = UNSIGNED) -> "PolicySchedule":
        """The schedule before any document."""
        return _schedule((builtin_policy(enforce=enforce),), keys)

    @property
    def newest(self) -> Policy:
        """The highest accepted version, whether or not it is in force yet."""
        return self.accepted[-1]

    @property
    def hash(self) -> str:
        """One short name for all that was accepted: equal schedules have equal hashes."""
        return hashlib.sha256(" ".join(policy.hash for policy in self.accepted).encode()).hexdigest()[:16]

    def at(self, event_time: EventTimeMs) -> Policy:
        """The policy in force at `event_time`. 0.1 us; a caller with many events holds on to `span_at`."""
        return self.spans[bisect_right(self.starts, event_time) - 1]

    def span_at(self, event_time: EventTimeMs) -> tuple[Policy, EventTimeMs, EventTimeMs]:
        """The policy in force at `event_time`, and the times [from, until) for which that answer stays right."""
        index = bisect_right(self.starts, event_time)
        until = self.starts[index] if index < len(self.starts) else END_AT
        return self.spans[index - 1], EventTimeMs(self.starts[index - 1]), EventTimeMs(until)

    def with_document(self, value: bytes) -> "PolicySchedule":
        """The schedule after this document; raises PolicyError, and then this schedule goes on holding."""
        policy = parse_policy(value, self.keys)
        newest = self.accepted[-1].version
        if policy.version <= newest:
            line = f"version: {policy.version}; it should be above {newest}, the highest version accepted so far"
            raise PolicyError([line], policy.version)
        builtin, *documents = self.accepted
        return _schedule((builtin, *documents[-(POLICIES_MAX - 1) :], policy), self.keys)


def _schedule(accepted: tuple[Policy, ...], keys: KeyRing) -> PolicySchedule:
    starts: list[int] = [BEGINNING_AT]
    spans = [accepted[0]]
    for policy in sorted(accepted[1:], key=lambda policy: (policy.effective_at, policy.version)):
        if policy.version <= spans[-1].version:
            continue
        if policy.effective_at == starts[-1]:
            spans[-1] = policy
        else:
            starts.append(policy.effective_at)
            spans.append(policy)
    return PolicySchedule(accepted, keys, tuple(starts), tuple(spans))


def policy_json(policy: Policy) -> bytes:
    """A policy with every default filled in, as JSON for people and programs; a secret in it is not told."""
    plain = msgspec.to_builtins(
        {name: getattr(policy, name) for name in policy.__struct_fields__ if name not in ("allowed", "orders", "rules_off", "rules_shadow")}
    )
    plain["jitter"]["key"] = "(withheld)" if policy.jitter.key else ""
    plain |= {"rules_off": sorted(policy.rules_off), "rules_shadow": sorted(policy.rules_shadow)}
    plain["rungs"] = [{"action": rung.action.word, "score": rung.score, "ttl_ms": rung.ttl_ms} for rung in policy.rungs]
    plain["allow_list"] = [msgspec.to_builtins(entry) for entry in policy.allowed.values()]
    plain["orders"] = [{**msgspec.to_builtins(order), "action": order.action.word} for order in policy.orders.values()]
    return msgspec.json.encode(plain)
