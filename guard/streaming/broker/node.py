"""One run of a Kafka node in its folder: settings written, storage formatted once, started, ready, ended."""

import base64
import subprocess
import time
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from guard.errors import BrokerUnreachableError
from guard.streaming.broker.java import BROKER_CLASS, Java
from guard.streaming.broker.probe import free_port, is_ready
from guard.streaming.broker.process import TetheredProcess
from guard.streaming.broker.properties import HOST, render

READY_SECONDS_MAX: Final = 90.0
"""A start takes 1-4 s; on a machine that does ten other things it may take ten times that."""
STOP_SECONDS_MAX: Final = 20.0
"""A clean stop takes 0.3 s; after this long it is ended by force, and the next start checks its log segments."""
POLL_SECONDS: Final = 0.02
LOG_BYTES_MAX: Final = 65_536


class Node:
    """One Kafka process; `folder` holds its settings, its log (`broker.log`) and its data, and outlives it."""

    def __init__(self, java: Java, folder: Path, port: int, changes: Mapping[str, str]) -> None:
        self.port = port or free_port(HOST)
        self.log = folder / "broker.log"
        self._java = java
        self._folder = folder
        self._settings = folder / "server.properties"
        self._changes = changes
        self._process: TetheredProcess | None = None

    @property
    def arguments(self) -> tuple[str, str]:
        """The class that is the broker, and its one argument."""
        return BROKER_CLASS, str(self._settings)

    @property
    def is_running(self) -> bool:
        """Whether its process is there."""
        return self._process is not None and self._process.is_running

    def prepare(self) -> None:
        """Write the settings, and format the storage unless an earlier run did."""
        data = self._folder / "data"
        self._settings.write_text(render(self.port, free_port(HOST), data, self._changes), encoding="ascii")
        if (data / "meta.properties").exists():
            return
        try:
            self._java.format_storage(self._settings, _cluster_id())
        except subprocess.CalledProcessError as error:
            raise BrokerUnreachableError(f"{data}: Kafka could not format it ({_telling_line(error.stderr + error.stdout)})") from None
        except (OSError, subprocess.TimeoutExpired) as error:
            raise BrokerUnreachableError(f"Java could not be run: {str(error)[:200]}") from None

    def launch(self, scratch: Path | None = None, command: Sequence[str] | None = None) -> None:
        """Start the process; `scratch` is removed if we die. It ends when we do."""
        self.log.unlink(missing_ok=True)
        self._process = TetheredProcess(command or self._java.command(*self.arguments), self.log, scratch)

    def becomes_ready(self) -> bool:
        """Wait until it answers; False when it ended instead. Raises `BrokerUnreachableError` after `READY_SECONDS_MAX`."""
        until = time.monotonic() + READY_SECONDS_MAX
        while self.is_running:
            if is_ready(HOST, self.port):
                return True
            if time.monotonic() > until:
                raise BrokerUnreachableError(f"the embedded Kafka is not ready after {READY_SECONDS_MAX:.0f} s: {self.why()}")
            time.sleep(POLL_SECONDS)
        return False

    def why(self) -> str:
        """The line of its log that tells most, for an error message."""
        try:
            with self.log.open("rb") as file:
                file.seek(max(0, self.log.stat().st_size - LOG_BYTES_MAX))
                return _telling_line(file.read().decode("utf-8", "replace"))
        except OSError:
            return "it left no log"

    def signal(self, name: str) -> None:
        """Send its process a signal by name."""
        if self._process is not None:
            self._process.signal(name)

    def end(self, patience_seconds: float = STOP_SECONDS_MAX) -> None:
        """Stop it, cleanly if it can."""
        if self._process is not None:
            self._process.end(patience_seconds)
            self._process = None


def _telling_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("at ")]
    telling = [line for line in lines if "ERROR" in line or "Exception" in line] or lines
    return telling[-1][-300:] if telling else "it said nothing"


def _cluster_id() -> str:
    """A random id in Kafka's form; one that began with a dash would be taken for an option."""
    while (text := base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")).startswith("-"):
        pass
    return text
