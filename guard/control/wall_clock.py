"""The time by this machine, apart from everything that reads it: `guard pause` must not wait for modules that it does not need."""

import time

from guard.units import EventTimeMs


def wall_clock() -> EventTimeMs:
    """UTC by this machine, milliseconds."""
    return EventTimeMs(time.time_ns() // 1_000_000)
