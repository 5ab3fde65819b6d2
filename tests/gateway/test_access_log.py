"""A line of Envoy's access log and the body seen before it make one event."""

import json
from typing import Any

import msgspec

from guard.events.fingerprint import HashKey
from guard.gateway.ingest.access_log import BODIES_MAX, BODY_SECONDS_MAX
from guard.gateway.ingest.reading import Reading

KEY = HashKey("k1", b"0123456789abcdef0123456789abcdef")
PROMPT = "Explain in nine careful steps how a heat pump moves warmth from a cold garden into a house"
BODY = json.dumps(
    {
        "model": "m-large",
        "max_tokens": 512,
        "messages": [{"role": "system", "content": "You are a tutor. " * 30}, {"role": "user", "content": PROMPT}],
    }
)
HEADERS = {"x-request-id": "r-1", "x-envoy-external-address": "198.51.100.7", "user-agent": "OpenAI/Python 3.57"}
LINE = {
    "event_id": "r-1", "event_time": "1790000000123", "account_id": "acct-1", "payment_fingerprint": "k1:00aa11bb22cc33dd", "org_id": None,
    "status": 200, "latency_ms": 812, "bytes_sent": 2_400, "model": "m-large-2", "input_tokens": "127", "output_tokens": "64",
    "reasoning_tokens": None, "decision_id": None, "stop_reason": "stop",
}  # fmt: skip


def event(reading: Reading, **changed: Any) -> dict[str, Any]:
    """The event of the line."""
    read = reading.read("/access-log", json.dumps(LINE | changed).encode())
    assert read.refused == []
    found: dict[str, Any] = msgspec.json.decode(read.events[0].body)
    return found


def test_the_line_and_the_body_make_one_event_without_a_word_of_the_text() -> None:
    """Neither half alone tells how the exchange ended and what was asked."""
    reading = Reading(KEY)
    reading.access_log.see(HEADERS, BODY.encode())
    found = event(reading)
    assert (found["event_id"], found["event_time"], found["account_id"]) == ("r-1", 1_790_000_000_123, "acct-1")
    assert (found["input_tokens"], found["output_tokens"], found["model"], found["latency_ms"]) == (127, 64, "m-large-2", 812)
    assert (found["messages"], found["max_tokens"], found["user_agent"], found["prompt_chars"]) == (1, 512, "OpenAI/Python", len(PROMPT))
    assert all(found[name].startswith("k1:") for name in ("prefix", "shape", "ip", "ip_prefix"))
    assert not any(word in json.dumps(found) for word in ("198.51", "heat pump", "tutor"))
    assert (reading.access_log.unjoined, reading.estimates, len(reading.access_log)) == (0, 0, 0)


def test_a_refused_request_needs_no_body_and_counts_no_tokens() -> None:
    """It never reached the model; its event tells the guard that its decision is obeyed."""
    reading = Reading(KEY)
    found = event(reading, status=429, decision_id="d-1", model=None, input_tokens=None, output_tokens=None)
    assert (found["status"], found["decision_id"], found["input_tokens"], found["output_tokens"]) == (429, "d-1", 0, 0)
    assert reading.access_log.unjoined == 0


def test_tokens_that_the_model_server_does_not_tell_are_estimated_and_counted() -> None:
    """Else a stream without usage would be a way around the guard."""
    reading = Reading(KEY)
    reading.access_log.see(HEADERS, BODY.encode())
    found = event(reading, input_tokens=None, output_tokens=None)
    assert (found["input_tokens"], found["output_tokens"]) == (-(-len(BODY) // 4), 600)
    assert reading.estimates == 1


def test_a_body_that_is_cut_or_no_chat_leaves_what_the_line_says() -> None:
    """Envoy shows a bounded beginning of what is large."""
    for body in (BODY.encode()[:300], b"", b"\xff\x00", b"[" * 100_000, b'{"messages": 7}'):
        reading = Reading(KEY)
        reading.access_log.see(HEADERS, body)
        found = event(reading)
        assert (found["input_tokens"], found["user_agent"]) == (127, "OpenAI/Python")
        assert "shape" not in found


def test_a_body_that_cannot_be_read_still_counts_by_its_length() -> None:
    """Else blanks before a prompt, or a body longer than anybody reads, would be a way around the guard."""
    reading = Reading(KEY)
    reading.access_log.see(HEADERS, b" " * 4_000 + BODY.encode()[:-1])
    assert event(reading, input_tokens=None)["input_tokens"] == 1_000 + -(-(len(BODY) - 1) // 4)
    reading.access_log.see(HEADERS, b"", 30_000_000)
    assert event(reading, input_tokens=None)["input_tokens"] == 7_500_000


def test_an_answer_whose_body_was_never_seen_is_an_event_and_counted() -> None:
    """Ingest was restarted, or its port was slow: the evidence is missing, the exchange is not."""
    reading = Reading(KEY)
    assert event(reading)["output_tokens"] == 64
    assert reading.access_log.unjoined == 1


def test_bodies_are_bounded_in_number_and_age() -> None:
    """Requests that never end must not fill the memory."""
    now = [0.0]
    reading = Reading(KEY)
    log = reading.access_log
    log._now = lambda: now[0]
    for number in range(BODIES_MAX + 5):
        log.see({"x-request-id": f"r-{number}"}, b"{}")
    assert len(log) == BODIES_MAX
    now[0] = BODY_SECONDS_MAX + 1
    log.see({"x-request-id": "late"}, b"{}")
    assert len(log) == 1


def test_a_line_of_nobody_is_refused_by_name() -> None:
    """Who has no account has no exchange; the operator sees how many such lines there are."""
    read = Reading(KEY).read("/access-log", json.dumps(LINE | {"account_id": None}).encode())
    assert read.events == []
    assert read.refusals == {"missing_field": 1}
