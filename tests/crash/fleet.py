"""Workers as processes under a small supervisor: killed, stopped, and started again as an operator's would be."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

RESTART_ME = 6
ROOT = Path(__file__).resolve().parents[2]


BEGIN_SECONDS = 15.0


class WorkerProcess:
    """One worker; `lines` is what it has told so far."""

    def __init__(self, environment: Mapping[str, str], log: Path) -> None:
        self.lines: list[dict[str, Any]] = []
        self._log = log.open("ab")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.streaming.toy_worker"],
            cwd=ROOT,
            env={**os.environ, **environment},
            stdout=subprocess.PIPE,
            stderr=self._log,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(json.loads(line))

    def said(self, event: str, **words: object) -> list[dict[str, Any]]:
        """The lines about this kind of event with these words."""
        lines = list(self.lines)
        return [line for line in lines if line["event"] == event and all(line[name] == word for name, word in words.items())]

    @property
    def is_ready(self) -> bool:
        """Its newest word about readiness."""
        said = self.said("ready")
        return bool(said and said[-1]["is_ready"])

    @property
    def shards(self) -> set[int]:
        """The shards it has now."""
        owned = set()
        for line in list(self.lines):
            if line["event"] == "recovered":
                owned.add(line["shard"])
            elif line["event"] == "released":
                owned.discard(line["shard"])
        return owned

    def kill(self) -> None:
        """`kill -9`, and gone."""
        self.signal(signal.SIGKILL)
        self.wait()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal."""
        self.process.send_signal(number)

    def wait(self, seconds: float = 30.0) -> int:
        """The exit code."""
        code = self.process.wait(seconds)
        self._reader.join(seconds)
        assert self.process.stdout is not None
        self.process.stdout.close()
        self._log.close()
        return code


class Fleet:
    """So many workers of one group; whoever ends with 6 is started again, any other end is kept for the verdict."""

    def __init__(self, workers: int, environment: Mapping[str, str], log: Path) -> None:
        self._environment = dict(environment)
        self._log = log
        self.kills = 0
        self.restarts = 0
        self.bad_ends: list[int] = []
        self.workers = [self._start() for _ in range(workers)]

    def _start(self) -> WorkerProcess:
        return WorkerProcess(self._environment, self._log)

    def kill(self, index: int) -> None:
        """`kill -9` a worker, and start another in its place."""
        self.workers[index].kill()
        self.kills += 1
        self.workers[index] = self._start()

    def tend(self) -> None:
        """Start those again that asked for it."""
        for index, worker in enumerate(self.workers):
            code = worker.process.poll()
            if code is None:
                continue
            worker.wait()
            if code != RESTART_ME:
                self.bad_ends.append(code)
            self.restarts += 1
            self.workers[index] = self._start()

    def end(self) -> list[int]:
        """SIGTERM to all; their exit codes. One that was started last is given time to begin: before that the signal ends any Python."""
        until = time.monotonic() + BEGIN_SECONDS
        while any(not worker.lines and worker.process.poll() is None for worker in self.workers) and time.monotonic() < until:
            time.sleep(0.05)
        for worker in self.workers:
            if worker.process.poll() is None:
                worker.signal(signal.SIGTERM)
        return [worker.wait() for worker in self.workers]

    def destroy(self) -> None:
        """Leave nothing running, whatever happened."""
        for worker in self.workers:
            if worker.process.poll() is None:
                worker.kill()
