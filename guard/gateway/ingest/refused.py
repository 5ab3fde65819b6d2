"""What a sender hears of an item that was not taken: where it stood, which field was wrong, what would be right; nothing of its content."""

from typing import Final

from msgspec import Struct

from guard.errors import DecodeError

REFUSALS_NAMED_MAX: Final = 50
"""Refused items that are named one by one in an answer; further ones are only counted."""


class Refused(Struct, frozen=True):
    """One item that was not taken; `index` counts from 0."""

    index: int
    reason: str
    field: str
    detail: str


def refused(index: int, error: DecodeError) -> Refused:
    """What to tell the sender of the item at `index`."""
    name, semicolon, _ = error.detail.partition(";")
    is_field = bool(semicolon) and error.reason.endswith("_field")
    return Refused(index, error.reason, name if is_field else "", error.detail)
