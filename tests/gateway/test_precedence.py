"""Random decisions, tombstones of time and questions, against a model that is too simple to be wrong."""

from random import Random
from typing import Any

from guard.decisions.decision import Action, Decision
from guard.gateway.orders import Orders

ACCOUNTS = tuple(f"a{number}" for number in range(6))
SUBJECTS = {
    "account": ACCOUNTS,
    "payment_fingerprint": ("p0", "p1"),
    "organisation": ("o0", "o1"),
    "campaign": ("c0", "c1", "c2"),
}
ACTIONS = ("allow", "throttle", "challenge", "block")


class Model:
    """The contract's sentences, one list each, searched from end to end."""

    def __init__(self) -> None:
        self.heads: dict[tuple[str, str], Decision] = {}
        self.parts: dict[tuple[str, str, int], tuple[str, ...]] = {}
        self.paused_until = 0

    def apply(self, decision: Decision) -> None:
        if decision.mode != "enforce":
            return
        if decision.scope == "all":
            self.paused_until = decision.expires_at if decision.action == "allow" else 0
            return
        if decision.scope != "account":
            self.parts[decision.scope, decision.subject, decision.part] = decision.members
        if decision.part == 0:
            self.heads[decision.scope, decision.subject] = decision

    def reaching(self, account: str, payment: str | None, organisation: str | None) -> list[Decision]:
        asked = {("account", account), ("payment_fingerprint", payment), ("organisation", organisation)}
        asked |= {(scope, subject) for (scope, subject, _), members in self.parts.items() if account in members}
        return [head for subject, head in self.heads.items() if subject in asked]

    def answer(self, account: str, payment: str | None, organisation: str | None, at: int) -> tuple[Action, int | None]:
        if at < self.paused_until:
            return Action.ALLOW, None
        due = [head for head in self.reaching(account, payment, organisation) if at < head.expires_at]
        if any(head.action == "allow" for head in due):
            return Action.ALLOW, None
        worst = max((Action[head.action.upper()] for head in due), default=Action.ALLOW)
        rates = [head.rate_rpm for head in due if head.action == "throttle"]
        return worst, min(rates) if worst is Action.THROTTLE else None


def random_decision(dice: Random, at: int) -> Decision:
    if dice.random() < 0.02:
        lasts = dice.choice((0, 300))
        return _decision("all", "*", "allow", at, lasts, {})
    scope = dice.choice(tuple(SUBJECTS))
    action = dice.choice(ACTIONS)
    more: dict[str, Any] = {"rate_rpm": dice.randrange(1, 100)} if action == "throttle" else {}
    if scope != "account":
        more["members"] = tuple(dice.sample(ACCOUNTS, dice.randrange(4)))
        more["part"] = dice.choice((0, 0, 0, 1, 2))
    lasts = 0 if action == "allow" and dice.random() < 0.7 else dice.randrange(1, 1_500)
    return _decision(scope, dice.choice(SUBJECTS[scope]), action, at, lasts, more, mode="shadow" if dice.random() < 0.1 else "enforce")


def _decision(scope: str, subject: str, action: str, at: int, lasts: int, more: dict[str, Any], mode: str = "enforce") -> Decision:
    return Decision(
        decision_id=f"d{at}", scope=scope, subject=subject, action=action, issued_at=at, expires_at=at + lasts, score=0.9, reasons=(),
        policy_version=1, model_version="m", origin="automatic", mode=mode, **more,
    )  # fmt: skip


def differences(cases: int, seed: int) -> list[str]:
    """Questions that got another answer than the model's."""
    dice, orders, model, found = Random(seed), Orders(), Model(), []
    for at in range(1_000, 1_000 + cases):
        if dice.random() < 0.3:
            decision = random_decision(dice, at)
            orders.apply(decision)
            model.apply(decision)
        if dice.random() < 0.01:
            for scope, subjects in orders.subjects(2):
                orders.forget_expired(scope, subjects, at)
        asked = dice.choice(ACCOUNTS), dice.choice((None, "p0", "p1")), dice.choice((None, "o0", "o1"))
        got, wanted = orders.answer(*asked, at), model.answer(*asked, at)
        if (got.action, got.rate_rpm) != wanted:
            found.append(f"at {at} {asked}: {got} instead of {wanted}")
    return found


def test_a_hundred_thousand_random_cases_are_answered_as_the_contract_says() -> None:
    """Precedence, exemptions, lifts, parts, pauses, shadow and expiry; `make bench` plays a million."""
    assert differences(100_000, seed=11) == []


def test_every_kind_of_answer_is_among_the_random_cases() -> None:
    """The test above would be empty if everything passed."""
    dice, orders, seen = Random(5), Orders(), set()
    for at in range(1_000, 6_000):
        orders.apply(random_decision(dice, at))
        seen.add(orders.answer(dice.choice(ACCOUNTS), "p0", "o1", at).action)
    assert seen == set(Action)
