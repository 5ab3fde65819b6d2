"""From an event as it was sent to one that may be written."""

import json
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guard.errors import DecodeError
from guard.events.clean import Cleaner, family_of
from guard.events.decode import REQUIRED, RULES, Decoder
from guard.events.hashing import HashKey
from guard.events.identifiers import Identifiers, is_hashed
from tests.support.canaries import KINDS, canary

KEY = HashKey("k2", b"c" * 32)
BARE = {"event_id": "e-1", "event_time": 1_790_000_000_000, "account_id": "acct-7", "model": "m-1", "input_tokens": 9, "output_tokens": 1}
TEXTS = [name for name, rule in RULES.items() if rule is RULES["plan"]]


def cleaner() -> Cleaner:
    return Cleaner(Identifiers(KEY))


def cleaned(**more: object) -> dict[str, object]:
    return json.loads(cleaner().clean(json.dumps(BARE | more).encode()).body)


def test_an_event_that_names_nobody_is_written_as_it_came():
    """What a careful gateway sends is not the guard's to change."""
    event = BARE | {
        "plan": "pro",
        "ip": "k2:" + "0a" * 16,
        "prefix": "k2:" + "0b" * 16,
        "org_id": "org-1",
        "latency_ms": 7,
        "logprobs": False,
    }

    assert cleaned(**event) == event | {"status": 200}


def test_fields_that_the_contract_does_not_know_end_here():
    """A debug field with the prompt in it must not lie on a topic for a week."""
    assert cleaned(prompt="tell me", messages_raw=[{"content": "tell me"}], append_time=5) == BARE | {"status": 200}


@given(kind=st.sampled_from(KINDS), seed=st.integers(0, 2**32), name=st.sampled_from([name for name in TEXTS if name != "account_id"]))
def test_no_text_field_lets_a_person_or_a_prompt_through(kind, seed, name):
    """Whatever a gateway puts where, by mistake or not."""
    text = canary(kind, Random(seed))
    try:
        body = cleaner().clean(json.dumps(BARE | {name: text}).encode()).body.decode()
    except DecodeError as error:
        body = str(error)
    if kind == "api_key" and name in ("model", "plan", "operation", "stop_reason", "client_fingerprint", "user_agent"):
        return  # one word without a meaning for us: no caller's key stands there unless he wrote it there himself

    assert text not in body


def test_an_account_that_names_a_person_is_refused_and_the_answer_does_not_repeat_it():
    """Hashed here it would be another account than on the decisions; the gateway has to hash it, or send exchanges."""
    with pytest.raises(DecodeError, match=r"account_id; it should be opaque") as caught:
        cleaned(account_id="jane@example.org")
    assert "jane" not in str(caught.value)


@pytest.mark.parametrize("name", REQUIRED)
def test_a_required_field_that_is_missing_is_named(name):
    """The sender's programmer reads this line."""
    with pytest.raises(DecodeError, match=f"missing_field: {name}; it should be"):
        cleaned(**{name: None})


def test_raw_identifiers_are_hashed_and_an_address_brings_its_network():
    """A gateway that hashes nothing gets the same links as one that does."""
    event = cleaned(ip="203.0.113.7", payment_fingerprint="pm_1", reasoning_signature="sig", event_id="mail jane@example.org")

    assert all(is_hashed(str(event[name])) for name in ("ip", "ip_prefix", "payment_fingerprint", "reasoning_signature", "event_id"))
    assert (event["ip"], event["ip_prefix"]) == Identifiers(KEY).address("203.0.113.7")


def test_hashes_under_another_key_are_taken_and_counted():
    """While keys are changed both are right; a month later somebody has been forgotten."""
    found = cleaner()
    found.clean(json.dumps(BARE | {"ip": "k1:" + "0a" * 16, "prefix": "k2:" + "0a" * 16}).encode())

    assert found.foreign_hashes == 1


def test_what_was_dropped_is_counted_by_field():
    """An operator has to see that a gateway writes sentences into the plan."""
    found = cleaner()
    found.clean(json.dumps(BARE | {"plan": "the gold one", "model": "ask jane@example.org", "topic": 999}).encode())

    assert found.invalid_fields == {"plan": 1, "model": 1, "topic": 1}


@pytest.mark.parametrize(
    ("agent", "family"),
    [
        ("OpenAI/Python 3.57.0", "OpenAI/Python"), ("python-requests/2.32.0", "python-requests"), ("Mozilla/5.0 (X11; Linux)", "Mozilla"),
        ("curl", "curl"), ("", "unknown"), ("jane@example.org", "unknown"), ("4111111111111111", "unknown"), ("Tell me about it", "Tell"),
    ],
)  # fmt: skip
def test_a_user_agent_is_its_family(agent, family):
    """Versions change weekly and callers write what they like."""
    assert family_of(agent) == family


@given(event=st.fixed_dictionaries({}, optional={name: st.text(max_size=200) | st.floats() | st.integers() | st.none() for name in RULES}))
def test_what_comes_out_is_an_event_without_a_broken_field(event):
    """The worker counts broken fields against gateways; ingest must not add to them."""
    try:
        body = cleaner().clean(json.dumps(BARE | event).encode()).body
    except DecodeError:
        return
    decoder = Decoder()
    decoder.decode(body)

    assert not decoder.invalid_fields
    assert set(json.loads(body)) <= set(RULES)
