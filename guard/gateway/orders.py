"""Every decision in force, and which one counts for a request: pause, then exemption, then the most severe (contract).

Pure: whoever asks gives the time. Bounded by the decisions on the topic; what has expired is dropped when its subject is next
written or by `forget_expired`. An order takes about 250 bytes, a member of a campaign about 200.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from msgspec import UNSET, Struct

from guard.decisions.decision import Action, Decision, Mode, Scope
from guard.gateway.order import Order, is_due, pack_order, unpack_order
from guard.topics import DECISION_RETENTION_MS
from guard.units import STRING_CHARS_MAX

MEMBER_SCOPES: Final = (Scope.PAYMENT, Scope.ORGANISATION, Scope.CAMPAIGN)

PARTS_MAX: Final = 1_000
"""Of one decision: a million members (contract: a thousand a part)."""

Subject = tuple[str, str]
"""Scope and subject."""

Names = tuple[str, str | None, str | None]
"""Of a caller: account, payment fingerprint and organisation."""


class Answer(Struct, frozen=True, gc=False):
    """What the gateway does with a request: the action, under which decision, and for a throttle the rate per minute."""

    action: Action
    decision_id: str = ""
    rate_rpm: int | None = None
    reason_code: str = ""
    """The strongest reason of the decision."""
    expires_at: int = 0
    """When the decision ends, UTC milliseconds."""


PASS: Final = Answer(Action.ALLOW)


class Orders:
    """The decisions of `guard.decisions` by subject, and each account's subjects."""

    def __init__(self, paused_until: int = 0) -> None:
        self._of_scope: dict[str, dict[str, bytes]] = {scope.value: {} for scope in (Scope.ACCOUNT, *MEMBER_SCOPES)}
        self._own = self._of_scope[Scope.ACCOUNT.value]
        self._parts: dict[Subject, dict[int, tuple[str, ...]]] = {}
        self._of_account: dict[str, tuple[Subject, ...]] = {}
        self._paused_until = paused_until

    def __len__(self) -> int:
        return sum(len(orders) for orders in self._of_scope.values())

    @property
    def paused_until(self) -> int:
        """UTC milliseconds until which every sanction is suspended; 0 if none ever was."""
        return self._paused_until

    def apply(self, decision: Decision) -> None:
        """Take one decision in. Shadow decisions are none of the gateway's business, and neither are scopes that nobody knows."""
        if decision.mode != Mode.ENFORCE:
            return
        if decision.scope == Scope.ALL:
            self._paused_until = decision.expires_at if decision.action == "allow" else 0
            return
        orders = self._of_scope.get(decision.scope)
        if orders is None:
            return
        if decision.scope in MEMBER_SCOPES:
            members = () if decision.members is UNSET else decision.members
            self._replace_members((decision.scope, decision.subject), decision.part, members)
        if decision.part == 0:
            orders[decision.subject] = pack_order(decision)

    def _replace_members(self, subject: Subject, part: int, members: tuple[str, ...]) -> None:
        """A part is complete: who was in it and is no longer is released."""
        parts = self._parts.setdefault(subject, {})
        for account in parts.pop(part, ()):
            left = list(self._of_account.get(account, ()))
            left.remove(subject)
            if left:
                self._of_account[account] = tuple(left)
            else:
                del self._of_account[account]
        if members:
            parts[part] = members
        if not parts:
            del self._parts[subject]
        for account in members:
            self._of_account[account] = (*self._of_account.get(account, ()), subject)

    def answer(self, account: str, payment: str | None, organisation: str | None, at: int) -> Answer:
        """The answer to a request of `account` at `at`, UTC milliseconds. Microseconds, whatever the number of decisions.

        Identifiers are cut as they are in events (contract): the decision about an over-long one names its beginning.
        """
        return self.answer_of_all([(account, payment, organisation)], at)

    def answer_of_all(self, names: Iterable[Names], at: int) -> Answer:
        """The answer to one request whose caller has several names: one that is exempt exempts him."""
        if at < self._paused_until:
            return PASS
        packed = (order for account, payment, organisation in names for order in self._packed(account, payment, organisation))
        found = [order for order in packed if is_due(order, at)]
        return _ruled([unpack_order(order) for order in found]) if found else PASS

    def _packed(self, account: str, payment: str | None, organisation: str | None) -> list[bytes]:
        """The orders that reach the request, each once."""
        account = account[:STRING_CHARS_MAX]
        subjects = self._of_account.get(account, ())
        if payment is not None:
            subjects = (*subjects, (Scope.PAYMENT.value, payment[:STRING_CHARS_MAX]))
        if organisation is not None:
            subjects = (*subjects, (Scope.ORGANISATION.value, organisation[:STRING_CHARS_MAX]))
        found = [order for scope, subject in dict.fromkeys(subjects) if (order := self._of_scope[scope].get(subject)) is not None]
        own = self._own.get(account)
        return found if own is None else [own, *found]

    def subjects(self, size: int) -> Iterator[tuple[str, list[str]]]:
        """All subjects as they are now, by scope, in lists of at most `size`."""
        for scope, orders in self._of_scope.items():
            names = list(orders)
            yield from ((scope, names[start : start + size]) for start in range(0, len(names), size))

    def forget_expired(self, scope: str, subjects: Iterable[str], at: int) -> int:
        """Drop those of the subjects' orders that have expired by `at`; how many went.

        Where there are members, only once the topic itself has dropped the decision: until then one part of it may be written anew, and the
        others are what they were.
        """
        orders = self._of_scope[scope]
        since = at - (DECISION_RETENTION_MS if scope in MEMBER_SCOPES else 0)
        gone = [subject for subject in subjects if (order := orders.get(subject)) is not None and not is_due(order, since)]
        for subject in gone:
            del orders[subject]
            for part in list(self._parts.get((scope, subject), ())):
                self._replace_members((scope, subject), part, ())
        return len(gone)

    def replace_with(self, other: "Orders") -> None:
        """Hold what `other` holds, and nothing else; `other` is spent."""
        self.__dict__.update(other.__dict__)

    def chunks(self, size: int) -> Iterator[tuple[str, list[tuple[str, bytes]], list[tuple[str, int, tuple[str, ...]]]]]:
        """Everything as it is now, in lists of at most `size` entries; what changes later is not in them."""
        for scope, orders in self._of_scope.items():
            entries = list(orders.items())
            yield from ((scope, entries[start : start + size], []) for start in range(0, len(entries), size))
        for (scope, subject), parts in self._parts.items():
            yield from ((scope, [], [(subject, part, members)]) for part, members in parts.items())

    def restore(self, scope: str, orders: list[tuple[str, bytes]], parts: list[tuple[str, int, tuple[str, ...]]]) -> None:
        """Take back one list of `chunks`. Raises KeyError for a scope that nobody knows."""
        self._of_scope[scope].update(orders)
        for subject, part, members in parts:
            self._replace_members((scope, subject), part, members)


def _ruled(orders: list[Order]) -> Answer:
    if any(order.is_exemption for order in orders):
        return PASS
    worst = max(orders, key=lambda order: (order.action, order.issued_at))
    if worst.action is Action.ALLOW:
        return PASS
    rates = [order.rate_rpm for order in orders if order.action is Action.THROTTLE and order.rate_rpm is not None]
    rate = min(rates) if worst.action is Action.THROTTLE and rates else None
    return Answer(worst.action, worst.decision_id, rate, worst.reason_code, worst.expires_at)
