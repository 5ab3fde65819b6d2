"""Units and small types that every layer shares. The unit of a number is the last word of its name."""

from typing import Final, NewType

EventTimeMs = NewType("EventTimeMs", int)
"""When something happened: milliseconds since the epoch, UTC."""

SECOND_MS: Final = 1_000
MINUTE_MS: Final = 60 * SECOND_MS
HOUR_MS: Final = 60 * MINUTE_MS
DAY_MS: Final = 24 * HOUR_MS
DAY_S: Final = DAY_MS // SECOND_MS

STRING_CHARS_MAX: Final = 128
"""Identifiers are 1-128 printable characters; longer strings are cut here (contract)."""

FUTURE_MS_MAX: Final = 5 * MINUTE_MS
"""An event further ahead of its append time than this moves no clock (contract)."""
