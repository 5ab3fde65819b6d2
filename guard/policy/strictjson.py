"""JSON text read more strictly than usual: no duplicate keys, no NaN, no deep nesting, no surprise in a number."""

import json
import math
import re
from typing import Any, Final, NoReturn

DEPTH_MAX: Final = 8
"""A policy document nests four deep."""

NUMBER_CHARS_MAX: Final = 40
"""Longer than any number that a float or a 64-bit integer needs."""

_STRINGS = re.compile(r'"(?:[^"\\]|\\.)*+"?', re.DOTALL)
"""A string, or all that follows an opening quote: it always matches, so the search stays linear."""


def read_object(value: bytes, bytes_max: int) -> dict[str, Any]:
    """The JSON object in `value`; raises ValueError with one line that says what would be right."""
    if len(value) > bytes_max:
        raise ValueError(f"document: {len(value)} bytes; at most {bytes_max} are read")
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"document: not UTF-8 at byte {error.start}; write it as UTF-8") from None
    _refuse_depth(text)
    parsed = _parse(text)
    if not isinstance(parsed, dict):
        raise ValueError(f"document: a JSON {_kind(parsed)}; it should be one JSON object")  # noqa: TRY004
    return parsed


def canonical(document: dict[str, Any]) -> bytes:
    """The bytes that a signature is made over: sorted keys, no blanks, UTF-8. Raises ValueError for lone surrogates."""
    try:
        return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise ValueError("document: a string holds half of a surrogate pair; write whole characters") from None


def _parse(text: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant, parse_float=_finite, parse_int=_whole)
    except json.JSONDecodeError as error:
        raise ValueError(f"document: not JSON at line {error.lineno} column {error.colno}: {error.msg}") from None


def _refuse_depth(text: str) -> None:
    depth = 0
    for mark in re.findall(r"[\[\]{}]", _STRINGS.sub("", text)):
        depth += 1 if mark in "[{" else -1
        if depth > DEPTH_MAX:
            raise ValueError(f"document: nested deeper than {DEPTH_MAX}; a policy nests four deep")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"document: the key {key[:60]!a} stands twice in one object; keep one")
        found[key] = value
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"document: {name} is no JSON number; write a finite number")


def _finite(digits: str) -> float:
    number = float(digits) if len(digits) <= NUMBER_CHARS_MAX else math.inf
    if not math.isfinite(number):
        raise ValueError(f"document: the number {digits[:20]} is too long or too large; write a finite number")
    return number


def _whole(digits: str) -> int:
    if len(digits) > NUMBER_CHARS_MAX:
        raise ValueError(f"document: the number {digits[:20]}... has {len(digits)} digits; at most {NUMBER_CHARS_MAX} are read")
    return int(digits)


def _kind(value: object) -> str:
    return {list: "array", str: "string", bool: "boolean", type(None): "null"}.get(type(value), "number")
