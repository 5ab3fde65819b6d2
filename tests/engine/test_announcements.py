"""Exemptions and operators' orders: written once, renewed, lifted, obeyed whatever the evidence."""

import json
from typing import Any

from msgspec import UNSET

from guard.decisions.decision import Decision
from guard.engine.accounts import AccountsStage
from guard.engine.control import Control
from guard.engine.watchlist import WatchList
from guard.policy.labels import LabelBook
from guard.policy.schedule import PolicySchedule
from guard.units import DAY_MS, HOUR_MS
from tests.support.events import T0, event


def _control(labels: list[dict[str, Any]] | None = None, **policy: Any) -> Control:
    schedule = PolicySchedule.builtin(enforce=True)
    if policy:
        document = {"version": 1, "author": "op", "effective_at": T0, "mode": "enforce", **policy}
        schedule = schedule.with_document(json.dumps(document).encode())
    book, refused = LabelBook.empty().with_records(
        [(f"{label['scope']}:{label['subject']}".encode(), json.dumps(label).encode()) for label in labels or []]
    )
    assert not refused
    return Control(schedule, book, WatchList.empty())


def _certificate(account: str, **fields: Any) -> dict[str, Any]:
    named = {"label_id": "l-1", "scope": "account", "subject": account, "verdict": "certified", "at": T0, "author": "billing"}
    return {**named, "expires_at": T0 + 30 * DAY_MS, **fields}


def _burst(stage: AccountsStage, account: str, at: int = T0, count: int = 64) -> None:
    for number in range(count):
        one = event(account, at + number * 20, account_created=at - DAY_MS, messages=2, temperature=1.0)
        stage.take(one, one.event_time)


def _words(decided: list[Decision]) -> list[tuple[str, str, str]]:
    return [(decision.subject, decision.action, decision.origin) for decision in decided]


def test_a_certificate_is_written_as_an_exemption_and_nothing_else_is_decided() -> None:
    """`guard.decisions` alone must be enough for an enforcer."""
    stage = AccountsStage(0, 1, {}, _control([_certificate("lab")]))
    _burst(stage, "lab")
    decided = stage.drain().decided

    assert _words(decided) == [("lab", "allow", "label")]
    assert decided[0].expires_at > decided[0].issued_at
    assert decided[0].mode == "enforce"


def test_a_restart_does_not_announce_again() -> None:
    """Each decision is seen once, also across restarts."""
    control = _control([_certificate("lab")])
    stage = AccountsStage(0, 1, {}, control)
    _burst(stage, "lab", count=1)
    records = {key: value for key, value in stage.drain().changes if value is not None}
    again = AccountsStage(0, 1, records, control)
    _burst(again, "other", count=1)

    assert again.drain().decided == []


def test_a_long_exemption_is_renewed_before_its_decision_ends() -> None:
    """A decision lasts seven days at most, a certificate a month."""
    stage = AccountsStage(0, 1, {}, _control([_certificate("lab")]))
    _burst(stage, "other", T0, 1)
    first = stage.drain().decided
    _burst(stage, "other", T0 + 5 * DAY_MS, 1)
    second = stage.drain().decided

    assert [len(first), len(second)] == [1, 1]
    assert second[0].supersedes == first[0].decision_id
    assert second[0].issued_at < first[0].expires_at < second[0].expires_at


def test_an_exemption_that_was_withdrawn_is_lifted() -> None:
    """What was given can be taken back, at once."""
    stage = AccountsStage(0, 1, {}, _control([_certificate("lab")]))
    _burst(stage, "lab", count=1)
    stage.drain()
    stage.follow(_control())
    lifted = stage.drain().decided

    assert _words(lifted) == [("lab", "allow", "operator")]
    assert lifted[0].expires_at == lifted[0].issued_at


def test_an_operators_order_stands_against_the_automatic_judgement() -> None:
    """An operator's throttle must not be overwritten by the guard's own block, nor the other way round."""
    order = {"scope": "account", "subject": "mallory", "action": "block", "expires_at": T0 + HOUR_MS, "note": "case 7"}
    stage = AccountsStage(0, 1, {}, _control(orders=[order]))
    _burst(stage, "mallory")

    assert _words(stage.drain().decided) == [("mallory", "block", "operator")]


def test_an_allow_listed_account_is_never_sanctioned() -> None:
    """An allow-list that loses is what operators hate most."""
    entry = {"scope": "account", "subject": "friend", "author": "op", "note": "batch evaluation"}
    stage = AccountsStage(0, 1, {}, _control(allow_list=[entry]))
    _burst(stage, "friend", count=500)

    assert _words(stage.drain().decided) == [("friend", "allow", "operator")]


def test_an_extraction_label_alone_reaches_no_rung() -> None:
    """Labels are wrong about twice in a hundred."""
    label = {**_certificate("suspect"), "verdict": "extraction"}
    stage = AccountsStage(0, 1, {}, _control([label]))
    for number in range(64):
        one = event("suspect", T0 + number * 60_000)
        stage.take(one, one.event_time)

    assert stage.drain().decided == []


def test_what_exceeds_the_cap_goes_to_shadow_with_its_reason() -> None:
    """The blast radius of a broken rule."""
    stage = AccountsStage(0, 1, {}, _control(caps={"accounts": 3, "payment_fingerprints": 3, "campaign_members": 100}))
    for number in range(6):
        _burst(stage, f"mallory-{number}", T0 + number * 60_000)
    decided = stage.drain().decided

    assert [decision.mode for decision in decided] == ["enforce"] * 3 + ["shadow"] * 3
    assert decided[-1].reasons[-1].code == "cap"


def test_a_shadow_decision_is_decided_again_after_the_switch() -> None:
    """Supersedes, hysteresis and expiry never cross between the two topics."""
    shadow = Control(PolicySchedule.builtin(enforce=False), LabelBook.empty(), WatchList.empty())
    stage = AccountsStage(0, 1, {}, shadow)
    _burst(stage, "mallory")
    first = stage.drain().decided
    stage.follow(_control(thresholds={}))
    _burst(stage, "mallory", T0 + 2_000)
    second = stage.drain().decided

    assert [one.mode for one in (*first, *second)] == ["shadow", "enforce"]
    assert second[0].supersedes is UNSET
