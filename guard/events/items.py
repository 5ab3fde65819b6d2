"""A body of several items, divided: one JSON object, an array of them, or JSON lines. What is wrong within one item spoils only that one."""

import re
from typing import Final

import msgspec

from guard.errors import DecodeError

ITEMS_MAX: Final = 5_000
"""Exchanges in one body; a sender that has more sends another."""
_raw_items: Final = msgspec.json.Decoder(list[msgspec.Raw]).decode
_TOKEN: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)|[\[\]{},]', re.DOTALL)
"""A text that nobody closes is one token to the end: else every quotation mark in it would be tried as a beginning."""


def items_of(body: bytes) -> list[bytes]:
    """The items, each as its JSON, readable or not. Raises DecodeError for an empty body, or one of too many."""
    stripped = body.strip()
    if stripped.startswith(b"["):
        items = _of_array(stripped)
    elif _is_lines(stripped):
        items = [line for line in stripped.split(b"\n") if not line.isspace() and line]
    else:
        items = [stripped] if stripped else []
    if not items:
        raise DecodeError("not_json", "nothing in it; it should be a JSON object, an array of them, or JSON lines")
    if len(items) > ITEMS_MAX:
        raise DecodeError("too_large", f"{len(items)} items; it should be at most {ITEMS_MAX}")
    return items


def _of_array(body: bytes) -> list[bytes]:
    try:
        return [bytes(item) for item in _raw_items(body)]
    except (ValueError, RecursionError):
        return [item for item in _divided(body) if item]


def _divided(body: bytes) -> list[bytes]:
    """An array that a strict reader refuses, divided at the commas between its items."""
    items: list[bytes] = []
    depth, began = 0, 1
    for token in _TOKEN.finditer(body):
        mark = token.group()
        if mark == b"," and depth == 1:
            items.append(body[began : token.start()].strip())
            began = token.end()
        elif mark in (b"[", b"{"):
            depth += 1
        elif mark in (b"]", b"}"):
            depth -= 1
            if depth == 0:
                return [*items, body[began : token.start()].strip()]
    return [*items, body[began:].strip()]


def _is_lines(body: bytes) -> bool:
    """Whether the first line is an object by itself; else the body is a single one, perhaps written over several lines."""
    first = body.partition(b"\n")[0].rstrip()
    return first.startswith(b"{") and first.endswith(b"}")
