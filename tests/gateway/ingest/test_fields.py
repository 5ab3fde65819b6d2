"""Which fields of the contract each path of ingest fills: the table of the README, seen on one exchange that has everything."""

import asyncio
import json
from typing import Any

import pytest

from guard.convert.logged import LogReader
from guard.convert.otel_genai import OTEL_LOG
from guard.events.clean import CleanEvent
from guard.events.decode import REQUIRED, RULES
from guard.events.identifiers import Identifiers
from guard.gateway.asgi import GuardMiddleware
from guard.gateway.ingest.reading import KNOWN, Reading
from guard.gateway.ingest.reporter import Reporter
from tests.support.ingest import EVENT, KEY
from tests.support.payloads import QUESTION, litellm_payload, otel_attributes, otlp_line

ALL = set(RULES) - {"append_time"}
OF_THE_GATEWAY = {
    "asn", "country", "client_fingerprint", "rate_limit_rpm", "topic", "reasoning_elicitation", "rubric_grading",
}  # fmt: skip
"""What only the gateway knows, and says by name on `/events`, `/exchanges` and in the middleware's `identify`."""
FILLED = {
    "/events": ALL,
    "/exchanges": ALL,
    "asgi": ALL,
    "/litellm": ALL - OF_THE_GATEWAY,
    "otel-genai": ALL - OF_THE_GATEWAY - {
        "org_id", "api_key_id", "payment_fingerprint", "account_created", "plan", "tools", "logprobs", "reasoning_signature", "decision_id",
    },
}  # fmt: skip
TURNS = [
    {"role": "system", "content": "You are a careful referee of proofs."},
    {"role": "user", "content": QUESTION},
    {
        "role": "assistant",
        "content": [{"type": "thinking", "thinking": "hm", "signature": "c2ln"}, {"type": "text", "text": "Which one first?"}],
    },
    {"role": "user", "content": "the third one, and please say which lemma of it you would not believe"},
]
REQUEST = {
    "model": "m-1", "messages": TURNS, "temperature": 0.5, "max_tokens": 100, "n": 1, "logprobs": True,
    "tools": [{"type": "function", "function": {"name": "f"}}],
}  # fmt: skip
USAGE = {
    "prompt_tokens": 120, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 64},
    "completion_tokens_details": {"reasoning_tokens": 2},
}  # fmt: skip
REPLY = {"id": "r-1", "choices": [{"message": {"role": "assistant", "content": "the second."}, "finish_reason": "stop"}], "usage": USAGE}
KNOWLEDGE = {
    "account_id": "acct-7", "org_id": "org-1", "api_key_id": "key-1", "payment_fingerprint": "pm-1", "account_created": 1_780_000_000_000,
    "plan": "pro", "rate_limit_rpm": 60, "ip": "203.0.113.7", "asn": 64_500, "country": "DE", "client_fingerprint": "t13d", "topic": 3,
    "user_agent": "OpenAI/Python 3.57.0", "reasoning_elicitation": 0.1, "rubric_grading": 0.2,
}  # fmt: skip
ON_EVENTS = {"event_id": "e-1", "event_time": 1_790_000_000_000, "decision_id": "d-1", "latency_ms": 5}


def exchanged() -> dict[str, Any]:
    return json.loads(Reading(KEY).exchange(KNOWLEDGE | ON_EVENTS | {"request": REQUEST, "reply": REPLY}).body)


def sent() -> dict[str, Any]:
    (event,) = Reading(KEY).read("/events", json.dumps(EVENT | exchanged()).encode()).events
    return json.loads(event.body)


def logged() -> dict[str, Any]:
    payload = litellm_payload()
    payload |= {
        "messages": TURNS,
        "response": REPLY,
        "model_parameters": {name: REQUEST[name] for name in REQUEST if name not in ("model", "messages")},
    }
    payload["metadata"] |= {"usage_object": USAGE, "spend_logs_metadata": {"guard_decision": "d-1"}}
    (event,) = Reading(KEY).read("/litellm", json.dumps(payload).encode()).events
    return json.loads(event.body)


def spanned() -> dict[str, Any]:
    said = [{"role": turn["role"], "parts": [{"type": "text", "content": QUESTION}]} for turn in TURNS[1:]]
    more = {
        "gen_ai.usage.reasoning.output_tokens": 2, "gen_ai.request.max_tokens": 100, "gen_ai.request.choice.count": 1,
        "gen_ai.input.messages": json.dumps(said),
    }  # fmt: skip
    (event,) = LogReader(OTEL_LOG, KEY).read(json.dumps(otlp_line(otel_attributes() | more)).encode())
    assert isinstance(event, CleanEvent)
    return json.loads(event.body)


def passed() -> dict[str, Any]:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": json.dumps(REPLY).encode()})

    async def story() -> CleanEvent:
        taken: list[CleanEvent] = []

        async def deliver(events: list[CleanEvent]) -> None:
            taken.extend(events)

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": json.dumps(REQUEST).encode()}

        async def send(_: Any) -> None:
            pass

        reporter = Reporter(Reading(KEY), deliver)
        reporter.start()
        front = GuardMiddleware(app, identify=lambda _: KNOWLEDGE | {"decision_id": "d-1"}, identifiers=Identifiers(KEY), reporter=reporter)
        await front({"type": "http", "method": "POST", "path": "/v1/chat/completions", "headers": []}, receive, send)
        await reporter.stop()
        return taken[0]

    return json.loads(asyncio.run(story()).body)


@pytest.mark.parametrize(
    ("path", "make"), [("/events", sent), ("/exchanges", exchanged), ("/litellm", logged), ("otel-genai", spanned), ("asgi", passed)]
)
def test_each_path_fills_the_fields_of_the_table(path, make):
    """An operator chooses a way by what the guard will see of his customers through it."""
    event = make()

    assert set(event) == FILLED[path]
    assert set(REQUIRED) <= set(event)


def test_what_an_exchange_may_say_are_fields_of_the_contract():
    """A field of another name would be dropped without a word."""
    assert set(KNOWN) <= ALL
