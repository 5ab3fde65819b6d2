"""OpenTelemetry's GenAI spans (semantic conventions of 2026, in development): which attributes become which fields.

Only spans of inference count; those of tools, agents and frameworks stand around them and would count an exchange twice.
"""

from collections.abc import Iterator
from typing import Final

import msgspec

from guard.convert.logged import Log, LoggedRow, Source, number
from guard.convert.otlp import Span, spans_of
from guard.convert.table import Kind
from guard.events.fingerprint.usage import count, mapping, text

_OPERATIONS: Final = {"chat": "chat", "generate_content": "chat", "text_completion": "completion", "embeddings": "embedding"}
_ACCOUNTS: Final = ("user.id", "enduser.id", "enduser.pseudo.id")
_TEXT_PART: Final = "text"


def _span(payload: dict[str, object]) -> Span:
    found = payload["span"]
    assert isinstance(found, Span)
    return found


def _of(payload: dict[str, object], *names: str) -> object:
    """The first of these attributes that is there; newer names first."""
    attributes = _span(payload).attributes
    return next((attributes[name] for name in names if attributes.get(name) is not None), None)


def _count(payload: dict[str, object], *names: str) -> int | None:
    return count(_of(payload, *names))


def _status(payload: dict[str, object]) -> int:
    code = _of(payload, "http.response.status_code", "error.type")
    if (code := str(code)[:4]).isascii() and code.isdigit() and 100 <= int(code) <= 599:
        return int(code)
    return 500 if _span(payload).is_error else 200


def _latency_ms(payload: dict[str, object]) -> int | None:
    start, end = _span(payload).start_ms, _span(payload).end_ms
    return None if start is None or end is None or end < start else end - start


def _stop_reason(payload: dict[str, object]) -> str | None:
    reasons = _of(payload, "gen_ai.response.finish_reasons")
    return text(reasons[0]) if isinstance(reasons, list) and reasons else text(reasons)


def _exchanges(line: dict[str, object]) -> Iterator[dict[str, object]]:
    for span in spans_of(line):
        operation = span.attributes.get("gen_ai.operation.name")
        if operation in _OPERATIONS or (operation is None and "gen_ai.request.model" in span.attributes):
            yield {"span": span}


def _request(payload: dict[str, object]) -> dict[str, object] | None:
    messages = _messages(_of(payload, "gen_ai.input.messages"))
    if not messages:
        return None
    system = "".join(_texts(_parsed(_of(payload, "gen_ai.system_instructions"))))
    return {"messages": [{"role": "system", "content": system}, *messages] if system else messages}


def _reply(payload: dict[str, object]) -> dict[str, object] | None:
    messages = _messages(_of(payload, "gen_ai.output.messages"))
    return {"choices": [{"message": messages[0]}]} if messages else None


def _messages(value: object) -> list[dict[str, object]]:
    """Messages in parts as messages of chat completions. The attribute is JSON as text, or structured."""
    found = _parsed(value)
    return [_message(mapping(item)) for item in found] if isinstance(found, list) else []


def _message(item: dict[str, object]) -> dict[str, object]:
    parts = [mapping(part) for part in parts] if isinstance(parts := item.get("parts"), list) else []
    results = [part.get("response", part.get("result")) for part in parts if part.get("type") == "tool_call_response"]
    if results:
        return {"role": "tool", "content": "".join(map(_result, results))}
    calls = [{"function": part} for part in parts if part.get("type") == "tool_call"]
    return {"role": item.get("role"), "content": "".join(_texts(parts)), "tool_calls": calls}


def _result(value: object) -> str:
    """A tool's result as text; too deep a one is empty."""
    try:
        return value if isinstance(value, str) else msgspec.json.encode(value).decode()
    except RecursionError:
        return ""


def _texts(parts: object) -> list[str]:
    found = [mapping(part) for part in parts] if isinstance(parts, list) else []
    return [content for part in found if part.get("type") == _TEXT_PART and isinstance(content := part.get("content"), str)]


def _parsed(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return msgspec.json.decode(value)
    except (ValueError, RecursionError):
        return None


OTEL_LOG: Final = Log(
    known=(
        Source("event_id", "gen_ai.response.id, else trace and span id", lambda p: text(_of(p, "gen_ai.response.id")) or _span(p).span_id),
        Source("event_time", "the span's end", lambda p: _span(p).end_ms),
        Source("account_id", ", else ".join(_ACCOUNTS), lambda p: text(_of(p, *_ACCOUNTS))),
        Source("ip", "client.address, hashed", lambda p: text(_of(p, "client.address"))),
        Source("user_agent", "user_agent.original, its family", lambda p: text(_of(p, "user_agent.original"))),
        Source("model", "gen_ai.request.model, else gen_ai.response.model",
               lambda p: text(_of(p, "gen_ai.request.model", "gen_ai.response.model"))),
        Source("operation", "gen_ai.operation.name", lambda p: _OPERATIONS.get(str(_of(p, "gen_ai.operation.name")))),
        Source("input_tokens", "gen_ai.usage.input_tokens, cached ones included",
               lambda p: _count(p, "gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens")),
        Source("output_tokens", "gen_ai.usage.output_tokens", lambda p: _count(p, "gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens")),
        Source("cached_tokens", "gen_ai.usage.cache_read.input_tokens", lambda p: _count(p, "gen_ai.usage.cache_read.input_tokens")),
        Source("reasoning_tokens", "gen_ai.usage.reasoning.output_tokens", lambda p: _count(p, "gen_ai.usage.reasoning.output_tokens")),
        Source("max_tokens", "gen_ai.request.max_tokens", lambda p: _count(p, "gen_ai.request.max_tokens")),
        Source("temperature", "gen_ai.request.temperature", lambda p: number(_of(p, "gen_ai.request.temperature"))),
        Source("n", "gen_ai.request.choice.count", lambda p: _count(p, "gen_ai.request.choice.count")),
        Source("stop_reason", "gen_ai.response.finish_reasons, the first", _stop_reason),
        Source("latency_ms", "the span's end - its start", _latency_ms),
        Source("status", "http.response.status_code or a numeric error.type; 500 for a failed span, else 200", _status),
    ),
    request_of=_request,
    reply_of=_reply,
    exchanges_of=_exchanges,
    untold=frozenset({"tools", "logprobs"}),
    wanted="OTLP/JSON with resourceSpans, or one span, with gen_ai attributes and user.id",
)  # fmt: skip

OTEL_GENAI: Final[Kind[LoggedRow]] = OTEL_LOG.kind(
    "otel-genai",
    "OpenTelemetry GenAI spans as JSON lines: OTLP/JSON of a collector's file exporter, or spans as the Python SDK prints them",
    "The conventions name no account: instrumentation has to set user.id (or enduser.id) on the span or the resource.",
    "Hashes of the texts need gen_ai.input.messages and gen_ai.output.messages, which instrumentation records only when told to.",
)
