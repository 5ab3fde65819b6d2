"""What a request asks for beside its text: the operation, ceilings, sampling, tools."""

from typing import Final

from msgspec import Struct

from guard.events.fingerprint.usage import count, mapping

TEMPERATURE_MAX: Final = 1_000.0
"""Far above what any provider takes; beyond it the number is a mistake."""
_CEILINGS: Final = ("max_completion_tokens", "max_output_tokens", "max_tokens", "max_tokens_to_sample")
_RESPONSES_LOGPROBS: Final = "message.output_text.logprobs"


class Settings(Struct, frozen=True):
    """Settings as the contract names them; None where the request is silent or unclear."""

    operation: str | None = None
    max_tokens: int | None = None
    temperature: float | None = None
    n: int | None = None
    logprobs: bool | None = None
    tools: int | None = None


def settings_of(request: object, reply: object) -> Settings:
    """The settings of a request in any of the formats; all missing if it is of none."""
    asked = mapping(request)
    operation = _operation(asked, mapping(reply))
    if operation is None:
        return Settings()
    return Settings(
        operation=operation,
        max_tokens=next((number for name in _CEILINGS if (number := count(asked.get(name))) is not None), None),
        temperature=_temperature(asked.get("temperature")),
        n=count(asked.get("n")),
        logprobs=_logprobs(asked),
        tools=_tools(asked),
    )


def _operation(asked: dict[str, object], reply: dict[str, object]) -> str | None:
    if "messages" in asked:
        return "chat"
    if "input" in asked or "previous_response_id" in asked:
        is_embedding = reply.get("object") == "list" or "encoding_format" in asked or "dimensions" in asked
        return "embedding" if is_embedding else "chat"
    return "completion" if "prompt" in asked else None


def _temperature(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value <= TEMPERATURE_MAX else None


def _logprobs(asked: dict[str, object]) -> bool | None:
    """Chat says true or false, plain completion how many, the responses format lists it among what to include."""
    value, top, include = asked.get("logprobs"), asked.get("top_logprobs"), asked.get("include")
    if isinstance(include, list) and _RESPONSES_LOGPROBS in include:
        return True
    if isinstance(value, bool):
        return value
    if count(value) is not None or count(top):
        return True
    return None if value is not None or top is not None else False


def _tools(asked: dict[str, object]) -> int | None:
    tools = asked.get("tools", asked.get("functions", []))
    return len(tools) if isinstance(tools, list) else None
