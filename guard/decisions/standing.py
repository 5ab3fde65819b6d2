"""The orders that stand over a subject: one per mode, so that shadow and enforcement never mix (contract)."""

from msgspec import Struct

from guard.decisions.decision import Action, Decision, Mode


class Order(Struct, array_like=True, frozen=True, gc=False):
    """What is remembered of the decision in force."""

    action: int
    issued_at: int
    expires_at: int
    decision_id: str

    def is_active(self, at: int) -> bool:
        """Still in force at event time `at`."""
        return self.issued_at <= at < self.expires_at


class Standing(Struct, array_like=True, gc=False):
    """The newest order in each mode; None before the first."""

    enforce: Order | None = None
    shadow: Order | None = None

    def order(self, mode: str) -> Order | None:
        """The newest order in `mode`, in force or not."""
        return self.enforce if mode == Mode.ENFORCE else self.shadow

    def take(self, decision: Decision) -> None:
        """The decision becomes the order in force in its mode."""
        order = Order(Action[decision.action.upper()], decision.issued_at, decision.expires_at, decision.decision_id)
        if decision.mode == Mode.ENFORCE:
            self.enforce = order
        else:
            self.shadow = order

    def is_sanctioned(self, at: int) -> bool:
        """Some sanction is in force, in whichever mode: such a subject teaches no model."""
        return any(order is not None and order.action > Action.ALLOW and order.is_active(at) for order in (self.enforce, self.shadow))

    @property
    def was_sanctioned(self) -> bool:
        """Some sanction was ever issued: such an account vouches for nobody."""
        return any(order is not None and order.action > Action.ALLOW for order in (self.enforce, self.shadow))
