"""Campaigns found, and honest crowds that look alike left alone. Each story runs the whole engine."""

import random
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from guard.decisions.decision import Decision
from guard.events.request import RequestEvent
from guard.units import DAY_MS, HOUR_MS, SECOND_MS
from tests.support.events import T0, crowd, event, fleet, in_order
from tests.support.judged import judged, sanctioned


def _run(events: Sequence[RequestEvent]) -> tuple[list[Decision], list[dict[str, Any]]]:
    driver = judged(events)
    return list(driver.drained()), [msgspec.json.decode(record) for record in driver.campaigns.values()]


def _live(campaigns: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [campaign for campaign in campaigns if campaign["state"] == "active"]


def test_a_hydra_on_three_cards_is_one_campaign_and_its_crowd_is_left_alone() -> None:
    """A3: sixty new accounts, three cards, an even balancer, one template: known when each has asked some sixteen times."""
    decided, campaigns = _run(in_order(crowd(random.Random(1), 400), fleet(random.Random(2), "hydra", 60, 3, 20.0)))
    hit = sanctioned(decided)
    live = _live(campaigns)

    assert hit == {f"hydra-{number}" for number in range(60)}
    assert [campaign["accounts_total"] for campaign in live] == [60]
    assert live[0]["exchanges_before_throttle"] <= 1_000


def test_a_template_hydra_with_a_card_for_each_account_is_found() -> None:
    """A4: nothing shared but the template and the rhythm."""
    decided, campaigns = _run(in_order(crowd(random.Random(3), 400), fleet(random.Random(4), "tpl", 80, 80, 30.0)))

    assert len(sanctioned(decided) & {f"tpl-{number}" for number in range(80)}) == 80
    assert not any(account.startswith("person") for account in sanctioned(decided))
    assert len(_live(campaigns)) == 1


def test_a_reasoning_fleet_is_blocked_on_two_families() -> None:
    """A10: a fixed prompt that has the reasoning written out. Content alone would be no ground for a block."""
    decided, _ = _run(in_order(crowd(random.Random(5), 400), fleet(random.Random(6), "cot", 40, 40, 30.0, elicitation=(20, 3))))
    blocks = [decision for decision in decided if decision.action == "block"]

    assert blocks
    assert all(len({reason.family for reason in decision.reasons} - {"template", "elicitation"}) >= 1 for decision in blocks)


def test_two_fleets_side_by_side_are_told_apart() -> None:
    """Campaigns of different owners are different campaigns."""
    _, campaigns = _run(
        in_order(crowd(random.Random(7), 300), fleet(random.Random(8), "one", 40, 2, 20.0), fleet(random.Random(9), "two", 50, 50, 20.0))
    )

    assert sorted(campaign["accounts_total"] for campaign in _live(campaigns)) == [40, 50]


def _students(dice: random.Random) -> Iterator[RequestEvent]:
    for student in range(60):
        at = T0 + dice.random() * HOUR_MS
        for _ in range(1 + int(dice.lognormvariate(1.5, 1))):
            yield event(
                f"student-{student}", int(at), account_created=T0 - int(dice.uniform(5, 40) * DAY_MS), payment_fingerprint="k1:lab-card",
                prefix="homework", shape=f"task-{dice.randrange(10)}", client_fingerprint="b", ip_prefix="campus", messages=2,
                reasoning_elicitation=dice.betavariate(2, 8), rate_limit_rpm=60,
            )  # fmt: skip
            at += dice.lognormvariate(10, 1)


def test_a_lab_on_one_card_is_notsanctioned() -> None:
    """N4: sixty students, one card, one network, one homework prompt. They share everything but a balancer's rhythm."""
    decided, _ = _run(in_order(crowd(random.Random(10), 300), _students(random.Random(11))))

    assert sanctioned(decided) == set()


def _harness(dice: random.Random) -> Iterator[RequestEvent]:
    for user in range(300):
        created = T0 - int(dice.choice([dice.uniform(1, 60), dice.uniform(60, 900)]) * DAY_MS)
        at = T0 + dice.random() * HOUR_MS
        for turn in range(1 + int(dice.lognormvariate(2, 1))):
            yield event(
                f"user-{user}", int(at), account_created=created, payment_fingerprint=f"k1:u-{user}", prefix="popular-harness",
                shape=f"s{dice.getrandbits(50):x}", client_fingerprint="harness", ip_prefix=f"isp-{user}", messages=3 + 2 * turn, rate_limit_rpm=60,
            )  # fmt: skip
            at += dice.lognormvariate(9.5, 1)


def test_users_of_a_popular_harness_are_notsanctioned() -> None:
    """N8: one system prompt and one client on hundreds of unrelated accounts; a third of the public vouches for it."""
    decided, campaigns = _run(in_order(crowd(random.Random(12), 200), _harness(random.Random(13))))

    assert sanctioned(decided) == set()
    assert _live(campaigns) == []


def test_a_newcomer_with_a_known_campaigns_card_and_template_is_met_at_its_first_request() -> None:
    """Churn: a replacement account carries what the pool carries."""
    late = [
        event(
            "replacement", T0 + HOUR_MS + SECOND_MS, account_created=T0, payment_fingerprint="k1:hydra-card-1", prefix="hydra-prompt",
            shape="hydra-shape-1", messages=2, rate_limit_rpm=60,
        )
    ]  # fmt: skip
    decided, _ = _run([*in_order(crowd(random.Random(14), 200), fleet(random.Random(15), "hydra", 60, 3, 20.0)), *late])
    own = [decision for decision in decided if decision.scope == "account" and decision.subject == "replacement"]

    assert own
    assert own[0].action in {"throttle", "challenge", "block"}
    assert own[0].issued_at == T0 + HOUR_MS + SECOND_MS


def test_the_same_events_give_the_same_bytes() -> None:
    """Whoever replays a case for an appeal must get the same decisions."""
    events = in_order(crowd(random.Random(16), 100), fleet(random.Random(17), "hydra", 30, 2, 20.0))

    assert _run(events) == _run(events)
