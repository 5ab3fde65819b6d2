"""The demonstrations' programs, such as `guard run`, as processes of their own: watched, killed, and ended in order."""

import asyncio
import contextlib
import os
import re
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import aiohttp

from guard.errors import GuardError

READY_SECONDS: Final = 60.0
END_SECONDS: Final = 20.0
_URL = re.compile(r"metrics on (http://\S+)")


class Program:
    """One process with a port that says whether it is ready: `ready_url`, once that is known. What it prints goes to a file."""

    def __init__(self, name: str, command: tuple[str, ...], log: Path, environment: Mapping[str, str] | None = None) -> None:
        self.name = name
        self.log = log
        self._command = command
        self._environment = {**os.environ, **(environment or {})}
        self._process: asyncio.subprocess.Process | None = None

    @property
    def ready_url(self) -> str:
        """Answers 200 when it is ready; empty while nobody can know it."""
        raise NotImplementedError

    @property
    def has_ended(self) -> bool:
        """Whether the process is no more."""
        return self._process is not None and self._process.returncode is not None

    async def start(self) -> None:
        """Start the process; it is not ready yet."""
        with self.log.open("wb") as log:
            self._process = await asyncio.create_subprocess_exec(*self._command, stdout=log, stderr=log, env=self._environment)

    async def wait_until_ready(self) -> None:
        """Return when it says so. Raises GuardError with the last line of the log when it ends or takes too long."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(READY_SECONDS), aiohttp.ClientSession() as session:
                while self._process is not None and self._process.returncode is None:
                    if await self._is_ready(session):
                        return
                    await asyncio.sleep(0.1)
        raise GuardError(f"{self.name} did not become ready; its last line: {self.last_line()}")

    async def _is_ready(self, session: aiohttp.ClientSession) -> bool:
        url = self.ready_url
        if not url:
            return False
        try:
            async with session.get(url) as answer:
                return answer.status == 200
        except aiohttp.ClientError:
            return False

    def last_line(self) -> str:
        """What it printed last."""
        lines = self.log.read_text(errors="replace").strip().splitlines()
        return lines[-1][:300] if lines else "none"

    async def kill(self) -> None:
        """`kill -9`: nothing is committed any more, nobody is told."""
        await self._signal(signal.SIGKILL)

    async def end(self) -> None:
        """SIGTERM, and SIGKILL if it does not end in time."""
        try:
            async with asyncio.timeout(END_SECONDS):
                await self._signal(signal.SIGTERM)
        except TimeoutError:
            await self._signal(signal.SIGKILL)

    async def _signal(self, number: signal.Signals) -> None:
        process = self._process
        if process is not None:
            if process.returncode is None:
                process.send_signal(number)
            await process.wait()


class GuardProcess(Program):
    """One of the guard's commands that have a metrics port; its address is read from the command's first line."""

    def __init__(self, name: str, arguments: tuple[str, ...], log: Path, environment: Mapping[str, str] | None = None) -> None:
        command = (sys.executable, "-m", "guard.cli.main", *arguments, "--metrics-port", "0")
        super().__init__(name, command, log, {"GUARD_LOG_LEVEL": "info", **(environment or {})})
        self.url = ""

    @property
    def ready_url(self) -> str:
        """Of its metrics port."""
        if not self.url and (found := _URL.search(self.log.read_text(errors="replace"))) is not None:
            self.url = found.group(1)
        return f"{self.url}/readyz" if self.url else ""


def worker(name: str, bootstrap: str, log: Path) -> GuardProcess:
    """A worker that enforces."""
    return GuardProcess(name, ("run", "--bootstrap", bootstrap, "--enforce"), log)
