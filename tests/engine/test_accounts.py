"""The accounts stage: what becomes of each kind of event."""

import random
from typing import Any

import msgspec
import pytest

from guard.decisions.decision import decode_decision
from guard.engine.accounts import AccountsStage
from guard.engine.driver import Forwarded
from guard.engine.stage import Outcome
from guard.engine.summary import describe_account, summarize
from guard.events.partition import partition_of
from guard.topics import Topic
from guard.units import DAY_MS, HOUR_MS, SECOND_MS
from tests.support.events import T0, crowd, event, in_order, open_control

_encode = msgspec.json.encode


def _stage(records: dict[bytes, bytes] | None = None, shard: int = 0, shards: int = 1) -> AccountsStage:
    return AccountsStage(shard, shards, {} if records is None else records, open_control())


def _raw(value: bytes, at: int = T0, offset: int = 0) -> Forwarded:
    return Forwarded("guard.requests", 0, value, offset=offset, timestamp=at)


def _account(outcome: Outcome, name: str) -> dict[str, Any]:
    return describe_account(name, dict(outcome.changes)[b"a:" + name.encode()])  # type: ignore[arg-type]


def _events(outcome: Outcome) -> dict[str, int]:
    return {name: count for name, count in outcome.tallies.items() if name.startswith("events.")}


def burst(account: str, count: int, every_ms: int, **fields: Any) -> list[Any]:
    """A young account at a pipeline's pace."""
    shared = {"account_created": T0 - DAY_MS, "rate_limit_rpm": 60, "messages": 2, "temperature": 1.0, "max_tokens": 4096, **fields}
    return [event(account, T0 + number * every_ms, **shared) for number in range(count)]


def test_an_event_with_only_the_required_fields_works() -> None:
    """Every other field is evidence that may be missing."""
    stage = _stage()
    stage.take(event("alice"), T0)
    outcome = stage.drain()

    assert _account(outcome, "alice")["exchanges"] == 1
    assert outcome.tallies["events.judged"] == 1


def test_a_duplicate_delivery_counts_once() -> None:
    """Producers retry."""
    stage = _stage()
    twice = event("alice")
    stage.take(twice, T0)
    stage.take(twice, T0)
    outcome = stage.drain()

    assert _account(outcome, "alice")["exchanges"] == 1
    assert outcome.tallies["events.duplicate"] == 1


def test_the_same_id_from_another_account_is_no_duplicate() -> None:
    """An id is unique per account only; nobody may hide another's exchange."""
    stage = _stage()
    stage.take(event("alice", event_id="same"), T0)
    stage.take(event("bob", event_id="same"), T0)

    assert stage.drain().tallies["events.judged"] == 2


def test_an_unreadable_record_is_a_dead_letter_and_the_next_one_is_processed() -> None:
    """One poisoned record must not stop a partition."""
    stage = _stage()
    stage.step([_raw(b"{not json", offset=7), _raw(_encode(event("alice")), offset=8)])
    outcome = stage.drain()
    letters = [message for message in outcome.messages if message.topic is Topic.DEAD_LETTERS]

    assert len(letters) == 1
    assert b"not json" not in (letters[0].value or b"")
    assert msgspec.json.decode(letters[0].value or b"")["offset"] == 7
    assert _events(outcome) == {"events.dead_letter": 1, "events.judged": 1}


def test_an_event_from_the_future_moves_no_clock() -> None:
    """A gateway with a wrong clock must not age everybody else's evidence."""
    stage = _stage()
    stage.take(event("alice", T0), T0)
    stage.take(event("alice", T0 + DAY_MS), T0 + SECOND_MS)
    outcome = stage.drain()

    assert stage.newest_at == T0
    assert _account(outcome, "alice")["newest_at"] == T0
    assert _account(outcome, "alice")["exchanges"] == 2
    assert outcome.tallies["events.future"] == 1


def test_a_misrouted_record_is_processed_where_it_lies() -> None:
    """A producer with another partitioner is counted, not ignored."""
    shards = 8
    elsewhere = (partition_of("alice", shards) + 1) % shards
    stage = _stage(shard=elsewhere, shards=shards)
    stage.take(event("alice"), T0)

    assert _events(stage.drain()) == {"events.misrouted": 1, "events.judged": 1}


def test_a_young_account_at_a_pipelines_pace_is_throttled_within_fifty_exchanges() -> None:
    """A1: one account, fifty requests a second, from its first exchange on."""
    stage = _stage()
    for one in burst("mallory", 50, 20):
        stage.take(one, one.event_time)
    decided = stage.drain().decided

    assert [decision.action for decision in decided] == ["throttle"]
    assert decided[0].reasons[0].code == "instant_maximum"
    assert decided[0].expires_at > decided[0].issued_at


