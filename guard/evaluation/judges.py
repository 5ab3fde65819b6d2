"""Whoever decides: the engine, or a baseline in its place. Both take events and hand decisions over."""

from collections.abc import Sequence
from typing import Protocol

from guard.decisions.decision import MEMBERS_PER_PART_MAX, Action, Decision, Mode, Origin, Scope, sealed
from guard.events.request import RequestEvent
from guard.policy.policy import THROTTLE_RATE_RPM_DEFAULT, TTL_MS_DEFAULT
from guard.scoring.reasons import Reason
from guard.units import EventTimeMs


class Judge(Protocol):
    """Takes exchanges in and hands over what it decided."""

    def take(self, event: RequestEvent, appended_at: int) -> None:
        """One exchange, refused ones too."""

    def finish(self) -> None:
        """No more exchanges will come."""

    def drained(self) -> Sequence[Decision]:
        """The decisions since the last call."""


class Orderly:
    """The part that all baselines share: decisions of the contract's form, with the guard's own times to live."""

    def __init__(self) -> None:
        self._decided: list[Decision] = []

    def finish(self) -> None:
        """A baseline decides at each event: nothing waits."""

    def drained(self) -> Sequence[Decision]:
        """The decisions since the last call."""
        decided, self._decided = self._decided, []
        return decided

    def _order(self, account: str, action: Action, at: int, reason: Reason, rate_rpm: int = THROTTLE_RATE_RPM_DEFAULT) -> None:
        self._decided.append(_decision(Scope.ACCOUNT, account, 0, action, at, reason, rate_rpm, None, 0))

    def _order_all(self, subject: str, members: Sequence[str], action: Action, at: int, reason: Reason) -> None:
        for part, begin in enumerate(range(0, len(members), MEMBERS_PER_PART_MAX)):
            named = tuple(members[begin : begin + MEMBERS_PER_PART_MAX])
            order = _decision(Scope.CAMPAIGN, subject, part, action, at, reason, THROTTLE_RATE_RPM_DEFAULT, named, len(members))
            self._decided.append(order)


def _decision(  # noqa: PLR0913, PLR0917  # the fields of a decision that differ between baselines
    scope: Scope,
    subject: str,
    part: int,
    action: Action,
    at: int,
    reason: Reason,
    rate_rpm: int,
    members: tuple[str, ...] | None,
    total: int,
) -> Decision:
    fields: dict[str, object] = {"rate_rpm": rate_rpm} if action is Action.THROTTLE else {}
    if members is not None:
        fields |= {"members": members, "members_total": total, "campaign_id": subject}
    return sealed(
        Decision(
            scope=scope.value,
            subject=subject,
            part=part,
            action=action.word,
            issued_at=EventTimeMs(at),
            expires_at=EventTimeMs(at + TTL_MS_DEFAULT[action]),
            score=1.0,
            reasons=(reason,),
            policy_version=0,
            model_version="baseline",
            origin=Origin.AUTOMATIC.value,
            mode=Mode.ENFORCE.value,
            **fields,  # type: ignore[arg-type]  # each is of its field's type
        )
    )
