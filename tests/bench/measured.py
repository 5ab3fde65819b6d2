"""A worker that measures itself: processor time until all events, and all that came of them, are committed."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable

from guard.config import WorkerConfig, calm_collector
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


QUIET_SECONDS = 1.5
"""Without a flush for so long, and with all events in, everything that came of them is committed too."""


class _Meter:
    """Processor time from the first recovered shard to the last flush, over all events; ends the worker when it is quiet."""

    def __init__(self, events: int) -> None:
        self._events, self._seen = events, 0
        self._began = self._used = 0.0
        self._end: asyncio.TimerHandle | None = None

    def flushed(self, report: FlushReport) -> None:
        """One more flush."""
        self._seen += sum(lane.records for lane in report.lanes if lane.kind is StageKind.ACCOUNTS)
        self._used = time.process_time() - self._began
        if self._end is not None:
            self._end.cancel()
        if self._seen >= self._events:
            self._end = asyncio.get_running_loop().call_later(QUIET_SECONDS, self._finish)

    def _finish(self) -> None:
        print(f"us_per_event={self._used / self._events * 1e6:.2f}", flush=True)
        os.kill(os.getpid(), signal.SIGTERM)

    def recovered(self, shard: int, records: int, seconds: float) -> None:
        """The clock starts with the first shard."""
        self._began = self._began or time.process_time()

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
    calm_collector()
    config = WorkerConfig(bootstrap=bootstrap, group=f"bench-{time.time_ns()}")
    asyncio.run(run_worker(config, _FixedControl(), _Meter(events), stages))
