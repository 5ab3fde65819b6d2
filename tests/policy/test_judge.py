"""The ladder: up at once, down only by expiry."""

from hypothesis import given
from hypothesis import strategies as st

from guard.decisions.decision import Action
from guard.decisions.standing import Order
from guard.policy.builtin import builtin_policy
from guard.policy.judge import judge
from guard.scoring.fusion import Verdict
from guard.units import MINUTE_MS

POLICY = builtin_policy(enforce=True)
AT = 1_790_000_000_000


def _order(action: Action, left_ms: int) -> Order:
    return Order(action, AT - MINUTE_MS, AT + left_ms, "d-1")


def test_a_score_below_the_first_rung_decides_nothing() -> None:
    """Most accounts, most of the time."""
    assert judge(Verdict(0.69, (), 3), None, POLICY, AT) is None


def test_a_block_needs_two_families() -> None:
    """No single popular attribute may block anybody."""
    alone = judge(Verdict(0.99, (), 1), None, POLICY, AT)
    together = judge(Verdict(0.99, (), 2), None, POLICY, AT)

    assert alone is not None
    assert together is not None
    assert (alone.action, together.action) == (Action.CHALLENGE, Action.BLOCK)


def test_a_worse_score_goes_up_at_once() -> None:
    """A fleet that gets worse is not given the rest of its throttle."""
    sentence = judge(Verdict(0.96, (), 2), _order(Action.THROTTLE, 10 * MINUTE_MS), POLICY, AT)

    assert sentence is not None
    assert sentence.action is Action.BLOCK


@given(score=st.floats(0, 0.94), families=st.integers(0, 5))
def test_a_block_is_never_lowered_before_its_end(score: float, families: int) -> None:
    """Down only by expiry: whoever rotates his traffic to look better waits like everybody."""
    assert judge(Verdict(score, (), families), _order(Action.BLOCK, 6 * 60 * MINUTE_MS), POLICY, AT) is None


def test_an_order_is_renewed_only_near_its_end() -> None:
    """A subject's decisions stay few."""
    early = judge(Verdict(0.75, (), 1), _order(Action.THROTTLE, 12 * MINUTE_MS), POLICY, AT)
    late = judge(Verdict(0.75, (), 1), _order(Action.THROTTLE, 5 * MINUTE_MS), POLICY, AT)

    assert early is None
    assert late is not None
    assert late.expires_at == AT + 15 * MINUTE_MS


def test_a_score_just_below_its_rung_still_renews() -> None:
    """Hysteresis: a share over 64 exchanges wobbles by six hundredths."""
    assert judge(Verdict(0.66, (), 1), _order(Action.THROTTLE, MINUTE_MS), POLICY, AT) is not None
    assert judge(Verdict(0.66, (), 1), None, POLICY, AT) is None
