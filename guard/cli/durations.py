"""Durations as people type them: `90s`, `30m`, `1h`, `1h30m`, `2d`."""

import re

from guard.errors import UsageError
from guard.units import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS

_UNITS_MS = {"d": DAY_MS, "h": HOUR_MS, "m": MINUTE_MS, "s": SECOND_MS}
_WHOLE = re.compile(r"(?:\d{1,9}[dhms])+", re.ASCII)
_PART = re.compile(r"(\d+)([dhms])", re.ASCII)


def duration_ms(text: str) -> int:
    """The duration in milliseconds; raises UsageError when `text` is none."""
    if not _WHOLE.fullmatch(text):
        raise UsageError(f"duration {text[:40]!a}; it should be like 30m, 1h or 1h30m (units d, h, m, s)")
    return sum(int(number) * _UNITS_MS[unit] for number, unit in _PART.findall(text))