def test_the_same_pace_of_an_old_account_is_left_alone() -> None:
    """An API pipeline that has been a customer for a year."""
    stage = _stage()
    for one in burst("pipeline", 2_000, 20, account_created=T0 - 365 * DAY_MS, rate_limit_rpm=4_000):
        stage.take(one, one.event_time)

    assert stage.drain().decided == []


def test_an_account_that_lay_for_some_days_before_its_burst_is_throttled() -> None:
    """A1 that waits: new by its registration, and without any use before."""
    stage = _stage()
    for one in burst("mallory", 50, 20, account_created=T0 - 10 * DAY_MS):
        stage.take(one, one.event_time)

    assert [decision.action for decision in stage.drain().decided] == ["throttle"]


def test_a_customer_who_tried_things_out_for_days_before_the_roll_out_is_left_alone() -> None:
    """As young by its registration, with exchanges by hand on four days."""
    stage = _stage()
    created = T0 - 9 * DAY_MS
    tried = [event("pipeline", T0 - day * DAY_MS + turn * 60_000, account_created=created) for day in (7, 6, 5, 4) for turn in range(5)]
    for one in [*tried, *burst("pipeline", 2_000, 20, account_created=created)]:
        stage.take(one, one.event_time)

    assert stage.drain().decided == []


def test_refused_requests_renew_nothing() -> None:
    """After a throttle, a million refused requests must not extend it (users call it a ban by their own 429s)."""
    stage = _stage()
    for one in burst("mallory", 50, 20):
        stage.take(one, one.event_time)
    decision = stage.drain().decided[0]
    for number in range(5_000):
        at = T0 + SECOND_MS + number * 200
        stage.take(event("mallory", at, status=429, decision_id=decision.decision_id, input_tokens=0, output_tokens=0), at)
    outcome = stage.drain()

    assert outcome.decided == []
    assert _events(outcome) == {"events.refused": 5_000}


def test_the_decision_on_the_wire_is_the_one_that_was_decided() -> None:
    """What the log says and what the gateway reads are the same, on the shard's own partition."""
    stage = _stage(shard=0)
    for one in burst("mallory", 50, 20):
        stage.take(one, one.event_time)
    outcome = stage.drain()
    wire = [message for message in outcome.messages if message.topic is Topic.DECISIONS]

    assert [decode_decision(message.value or b"") for message in wire] == outcome.decided
    assert [(message.partition, message.key) for message in wire] == [(0, b"account:mallory")]


@pytest.mark.parametrize("seed", range(4))
def test_a_crash_between_any_two_flushes_changes_no_decision(seed: int) -> None:
    """Recovery from the changelog must go on exactly where the last flush ended."""
    dice = random.Random(seed)
    events = in_order(crowd(dice, 40), iter(burst("mallory", 400, 100)))
    whole, records = _stage(), {}
    expected, found = [], []
    for one in events:
        whole.take(one, one.event_time)
    expected = whole.drain().decided
    crashing = _stage(records)
    for start in range(0, len(events), 37):
        for one in events[start : start + 37]:
            crashing.take(one, one.event_time)
        outcome = crashing.drain()
        found.extend(outcome.decided)
        records = {**records, **{key: value for key, value in outcome.changes if value is not None}}
        if dice.random() < 0.3:
            crashing = _stage(dict(records))

    assert [(one.subject, one.action, one.issued_at) for one in found] == [(one.subject, one.action, one.issued_at) for one in expected]
    assert summarize(Topic.ACCOUNTS_STATE, records).exchanges == len(events)


def test_what_batches_the_events_came_in_changes_no_decision() -> None:
    """Stream and replay cut their batches differently."""
    events = in_order(crowd(random.Random(5), 60), iter(burst("mallory", 300, 50)))
    outcomes = []
    for size in (1, 50, len(events)):
        stage, decided = _stage(), []
        for start in range(0, len(events), size):
            for one in events[start : start + size]:
                stage.take(one, one.event_time)
            decided.extend(stage.drain().decided)
        outcomes.append(decided)

    assert outcomes[0] == outcomes[1] == outcomes[2]


def test_late_events_are_counted_and_kept() -> None:
    """Late means older than the shard's newest by five minutes: decayed, never dropped in silence."""
    stage = _stage()
    stage.take(event("alice", T0 + HOUR_MS), T0 + HOUR_MS)
    stage.take(event("bob", T0), T0 + HOUR_MS)
    outcome = stage.drain()

    assert outcome.tallies["events.late"] == 1
    assert _account(outcome, "bob")["exchanges"] == 1
