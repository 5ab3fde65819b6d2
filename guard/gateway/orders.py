"""Every decision in force, and which one counts for a request: pause, then exemption, then the most severe (contract).

Pure: whoever asks gives the time. Bounded by the decisions on the topic; what has expired is dropped when its subject is next
written or when `forget_expired` is called.
"""

from typing import Final

from msgspec import UNSET, Struct

from guard.decisions.decision import Action, Decision, Mode, Scope

MEMBER_SCOPES: Final = (Scope.PAYMENT, Scope.ORGANISATION, Scope.CAMPAIGN)
WORDS: Final = {action.word: action for action in Action}


class Answer(Struct, frozen=True):
    """What the gateway does with a request: the action, under which decision, and for a throttle the rate per minute."""

    action: Action
    decision_id: str = ""
    rate_rpm: int | None = None


PASS: Final = Answer(Action.ALLOW)


class _Order(Struct):
    """Part 0 of a subject's decision, and the members of all its parts."""

    action: Action
    issued_at: int
    expires_at: int
    decision_id: str
    rate_rpm: int | None
    is_exemption: bool


class Orders:
    """The decisions of `guard.decisions` by subject, and each account's subjects."""

    def __init__(self) -> None:
        self._orders: dict[tuple[str, str], _Order] = {}
        self._parts: dict[tuple[str, str, int], tuple[str, ...]] = {}
        self._of_account: dict[str, dict[tuple[str, str], int]] = {}
        self._paused_until = 0

    def __len__(self) -> int:
        return len(self._orders)

    def apply(self, decision: Decision) -> None:
        """Take one decision in. Shadow decisions are none of the gateway's business."""
        if decision.mode != Mode.ENFORCE:
            return
        if decision.scope == Scope.ALL:
            self._paused_until = decision.expires_at if decision.action == "allow" else 0
            return
        subject = (decision.scope, decision.subject)
        if decision.scope in MEMBER_SCOPES:
            self._replace_members((*subject, decision.part), () if decision.members is UNSET else decision.members)
        if decision.part == 0:
            self._orders[subject] = _order(decision)

    def _replace_members(self, part: tuple[str, str, int], members: tuple[str, ...]) -> None:
        subject = part[:2]
        for account in self._parts.pop(part, ()):
            subjects = self._of_account.get(account)
            if subjects is not None and subject in subjects:
                subjects[subject] -= 1
                if not subjects[subject]:
                    del subjects[subject]
                if not subjects:
                    del self._of_account[account]
        if members:
            self._parts[part] = members
        for account in members:
            subjects = self._of_account.setdefault(account, {})
            subjects[subject] = subjects.get(subject, 0) + 1

    def answer(self, account: str, payment: str | None, organisation: str | None, at: int) -> Answer:
        """The answer to a request of `account` at `at`, milliseconds."""
        if at < self._paused_until:
            return PASS
        subjects = [(Scope.ACCOUNT.value, account), *self._of_account.get(account, ())]
        if payment is not None:
            subjects.append((Scope.PAYMENT.value, payment))
        if organisation is not None:
            subjects.append((Scope.ORGANISATION.value, organisation))
        found = [order for subject in dict.fromkeys(subjects) if (order := self._orders.get(subject)) is not None and at < order.expires_at]
        if not found or any(order.is_exemption for order in found):
            return PASS
        worst = max(found, key=lambda order: (order.action, order.issued_at))
        if worst.action is Action.ALLOW:
            return PASS
        rates = [order.rate_rpm for order in found if order.action is Action.THROTTLE and order.rate_rpm is not None]
        return Answer(worst.action, worst.decision_id, min(rates) if worst.action is Action.THROTTLE and rates else None)

    def forget_expired(self, at: int) -> None:
        """Drop what has expired by `at`."""
        for subject in [subject for subject, order in self._orders.items() if order.expires_at <= at]:
            del self._orders[subject]
        for part in [part for part in self._parts if part[:2] not in self._orders]:
            self._replace_members(part, ())


def _order(decision: Decision) -> _Order:
    action = WORDS[decision.action]
    return _Order(
        action,
        decision.issued_at,
        decision.expires_at,
        decision.decision_id,
        None if decision.rate_rpm is UNSET else decision.rate_rpm,
        is_exemption=action is Action.ALLOW and decision.expires_at > decision.issued_at,
    )
