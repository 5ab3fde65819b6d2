"""The time by this machine. Everything that may know it asks here; the core is told."""

import time

from guard.units import EventTimeMs


def wall_clock() -> EventTimeMs:
    """UTC by this machine, milliseconds."""
    return EventTimeMs(time.time_ns() // 1_000_000)
