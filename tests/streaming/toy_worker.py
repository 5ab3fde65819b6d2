"""`python -m tests.streaming.toy_worker`: the real shell over the toy engine, as a process that tests may kill.

Configured by GUARD_* variables alone. Prints a JSON line per thing observed; ends with the exit code of the fault.
"""

import asyncio
import json
import logging
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from aiokafka import AIOKafkaProducer

from guard.config import worker_config
from guard.control.board import opening_control
from guard.engine.control import Control
from guard.errors import GuardError
from guard.streaming.observer import FlushReport
from guard.streaming.stages import engine_stages
from guard.streaming.worker import run_worker
from tests.streaming.toy_engine import TOY_STAGES


class FixedControl:
    """The built-in policy, for ever."""

    following = None

    def __init__(self, *, enforce: bool) -> None:
        self.control: Control = opening_control(enforce=enforce)

    def subscribe(self, callback: Callable[[Control], None]) -> None:
        """Nothing changes."""

    async def start(self) -> None:
        """Nothing to read."""

    async def stop(self) -> None:
        """Nothing to stop."""


def say(**words: object) -> None:
    """One line on stdout, at once."""
    print(json.dumps(words), flush=True)


class LineObserver:
    """Every observation as a line."""

    def __init__(self) -> None:
        self._was_ready: bool | None = None

    def flushed(self, report: FlushReport) -> None:
        """Shard, records and time of a flush."""
        records = {lane.kind.value: lane.records for lane in report.lanes if lane.records}
        say(event="flushed", shard=report.shard, records=records, seconds=round(report.transaction_seconds, 4))

    def recovered(self, shard: int, records: int, seconds: float) -> None:
        """Keys and time of a recovery."""
        say(event="recovered", shard=shard, records=records, seconds=round(seconds, 3))

    def released(self, shard: int) -> None:
        """A shard goes."""
        say(event="released", shard=shard)

    def lag(self, topic: str, partition: int, records: int) -> None:
        """Not worth a line."""

    def ready(self, *, is_ready: bool) -> None:
        """Changes only."""
        if is_ready is not self._was_ready:
            self._was_ready = is_ready
            say(event="ready", is_ready=is_ready)

    def interrupted(self, reason: str) -> None:
        """Why it ends."""
        say(event="interrupted", reason=reason)


STOP_FILE = "TOY_STOP_FILE"
"""Environment: when a file of this name with the process id behind it appears, the process stops inside its next transaction."""


def stop_inside_a_transaction(path: str) -> None:
    """SIGSTOP this process when all records of a transaction are with the broker and it is not committed, once told to."""
    commit = AIOKafkaProducer.commit_transaction

    def told(file: Path) -> bool:
        is_there = file.exists()
        file.unlink(missing_ok=True)
        return is_there

    async def stop_then_commit(producer: AIOKafkaProducer) -> None:
        if told(Path(f"{path}.{os.getpid()}")):
            os.kill(os.getpid(), signal.SIGSTOP)
        await commit(producer)

    AIOKafkaProducer.commit_transaction = stop_then_commit


def main() -> None:
    """Run until told to end."""
    if STOP_FILE in os.environ:
        stop_inside_a_transaction(os.environ[STOP_FILE])
    logging.basicConfig(level=os.environ.get("LOG_LEVEL", "ERROR"), stream=sys.stderr)
    try:
        config = worker_config({}, os.environ)
        stages = engine_stages() if os.environ.get("TOY_ENGINE") == "real" else TOY_STAGES
        asyncio.run(run_worker(config, FixedControl(enforce=config.enforce), LineObserver(), stages))
    except GuardError as error:
        print(f"guard: {error}", file=sys.stderr)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
