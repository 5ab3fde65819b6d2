"""Exchanges as gateways log them: LiteLLM's callback payload (the shape of litellm 1.108's proxy) and OpenTelemetry's GenAI spans."""

import json
from typing import Any

AT_S = 1_790_000_000.25
QUESTION = "please compare these seven proofs of the theorem " * 8
MESSAGES = [{"role": "system", "content": "You are a careful referee of proofs."}, {"role": "user", "content": QUESTION}]
ANSWER = "four words of it."

EXCHANGE = {
    "event_id": "x-1", "account_id": "jane@example.org", "ip": "203.0.113.7", "request": {"model": "m-1", "messages": MESSAGES},
    "reply": {"choices": [{"message": {"role": "assistant", "content": ANSWER}, "finish_reason": "stop"}], "usage": {"prompt_tokens": 9, "completion_tokens": 2}},
}  # fmt: skip


def litellm_payload(
    account: str = "acct-7", *, call: str = "call-1", content: str = QUESTION, answer: str = ANSWER, ip: str = "203.0.113.7", **more: Any
) -> dict[str, Any]:
    """A successful chat."""
    usage = {"prompt_tokens": 120, "completion_tokens": 5, "total_tokens": 125, "prompt_tokens_details": {"cached_tokens": 64}}
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": answer, "tool_calls": None}}
    return {
        "id": "chatcmpl-7", "litellm_call_id": call, "trace_id": "t", "call_type": "acompletion", "status": "success", "cache_hit": None,
        "custom_llm_provider": "openai", "startTime": AT_S, "endTime": AT_S + 1.5, "response_time": 1.5, "model": "openai/m-1",
        "model_group": "m-1", "total_tokens": 125, "prompt_tokens": 120, "completion_tokens": 5, "end_user": None, "request_tags": [],
        "requester_ip_address": ip, "user_agent": "OpenAI/Python 3.57.0", "model_parameters": {"temperature": 0.5, "stream": False},
        "messages": [MESSAGES[0], {"role": "user", "content": content}],
        "response": {"id": "chatcmpl-7", "object": "chat.completion", "choices": [choice], "usage": usage},
        "error_str": None, "error_information": {"error_code": "", "traceback": "", "error_message": ""},
        "metadata": {
            "user_api_key_hash": "9f" * 32, "user_api_key_user_id": account, "user_api_key_team_id": None, "user_api_key_org_id": "org-1",
            "user_api_key_user_email": None, "requester_ip_address": ip, "usage_object": usage, "spend_logs_metadata": None,
            "user_api_key_auth_metadata": {"payment_fingerprint": "pm-1", "plan": "pro", "account_created": 1_780_000_000_000},
        },
    } | more  # fmt: skip


def _value(value: Any) -> dict[str, Any]:
    if isinstance(value, list):
        return {"arrayValue": {"values": [_value(item) for item in value]}}
    kind = {bool: "boolValue", int: "intValue", float: "doubleValue"}.get(type(value), "stringValue")
    return {kind: str(value) if kind == "intValue" else value}


def otel_attributes(account: str = "acct-7", *, content: str = QUESTION, answer: str = ANSWER, ip: str = "203.0.113.7") -> dict[str, Any]:
    """Attributes of one chat's span."""
    asked = [{"role": "user", "parts": [{"type": "text", "content": content}]}]
    answered = [{"role": "assistant", "parts": [{"type": "text", "content": answer}], "finish_reason": "stop"}]
    return {
        "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "m-1", "gen_ai.response.model": "m-1-0425",
        "gen_ai.response.id": "chatcmpl-7", "gen_ai.usage.input_tokens": 120, "gen_ai.usage.output_tokens": 5,
        "gen_ai.usage.cache_read.input_tokens": 64, "gen_ai.request.temperature": 0.5, "gen_ai.response.finish_reasons": ["stop"],
        "gen_ai.system_instructions": json.dumps([{"type": "text", "content": MESSAGES[0]["content"]}]),
        "gen_ai.input.messages": json.dumps(asked), "gen_ai.output.messages": json.dumps(answered),
        "client.address": ip, "user_agent.original": "OpenAI/Python 3.57.0", "user.id": account,
    }  # fmt: skip


def otlp_line(*spans: dict[str, Any], resource: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """Spans as a collector's file exporter writes them, given by their attributes."""
    at = int(AT_S * 1_000) * 1_000_000
    told = [
        {
            "traceId": "5b8e", "spanId": f"0a{number}", "name": "chat m-1", "kind": 3, "startTimeUnixNano": str(at),
            "endTimeUnixNano": str(at + 1_500_000_000), "status": {},
            "attributes": [{"key": key, "value": _value(value)} for key, value in span.items()],
        } | more
        for number, span in enumerate(spans)
    ]  # fmt: skip
    around = [{"key": key, "value": _value(value)} for key, value in (resource or {"service.name": "gateway"}).items()]
    return {"resourceSpans": [{"resource": {"attributes": around}, "scopeSpans": [{"scope": {"name": "x"}, "spans": told}]}]}


def printed_span(attributes: dict[str, Any]) -> dict[str, Any]:
    """A span as the Python SDK's console exporter prints it."""
    return {
        "name": "chat m-1", "context": {"trace_id": "0x5b8e", "span_id": "0x0a", "trace_state": "[]"}, "kind": "SpanKind.CLIENT",
        "start_time": "2026-09-21T14:13:20.250000Z", "end_time": "2026-09-21T14:13:21.750000Z", "status": {"status_code": "UNSET"},
        "attributes": attributes, "resource": {"attributes": {"service.name": "gateway"}},
    }  # fmt: skip
