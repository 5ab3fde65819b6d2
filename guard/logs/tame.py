"""Values made harmless for a log: short, shallow, printable, and free of what an exception's locals or source might hold."""

import math
import sys
import traceback
from collections.abc import Mapping, MutableMapping
from typing import Final

Plain = str | int | float | bool | None | list["Plain"] | dict[str, "Plain"]

TEXT_CHARS_MAX: Final = 256
"""A longer string is cut here, after what does not print has been spelled out."""

ITEMS_MAX: Final = 32
"""Items of a list or mapping that are shown."""

DEPTH_MAX: Final = 2
"""Lists and mappings nested deeper are shown as text."""

FRAMES_MAX: Final = 16
"""Innermost frames of an exception that are shown."""

INTEGER_BITS_MAX: Final = 64
"""Python refuses to write out very large integers, and no reader of JSON wants them."""


def text_of(value: str) -> str:
    r"""The string in characters that print: line ends, escapes, bidi marks and lone surrogates are spelled out, as `\n`."""
    short = value[:TEXT_CHARS_MAX]
    if short.isprintable():
        return short
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in short)[:TEXT_CHARS_MAX]


def plain(value: object, depth: int = 0) -> Plain:
    """The value as JSON can carry it."""
    if depth < DEPTH_MAX:
        if isinstance(value, Mapping):
            return {text_of(str(key)): plain(item, depth + 1) for key, item in list(value.items())[:ITEMS_MAX]}
        if isinstance(value, list | tuple):
            return [plain(item, depth + 1) for item in value[:ITEMS_MAX]]
    return _scalar(value)


def _scalar(value: object) -> Plain:
    match value:
        case None | bool():
            return value
        case int():
            return value if value.bit_length() < INTEGER_BITS_MAX else f"integer of {value.bit_length()} bits"
        case float():
            return value if math.isfinite(value) else str(value)
        case bytes():
            return text_of(repr(value[:TEXT_CHARS_MAX]))
        case _:
            return text_of(value) if isinstance(value, str) else _shown(value)


def _shown(value: object) -> str:
    try:
        return text_of(str(value))
    except Exception as error:  # noqa: BLE001 (a log line must not fail for what it speaks of)
        return f"{type(value).__name__} that cannot be shown ({type(error).__name__})"


def tame(_logger: object, _method: str, event_dict: MutableMapping[str, object]) -> Mapping[str, object]:
    """Every field made plain; an exception becomes its name, its text and where it came from."""
    error = _error_of(event_dict.pop("exc_info", None))
    event_dict.pop("stack_info", None)
    fields = list(event_dict.items())[:ITEMS_MAX]
    tamed: dict[str, object] = {text_of(str(name)): plain(value) for name, value in fields}
    if error is not None:
        tamed["error"] = text_of(f"{type(error).__name__}: {_shown(error)}")
        tamed["frames"] = _frames(error)
    return tamed


def _error_of(exc_info: object) -> BaseException | None:
    if exc_info is True:
        exc_info = sys.exc_info()
    if isinstance(exc_info, tuple):
        exc_info = exc_info[1] if len(exc_info) > 1 else None
    return exc_info if isinstance(exc_info, BaseException) else None


def _frames(error: BaseException) -> list[str]:
    """File, line and function, innermost last; no source and no values."""
    frames = traceback.StackSummary.extract(traceback.walk_tb(error.__traceback__), lookup_lines=False)[-FRAMES_MAX:]
    return [text_of(f"{frame.filename.rpartition('site-packages/')[2]}:{frame.lineno} {frame.name}") for frame in frames]
