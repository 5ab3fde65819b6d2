"""OpenTelemetry's spans as JSON lines: OTLP/JSON as the collector's file exporter writes it, or one span a line as the Python SDK prints it."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from msgspec import Struct

from guard.convert.logged import number
from guard.events.fingerprint.usage import mapping

_NS_A_MS: Final = 1_000_000
_ERROR: Final = (2, "STATUS_CODE_ERROR", "ERROR")
"""A span's status code in OTLP, as number and name, and in the Python SDK."""
DEPTH_MAX: Final = 32
"""Lists and mappings within one another; messages take about six."""
_VALUES: Final = ("stringValue", "boolValue", "doubleValue")


class Span(Struct):
    """What a conversion needs of a span. Times are epoch milliseconds."""

    span_id: str
    start_ms: int | None
    end_ms: int | None
    is_error: bool
    attributes: dict[str, object]


def spans_of(line: dict[str, object]) -> Iterator[Span]:
    """The spans in one line, whichever of the forms it has."""
    if "resourceSpans" not in line:
        yield _printed(line)
        return
    for resource in _items(line, "resourceSpans"):
        around = _attributes(mapping(resource.get("resource")).get("attributes"))
        for scope in _items(resource, "scopeSpans"):
            yield from (_otlp(span, around) for span in _items(scope, "spans"))


def _otlp(span: dict[str, object], around: dict[str, object]) -> Span:
    return Span(
        f"{span.get('traceId')}-{span.get('spanId')}",
        _ms(span.get("startTimeUnixNano")),
        _ms(span.get("endTimeUnixNano")),
        mapping(span.get("status")).get("code") in _ERROR,
        around | _attributes(span.get("attributes")),
    )


def _printed(span: dict[str, object]) -> Span:
    context, around = mapping(span.get("context")), mapping(mapping(span.get("resource")).get("attributes"))
    return Span(
        f"{context.get('trace_id')}-{context.get('span_id')}",
        _iso_ms(span.get("start_time")),
        _iso_ms(span.get("end_time")),
        mapping(span.get("status")).get("status_code") in _ERROR,
        around | mapping(span.get("attributes")),
    )


def _items(value: dict[str, object], name: str) -> list[dict[str, object]]:
    found = value.get(name)
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def _attributes(pairs: object, depth: int = 0) -> dict[str, object]:
    found = [mapping(pair) for pair in pairs] if isinstance(pairs, list) else []
    return {key: _value(mapping(pair.get("value")), depth) for pair in found if isinstance(key := pair.get("key"), str)}


def _value(value: dict[str, object], depth: int = 0) -> object:
    """A value out of its OTLP wrapping; 64-bit integers are written as text there. What lies deeper than `DEPTH_MAX` is None."""
    if depth > DEPTH_MAX:
        return None
    if "intValue" in value:
        return _integer(value["intValue"])
    if "arrayValue" in value:
        return [_value(item, depth + 1) for item in _items(mapping(value["arrayValue"]), "values")]
    if "kvlistValue" in value:
        return _attributes(mapping(value["kvlistValue"]).get("values"), depth + 1)
    return next((value[name] for name in _VALUES if name in value), None)


def _integer(value: object) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 19:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _ms(nanoseconds: object) -> int | None:
    value = _integer(nanoseconds)
    return None if value is None else value // _NS_A_MS


def _iso_ms(moment: object) -> int | None:
    if not isinstance(moment, str):
        seconds = number(moment)
        return None if seconds is None else int(seconds * 1_000)
    try:
        return int(datetime.fromisoformat(moment).timestamp() * 1_000)
    except (ValueError, OverflowError):
        return None
