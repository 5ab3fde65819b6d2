"""Orders that need no event: exemptions and operators' own decisions, written by the shard that owns the subject.

Each is written when it begins, renewed before it ends, and lifted when policy or labels no longer say it. What was written
is remembered per subject in the shard's state, so that a restart repeats nothing.
"""

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

import msgspec
from msgspec import Struct

from guard.decisions.decision import Action, Origin, Scope
from guard.decisions.standing import Standing
from guard.engine.control import Control
from guard.engine.issue import Desk, Order, Subject
from guard.policy.policy import TTL_MS_MAX, Policy
from guard.scoring.account_rules import reason
from guard.units import EventTimeMs

PREFIX: Final = b"x:"
NEVER: Final = 1 << 62


class Told(Struct, array_like=True):
    """What was last written about a subject without an event."""

    standing: Standing
    action: int
    rate_rpm: int | None
    until: int
    """When the order itself is over; a decision is renewed until then."""


class Wanted(NamedTuple):
    """What policy and labels want said about a subject."""

    action: Action
    rate_rpm: int | None
    from_at: int
    until: int
    origin: Origin
    code: str


def owns_all(_: str) -> bool:
    """Every subject is this shard's."""
    return True


def nobody(_: str) -> None:
    """The members of a subject that is one account."""


def unlisted(_: str) -> tuple[str, ...]:
    """The members of a subject that lists none."""
    return ()


class Announcements:
    """Announcements of one scope in one shard. Bounded by the policy's lists and the label book."""

    def __init__(
        self,
        scope: Scope,
        records: dict[bytes, bytes],
        owns: Callable[[str], bool],
        desk: Desk,
        members: Callable[[str], tuple[str, ...] | None] = nobody,
    ) -> None:
        self._scope = scope
        self._owns = owns
        self._members = members
        self._desk = desk
        prefix = PREFIX + scope.encode() + b":"
        stored = {key: records.pop(key) for key in [key for key in records if key.startswith(prefix)]}
        self._told = {key[len(prefix) :].decode(): msgspec.msgpack.decode(value, type=Told) for key, value in stored.items()}
        self._wanted: dict[str, Wanted] = {}
        self._due_at = 0
        self._changes: dict[str, bytes | None] = {}
        self._prefix = prefix

    def follow(self, control: Control) -> None:
        """Want what this control says from now on."""
        self._control = control
        self._due_at = 0

    def is_due(self, now: int) -> bool:
        """Something is to be written at event time `now`."""
        return now >= self._due_at

    def drain(self, now: int) -> list[tuple[bytes, bytes | None]]:
        """Write what is due at event time `now` (the shard's clock; 0 before any event); the changed state records."""
        if self.is_due(now):
            self._announce(now)
        if not self._changes:
            return []
        changes: list[tuple[bytes, bytes | None]] = [(self._prefix + name.encode(), value) for name, value in self._changes.items()]
        self._changes = {}
        return changes

    def _announce(self, now: int) -> None:
        policy = self._control.policies.at(EventTimeMs(now)) if now else self._control.policies.newest
        wanted = dict(self._wants(policy, now))
        self._due_at = NEVER
        for name in sorted(self._told.keys() - wanted.keys()):
            self._end(name, now, policy)
        for name, want in sorted(wanted.items()):
            self._say(name, want, max(now, want.from_at), policy)

    def _wants(self, policy: Policy, now: int) -> Iterator[tuple[str, Wanted]]:
        for (scope, name), order in policy.orders.items():
            if scope == self._scope and now < order.expires_at and self._owns(name):
                yield name, Wanted(order.action, order.rate_rpm, policy.effective_at, order.expires_at, Origin.OPERATOR, "operator_order")
        for (scope, name), entry in policy.allowed.items():
            if scope == self._scope and now < entry.expires_at and self._owns(name):
                yield name, Wanted(Action.ALLOW, None, policy.effective_at, entry.expires_at, Origin.OPERATOR, "allow_list")
        for label in self._control.labels.exemptions():
            if label.scope is self._scope and now < label.expires_at and self._owns(label.subject):
                yield label.subject, Wanted(Action.ALLOW, None, label.at, label.expires_at, Origin.LABEL, "allow_list")

    def _say(self, name: str, want: Wanted, at: int, policy: Policy) -> None:
        told = self._told.get(name)
        is_same = told is not None and (told.action, told.rate_rpm, told.until) == (want.action, want.rate_rpm, want.until)
        held = told.standing.enforce if told is not None else None
        if is_same and held is not None and (held.expires_at >= want.until or held.expires_at - at > TTL_MS_MAX // 2):
            self._wake(held.expires_at - TTL_MS_MAX // 2 if held.expires_at < want.until else want.until)
            return
        standing = told.standing if told is not None else Standing()
        expires_at = min(want.until, at + TTL_MS_MAX)
        why = reason(want.code, 1.0, 1.0, 0.0, 1.0)
        order = Order(want.action, expires_at, (why,), rate_rpm=want.rate_rpm, origin=want.origin)
        self._desk.write(Subject(self._scope, name, standing, self._members(name)), order, policy, at)
        self._told[name] = stored = Told(standing, want.action, want.rate_rpm, want.until)
        self._changes[name] = msgspec.msgpack.encode(stored)
        self._wake(expires_at - TTL_MS_MAX // 2 if expires_at < want.until else want.until)

    def _end(self, name: str, now: int, policy: Policy) -> None:
        told = self._told.pop(name)
        self._changes[name] = None
        held = told.standing.enforce
        if held is not None and held.is_active(now):
            code = "operator_order" if told.action > Action.ALLOW else "allow_list"
            why = reason(code, 0.0, 1.0, 0.0, 0.0)
            order = Order(Action.ALLOW, now, (why,), origin=Origin.OPERATOR)
            self._desk.write(Subject(self._scope, name, told.standing, self._members(name)), order, policy, now)

    def _wake(self, at: int) -> None:
        self._due_at = min(self._due_at, at)
