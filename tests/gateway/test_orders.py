"""Which decision counts for a request."""

import sys
from types import FrameType
from typing import Any

from guard.decisions.decision import Action, Decision
from guard.gateway.orders import Orders
from guard.gateway.throttle import Throttles
from guard.topics import DECISION_RETENTION_MS
from tests.support.decisions import decision


class Lines:
    """Counts the lines run within it."""

    run = 0

    def __enter__(self) -> None:
        sys.settrace(self._seen)

    def __exit__(self, *_: object) -> None:
        sys.settrace(None)

    def _seen(self, frame: FrameType, event: str, argument: object) -> Any:
        del frame, argument
        self.run += event == "line"
        return self._seen


AT = 1_790_000_000_000
HOUR = 3_600_000


def _decision(scope: str, subject: str, action: str, **fields: Any) -> Decision:
    return decision(subject, action, scope, **{"issued_at": AT, "expires_at": AT + HOUR, "reasons": (), **fields})


def _answer(orders: Orders, account: str = "alice", at: int = AT + 1) -> Action:
    return orders.answer(account, "card-1", "org-1", at).action


def test_the_most_severe_of_four_scopes_wins() -> None:
    """Account, payment fingerprint, organisation and campaigns: one of them is the worst."""
    orders = Orders()
    orders.apply(_decision("account", "alice", "throttle", rate_rpm=6))
    orders.apply(_decision("payment_fingerprint", "card-1", "challenge", members=("alice",)))
    orders.apply(_decision("campaign", "c-1", "block", members=("alice", "bob")))

    assert _answer(orders) is Action.BLOCK


def test_an_exemption_passes_every_sanction() -> None:
    """An allow-list that loses is what operators hate most."""
    orders = Orders()
    orders.apply(_decision("campaign", "c-1", "block", members=("alice",)))
    orders.apply(_decision("account", "alice", "allow"))

    assert _answer(orders) is Action.ALLOW


def test_a_lift_takes_only_the_subjects_own_decision() -> None:
    """`allow` that expires at once lifts; it does not exempt."""
    orders = Orders()
    orders.apply(_decision("account", "alice", "block"))
    orders.apply(_decision("account", "alice", "allow", expires_at=AT))
    assert _answer(orders) is Action.ALLOW

    orders.apply(_decision("payment_fingerprint", "card-1", "throttle", rate_rpm=6, members=()))
    assert _answer(orders) is Action.THROTTLE


def test_a_pause_passes_everything_until_it_ends() -> None:
    """The kill switch."""
    orders = Orders()
    orders.apply(_decision("account", "alice", "block", expires_at=AT + 2 * HOUR))
    orders.apply(_decision("all", "*", "allow", origin="operator"))

    assert _answer(orders) is Action.ALLOW
    assert _answer(orders, at=AT + HOUR + 1) is Action.BLOCK


def test_a_member_released_from_a_part_is_free() -> None:
    """Each part is complete: who is no longer in it is no longer meant."""
    orders = Orders()
    orders.apply(_decision("campaign", "c-1", "block", members=("alice", "bob"), members_total=3))
    orders.apply(_decision("campaign", "c-1", "block", part=1, members=("carol",), members_total=3))
    orders.apply(_decision("campaign", "c-1", "block", members=("bob",), members_total=2))

    assert _answer(orders) is Action.ALLOW
    assert _answer(orders, "bob") is Action.BLOCK
    assert _answer(orders, "carol") is Action.BLOCK


def _forget(orders: Orders, at: int) -> None:
    for scope, subjects in orders.subjects(1):
        orders.forget_expired(scope, subjects, at)


def test_an_expired_decision_is_never_obeyed_and_is_forgotten() -> None:
    """Every sanction ends by itself; one with members is remembered for as long as the topic has it."""
    orders = Orders()
    orders.apply(_decision("campaign", "c-1", "block", members=("alice",)))
    orders.apply(_decision("account", "bob", "block"))
    assert _answer(orders, at=AT + HOUR) is Action.ALLOW

    _forget(orders, AT + HOUR)
    assert len(orders) == 1
    _forget(orders, AT + HOUR + DECISION_RETENTION_MS)
    assert len(orders) == 0


def test_a_part_written_before_an_order_expired_still_holds_when_the_order_is_renewed() -> None:
    """A reader that was there all the time knows what one that begins now reads from the topic."""
    orders = Orders()
    orders.apply(_decision("campaign", "c-1", "block", members=("alice",)))
    orders.apply(_decision("campaign", "c-1", "block", part=1, members=("bob",)))
    _forget(orders, AT + 2 * HOUR)
    orders.apply(_decision("campaign", "c-1", "block", members=("alice",), issued_at=AT + 3 * HOUR, expires_at=AT + 4 * HOUR))
    assert _answer(orders, "bob", AT + 3 * HOUR) is Action.BLOCK


def test_a_shadow_decision_is_not_obeyed() -> None:
    """Even if one should stray onto the topic."""
    orders = Orders()
    orders.apply(_decision("account", "alice", "block", mode="shadow"))

    assert _answer(orders) is Action.ALLOW


def test_a_throttle_lets_its_rate_through() -> None:
    """Six a minute means one in ten seconds, not six at once."""
    throttles = Throttles()
    passed = sum(throttles.passes("alice", 6, AT + second * 1_000) for second in range(600))

    assert 59 <= passed <= 61


def test_a_name_that_is_too_long_is_cut_as_in_events() -> None:
    """The decision names what the event named; asked about the whole, it would be nobody's."""
    orders = Orders()
    orders.apply(_decision("account", "a" * 128, "block"))
    assert _answer(orders, "a" * 300) is Action.BLOCK


def test_what_has_expired_goes_in_a_moment_however_many_groups_there_are() -> None:
    """While it goes nobody is answered, and a gateway that waits too long lets everybody pass: work by the parts there are."""
    orders = Orders()
    for number in range(300):
        orders.apply(_decision("payment_fingerprint", f"card-{number}", "block", members=(f"acct-{number}",)))
    orders.apply(_decision("campaign", "c-1", "block", members=("alice",)))
    orders.apply(_decision("campaign", "c-1", "block", part=2, members=("bob",)))
    lines = Lines()
    with lines:
        for scope, subjects in orders.subjects(1_000):
            orders.forget_expired(scope, subjects, AT + HOUR + DECISION_RETENTION_MS)
    assert (len(orders), orders._of_account, orders._parts) == (0, {}, {})
    assert lines.run < 301 * 40
