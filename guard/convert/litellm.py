"""LiteLLM's callback payload (StandardLoggingPayload, litellm 1.108): which of its fields become which of ours; all others are never read.

It holds the whole conversation, the client's address and the traceback of a failure.
"""

from typing import Final

from guard.convert.logged import Log, LoggedRow, Source, number
from guard.convert.table import Kind
from guard.events.fingerprint.usage import count, mapping, text
from guard.units import SECOND_MS

REDACTED: Final = "redacted-by-litellm"
"""Stands for every text when `turn_off_message_logging` is set."""
PARAMETERS: Final = (
    "max_tokens",
    "max_completion_tokens",
    "max_output_tokens",
    "temperature",
    "n",
    "logprobs",
    "top_logprobs",
    "tools",
    "functions",
)
_OPERATIONS: Final = {
    "completion": "chat", "acompletion": "chat", "responses": "chat", "aresponses": "chat", "anthropic_messages": "chat",
    "text_completion": "completion", "atext_completion": "completion", "embedding": "embedding", "aembedding": "embedding",
}  # fmt: skip
DECISION: Final = "guard_decision"
"""In `spend_logs_metadata`, where `guard.gateway.litellm` writes the decision."""
_NOBODY: Final = "default_user_id"
"""LiteLLM's name for whoever uses a key that belongs to nobody."""


def account_of(user: object, team: object, key_hash: object) -> str | None:
    """Who called, for the event and for the enforcer alike: the key's user, else its team, else the key itself."""
    return next((name for name in (user, team, key_hash) if isinstance(name, str) and name not in {"", _NOBODY}), None)


def _metadata(payload: dict[str, object]) -> dict[str, object]:
    return mapping(payload.get("metadata"))


def _account(payload: dict[str, object]) -> str | None:
    found = _metadata(payload)
    return account_of(found.get("user_api_key_user_id"), found.get("user_api_key_team_id"), found.get("user_api_key_hash"))


def _of_key(payload: dict[str, object], name: str) -> object:
    """What the operator wrote into the metadata of the key, under the contract's names; no caller can."""
    return mapping(_metadata(payload).get("user_api_key_auth_metadata")).get(name)


def _ms(value: object) -> int | None:
    seconds = number(value)
    return None if seconds is None else int(seconds * SECOND_MS)


def _event_id(payload: dict[str, object]) -> str | None:
    """The reply's id with the time it began: a caller may choose the id of a call, and must not hide exchanges behind an earlier one's."""
    name, began = text(payload.get("id")) or text(payload.get("litellm_call_id")), _ms(payload.get("startTime"))
    return name if name is None or began is None else f"{began}-{name}"


def _latency_ms(payload: dict[str, object]) -> int | None:
    start, end = number(payload.get("startTime")), number(payload.get("endTime"))
    return None if start is None or end is None or end < start else int((end - start) * SECOND_MS)


def _status(payload: dict[str, object]) -> int:
    """What the client got, as far as the payload tells."""
    if payload.get("status") != "failure":
        return 200
    code = str(mapping(payload.get("error_information")).get("error_code"))
    return int(code) if code.isascii() and code.isdigit() and len(code) == 3 and 400 <= int(code) <= 599 else 500


def _detail(payload: dict[str, object], group: str, name: str) -> int | None:
    return count(mapping(mapping(_metadata(payload).get("usage_object")).get(group)).get(name))


def request_of(payload: dict[str, object]) -> dict[str, object]:
    """The request in the format of chat completions, with the settings that are known by name."""
    parameters, messages = mapping(payload.get("model_parameters")), payload.get("messages")
    request: dict[str, object] = {name: parameters[name] for name in PARAMETERS if name in parameters}
    if isinstance(messages, list) and not _is_redacted(messages):
        request["messages"] = [*_instructions(parameters), *messages]
    return request


def _instructions(parameters: dict[str, object]) -> list[object]:
    """The system prompt of the responses format, which stands among the settings."""
    found = text(parameters.get("instructions"))
    return [] if found is None else [{"role": "system", "content": found}]


def reply_of(payload: dict[str, object]) -> object:
    """The reply, or None if its text was redacted."""
    reply = mapping(payload.get("response"))
    choices = reply.get("choices")
    messages = [mapping(choice).get("message") for choice in choices] if isinstance(choices, list) else []
    return None if _is_redacted(messages) else reply


def _is_redacted(messages: list[object]) -> bool:
    return any(mapping(message).get("content") == REDACTED for message in messages)


LITELLM_LOG: Final = Log(
    known=(
        Source("event_id", "startTime and id", _event_id),
        Source("event_time", "endTime", lambda p: _ms(p.get("endTime"))),
        Source("account_id", "metadata.user_api_key_user_id, else _team_id, else _hash", _account),
        Source("org_id", "metadata.user_api_key_org_id, else _team_id",
               lambda p: text(_metadata(p).get("user_api_key_org_id")) or text(_metadata(p).get("user_api_key_team_id"))),
        Source("api_key_id", "metadata.user_api_key_hash", lambda p: text(_metadata(p).get("user_api_key_hash"))),
        Source("payment_fingerprint", "metadata.user_api_key_auth_metadata.payment_fingerprint, hashed",
               lambda p: text(_of_key(p, "payment_fingerprint"))),
        Source("account_created", "metadata.user_api_key_auth_metadata.account_created", lambda p: count(_of_key(p, "account_created"))),
        Source("plan", "metadata.user_api_key_auth_metadata.plan", lambda p: text(_of_key(p, "plan"))),
        Source("ip", "metadata.requester_ip_address, hashed",
               lambda p: text(_metadata(p).get("requester_ip_address")) or text(p.get("requester_ip_address"))),
        Source("user_agent", "user_agent, its family", lambda p: text(p.get("user_agent"))),
        Source("model", "model_group, else model", lambda p: text(p.get("model_group")) or text(p.get("model"))),
        Source("operation", "call_type", lambda p: _OPERATIONS.get(str(p.get("call_type")))),
        Source("input_tokens", "prompt_tokens", lambda p: count(p.get("prompt_tokens"))),
        Source("output_tokens", "completion_tokens", lambda p: count(p.get("completion_tokens"))),
        Source("cached_tokens", "metadata.usage_object", lambda p: _detail(p, "prompt_tokens_details", "cached_tokens")),
        Source("reasoning_tokens", "metadata.usage_object", lambda p: _detail(p, "completion_tokens_details", "reasoning_tokens")),
        Source("latency_ms", "endTime - startTime", _latency_ms),
        Source("decision_id", "metadata.spend_logs_metadata.guard_decision, written by guard.gateway.litellm",
               lambda p: text(mapping(_metadata(p).get("spend_logs_metadata")).get(DECISION))),
        Source("status", "200, or error_information.error_code of a failure", _status),
    ),
    request_of=request_of,
    reply_of=reply_of,
    exchanges_of=lambda payload: [payload],
    wanted="a StandardLoggingPayload as LiteLLM's generic_api callback sends it",
)  # fmt: skip

LITELLM: Final[Kind[LoggedRow]] = LITELLM_LOG.kind(
    "litellm",
    "LiteLLM callback payloads, one or an array of them a line",
    "Content fields come from messages, response and model_parameters by guard.events.fingerprint, unless LiteLLM redacted them.",
)
