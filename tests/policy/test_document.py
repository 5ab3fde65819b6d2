"""The policy document: closed, strict, and helpful to whoever wrote it."""

import json
from pathlib import Path

import pytest

from guard.decisions.decision import Action, Mode
from guard.policy.builtin import builtin_policy
from guard.policy.document import PolicyDocument
from guard.policy.errors import LINES_MAX, PolicyError
from guard.policy.parse import parse_policy
from guard.policy.policy import Jitter
from guard.scoring.thresholds import THRESHOLDS
from tests.support.policies import GOOD, document

EXAMPLE = Path(__file__).parents[2] / "deploy" / "policy.example.json"


def _lines(value: bytes) -> tuple[str, ...]:
    with pytest.raises(PolicyError) as caught:
        parse_policy(value)
    return caught.value.lines


def test_the_example_that_we_ship_is_accepted() -> None:
    """People begin with a copy of it."""
    policy = parse_policy(EXAMPLE.read_bytes())

    assert policy.version == 1
    assert policy.modes["campaign"] is Mode.ENFORCE
    assert policy.modes["account"] is Mode.SHADOW


def test_every_field_of_a_document_reaches_the_engine() -> None:
    """A field that is accepted and then ignored is worse than one that is refused."""
    policy = parse_policy(json.dumps(GOOD).encode())
    rungs = [(rung.action, rung.score, rung.ttl_ms) for rung in policy.rungs]

    assert rungs == [(Action.THROTTLE, 0.6, 60_000), (Action.CHALLENGE, 0.8, 600_000), (Action.BLOCK, 0.9, 3_600_000)]
    assert (policy.throttle_rate_rpm, policy.block_families_min, policy.caps.payment_fingerprints) == (12, 3, 5)
    assert policy.modes == {"account": "shadow", "payment_fingerprint": "enforce", "organisation": "enforce", "campaign": "enforce"}
    assert (policy.thresholds["elicitation_share"], policy.thresholds["drift_score"]) == (0.4, 0.8)
    assert (policy.rules_off, policy.rules_shadow) == ({"rubric_grading"}, {"unlike_the_crowd"})
    assert policy.allowed["account", "a-1"].expires_at == 9_000
    assert (policy.orders["account", "a-2"].action, policy.orders["account", "a-2"].rate_rpm) == (Action.THROTTLE, 3)
    assert policy.releases[0].model == "m-2"
    assert policy.jitter == Jitter(0.2, 7_200_000, "a-secret-of-many-letters")


def test_what_a_document_leaves_out_is_as_in_the_built_in_policy() -> None:
    """The smallest document changes nothing but its own name."""
    policy, builtin = parse_policy(document()), builtin_policy(enforce=False)

    for field in (
        "modes",
        "rungs",
        "throttle_rate_rpm",
        "block_families_min",
        "caps",
        "thresholds",
        "rules_off",
        "allowed",
        "orders",
        "jitter",
    ):
        assert getattr(policy, field) == getattr(builtin, field), field


@pytest.mark.parametrize(
    ("value", "line"),
    [
        (document(version="3"), "version: '3'; input should be a valid integer"),
        (document(version=1.0), "version: 1.0; input should be a valid integer"),
        (document(mode="enforced"), "mode: 'enforced'; input should be 'enforce' or 'shadow'"),
        (document(caps={"accounts": -1}), "caps.accounts: -1; input should be greater than or equal to 0"),
        (document(ladder={"ttl_ms": {"block": 59_999}}), "ladder.ttl_ms.block: 59999; input should be greater than or equal to 60000"),
        (document(ladder={"block_families_min": 1}), "ladder.block_families_min: 1; input should be greater than or equal to 2"),
        (document(thresholds={"drift_score": 9}), "thresholds.drift_score: 9; input should be less than or equal to 1"),
        (document(ladder={"jitter": {"share_max": 0.6}}), "ladder.jitter.share_max: 0.6; input should be less than or equal to 0.5"),
        (
            document(ladder={"jitter": {"share_max": 0.2, "key": "short"}}),
            "ladder.jitter.key: it should be a secret of 16 characters or more where share_max is above 0",
        ),
        (document(rules_off=["nonsense"]), "rules_off[0]: 'nonsense'; no such rule; `guard reasons` lists the codes"),
        (document(rules_off=["cap"]), "rules_off[0]: 'cap'; this code is no rule and cannot be switched"),
        (document(signature=None), "signature: None; it should be an object of key_id and value"),
        (b'{"version":1}', "author: missing; it should be the name of whoever answers for this document"),
        (b'{"version":1,\n"a":}', "document: not JSON at line 2 column 5: Expecting value"),
        (b'{"version":1,"version":2}', "document: the key 'version' stands twice in one object; keep one"),
        (b'{"version":NaN}', "document: NaN is no JSON number; write a finite number"),
        (b"[]", "document: a JSON array; it should be one JSON object"),
        (b"", "document: not JSON at line 1 column 1: Expecting value"),
    ],
)
def test_each_fault_has_a_line_that_says_where_what_and_what_would_be_right(value: bytes, line: str) -> None:
    """An operator in a hurry reads one line and knows what to type."""
    assert line in _lines(value)


def test_all_faults_are_named_at_once() -> None:
    """One round of corrections is enough."""
    lines = _lines(document(version=0, author="", modus=1, orders=[{"scope": "all"}]))

    assert [line.split(":")[0] for line in lines] == [
        "version", "author", "orders[0].scope", "orders[0].subject", "orders[0].action", "orders[0].expires_at", "modus",
    ]  # fmt: skip


def test_a_misspelt_field_is_answered_with_those_that_exist() -> None:
    """Otherwise a guard that refuses unknown fields only annoys."""
    (line,) = _lines(document(ladder={"score": {}}))

    assert (
        line
        == "ladder.score: unknown field; known here: scores, ttl_ms, throttle_rate_rpm, throttle_patience_ms, block_families_min, jitter"
    )


def test_a_rate_belongs_to_throttle_only() -> None:
    """A block with a rate is two wishes in one."""
    (line,) = _lines(document(orders=[{"scope": "account", "subject": "a", "action": "block", "rate_rpm": 1, "expires_at": 5}]))

    assert "rate_rpm belongs to throttle only" in line


def test_hostile_words_stay_harmless_in_the_lines() -> None:
    """Lines go to terminals, logs and a topic: no control character, no megabyte may pass through them."""
    hostile = "\x1b[2J\r\n\u2028\u202e" + "x" * 5_000
    lines = _lines(json.dumps({hostile: 1, "mode": hostile, "author": hostile}).encode())

    assert all(line.isascii() and line.isprintable() and len(line) < 400 for line in lines)


def test_ten_thousand_faults_are_counted_and_not_listed() -> None:
    """An answer has to fit on its topic."""
    lines = _lines(json.dumps({f"field{number}": 0 for number in range(10_000)}).encode())

    assert len(lines) == LINES_MAX + 1
    assert lines[-1] == f"and {10_000 + 3 - LINES_MAX} more faults"


def test_the_schema_knows_every_threshold_with_its_bounds() -> None:
    """Editors check a document while it is written."""
    properties = PolicyDocument.model_json_schema()["$defs"]["ThresholdsDocument"]["properties"]

    assert properties.keys() == THRESHOLDS.keys()
    assert properties["drift_score"]["maximum"] == THRESHOLDS["drift_score"].high
