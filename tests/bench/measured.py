"""A worker that measures itself: processor time from its first flush until all events are committed."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable

from guard.config import WorkerConfig
from guard.control.board import opening_control
from guard.streaming.observer import FlushReport
from guard.streaming.stages import StageKind, StageTable
from guard.streaming.worker import run_worker


class _FixedControl:
    following = None

    def __init__(self) -> None:
        self.control = opening_control(enforce=True)

    def subscribe(self, callback: Callable[..., None]) -> None:
        """Nothing changes."""

    async def start(self) -> None:
        """Nothing to read."""

    async def stop(self) -> None:
        """Nothing to stop."""


class _Meter:
    """Counts accounts-stage records; prints and ends when all are in."""

    def __init__(self, events: int) -> None:
        self._events, self._seen, self._began, self._skipped = events, 0, 0.0, 0

    def flushed(self, report: FlushReport) -> None:
        """Start the clock at the first flush, whose own records are not counted."""
        records = sum(lane.records for lane in report.lanes if lane.kind is StageKind.ACCOUNTS)
        self._seen += records
        if not self._began:
            self._began, self._skipped = time.process_time(), records
        elif self._seen >= self._events:
            used = time.process_time() - self._began
            print(f"us_per_event={used / (self._events - self._skipped) * 1e6:.2f}", flush=True)
            os.kill(os.getpid(), signal.SIGTERM)

    def recovered(self, shard: int, records: int, seconds: float) -> None:
        """Not measured here."""

    def released(self, shard: int) -> None:
        """Not measured here."""

    def lag(self, topic: str, partition: int, records: int) -> None:
        """Not measured here."""

    def ready(self, *, is_ready: bool) -> None:
        """Not measured here."""

    def interrupted(self, reason: str) -> None:
        """Said on stderr."""
        print(reason, file=sys.stderr)


def measure(stages: StageTable) -> None:
    """Run these stages over the topic: `BOOTSTRAP EVENTS` on the command line."""
    bootstrap, events = sys.argv[1], int(sys.argv[2])
    config = WorkerConfig(bootstrap=bootstrap, group=f"bench-{time.time_ns()}")
    asyncio.run(run_worker(config, _FixedControl(), _Meter(events), stages))
