"""The one engine behind every gateway: who asks, which route, what is in force, and so what becomes of the request."""

from collections.abc import Callable
from random import Random
from typing import Final

from msgspec import Struct

from guard.decisions.decision import Action
from guard.events.identifiers import Identifiers
from guard.gateway.answers import Answers, Refusal
from guard.gateway.appeal import AppealTokens
from guard.gateway.orders import PASS, Answer, Names, Orders
from guard.gateway.throttle import Throttles
from guard.wall_clock import wall_clock

COUNTS: Final = ("passed", "throttled", "challenged", "blocked", "rate_passed", "failed_open", "failed_closed", "unidentified")
"""What can become of a request: `rate_passed` are those of a throttled account within its rate."""


class Caller(Struct, frozen=True, gc=False):
    """Who asks, as the gateway knows it after authentication; and the path, for routes that are closed."""

    account: str
    payment: str | None = None
    organisation: str | None = None
    path: str = "/"
    others: tuple[Names, ...] = ()
    """Account, payment and organisation as they are called under other keys, while keys are changed."""

    @classmethod
    def under_each_key(
        cls, identifiers: Identifiers, account: str | None, payment: str | None, organisation: str | None, path: str
    ) -> "Caller":
        """Who asks, by what the gateway knows raw: while keys are changed, a decision may still name it under the previous one."""
        if not account:
            return cls("", path=path)
        current, *others = identifiers.under_each_key(account, payment, organisation)
        return cls(*current, path, tuple(others))


class Ruling(Struct, frozen=True, gc=False):
    """What becomes of one request."""

    refusal: Refusal | None = None
    """None lets it pass."""
    decision_id: str = ""
    """The decision under which it was refused or counted against a rate; for the request event."""
    action: Action = Action.ALLOW


class Enforcer:
    """Answers from memory. `now` gives UTC milliseconds; `enforcers` how many share each account's rate."""

    def __init__(
        self,
        answers: Answers | None = None,
        tokens: AppealTokens | None = None,
        closed_routes: tuple[str, ...] = (),
        now: Callable[[], int] = wall_clock,
    ) -> None:
        self.orders = Orders()
        self.enforcers = 1
        self.is_ready = False
        self.counts = dict.fromkeys(COUNTS, 0)
        self._answers = answers or Answers(Random())
        self._tokens = tokens or AppealTokens(b"")
        self._closed_routes = closed_routes
        self._throttles = Throttles()
        self._now = now

    def rule(self, caller: Caller) -> Ruling:
        """What becomes of the request. Never waits; microseconds."""
        if not caller.account:
            return self._undecided(caller, "unidentified")
        if not self.is_ready:
            return self._undecided(caller, "failed_open")
        at = self._now()
        answer = self.orders.answer_of_all(((caller.account, caller.payment, caller.organisation), *caller.others), at)
        if answer is PASS:
            self.counts["passed"] += 1
            return _PASSED
        return self._obeyed(caller.account, answer, at)

    def _obeyed(self, account: str, answer: Answer, at: int) -> Ruling:
        wait_ms = 0
        if answer.action is Action.THROTTLE:
            wait_ms = self._throttles.wait_ms(account, answer.rate_rpm or 1, at, self.enforcers)
            if wait_ms == 0:
                self.counts["rate_passed"] += 1
                return Ruling(None, answer.decision_id, answer.action)
        self.counts[_COUNTED[answer.action]] += 1
        token = self._tokens.token(account, answer.decision_id)
        return Ruling(self._answers.refusal(answer, token, wait_ms), answer.decision_id, answer.action)

    def _undecided(self, caller: Caller, count: str) -> Ruling:
        """Open by default; a closed route refuses whom nobody can judge."""
        if caller.path.startswith(self._closed_routes) if self._closed_routes else False:
            self.counts["failed_closed"] += 1
            return Ruling(self._answers.unavailable())
        self.counts[count] += 1
        return _PASSED


_PASSED: Final = Ruling()
_COUNTED: Final = {Action.THROTTLE: "throttled", Action.CHALLENGE: "challenged", Action.BLOCK: "blocked"}
