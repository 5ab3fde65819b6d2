"""The embedded broker: start a real Kafka, use it, and leave nothing behind."""

import contextlib
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from guard.errors import BrokerUnreachableError, UsageError
from guard.streaming.broker.artifacts import Progress, alone, cache_folder, fetched
from guard.streaming.broker.java import Java
from guard.streaming.broker.node import Node
from guard.streaming.broker.probe import is_free
from guard.streaming.broker.properties import HOST

STARTS_MAX: Final = 3
"""A free port may be taken between choosing and listening; then others are tried."""


class EmbeddedBroker:
    """A single-node Apache Kafka on 127.0.0.1, as a context manager. It cannot outlive the process that started it.

    A start takes 1-2 s, the very first on a machine about 15 s (44 MB are fetched and a start-up cache is made). It holds
    about 200 MB of memory. All methods block; call them by `asyncio.to_thread` from a coroutine.
    """

    def __init__(
        self, *, port: int = 0, data: Path | None = None, settings: Mapping[str, str] | None = None, progress: Progress | None = None
    ) -> None:
        """Describe a broker; nothing runs before `start`.

        port: 0 for a free one. data: a folder that keeps the topics for the next start; without it they are gone after `stop`.
        settings: Kafka's own settings, over ours. progress: told in one line what the first start waits for.
        """
        self._port = port
        self._data = data
        self._settings = dict(settings or {})
        self._progress: Progress = progress or (lambda _line: None)
        self._scratch: Path | None = None
        self._node: Node | None = None

    @property
    def port(self) -> int:
        """The port it listens on; only after `start`."""
        return self._running_node.port

    @property
    def bootstrap(self) -> str:
        """Its address, as `--bootstrap` wants it."""
        return f"{HOST}:{self.port}"

    @property
    def log(self) -> Path:
        """What Kafka complained about, in a file."""
        return self._running_node.log

    @property
    def is_running(self) -> bool:
        """Whether its process is there."""
        return self._node is not None and self._node.is_running

    def start(self) -> Self:
        """Fetch what is missing, start, and wait until it answers.

        Raises `BrokerUnreachableError` when a jar cannot be fetched or Kafka does not come up, `UsageError` for a taken port
        or a folder that cannot be used.
        """
        assert self._node is None, "it is started already"
        if self._port and not is_free(HOST, self._port):
            raise UsageError(f"port {self._port} on {HOST} is taken; choose another, or 0 for a free one")
        java = _java(self._progress)
        folder = self._folder()
        try:
            self._node = self._started(java, folder)
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """Stop it cleanly; by force when that takes too long. Stopping twice is fine."""
        if self._node is not None:
            self._node.end()
            self._node = None
        if self._scratch is not None:
            shutil.rmtree(self._scratch, ignore_errors=True)
            self._scratch = None

    def why(self) -> str:
        """The line of its log that tells most, when it has ended by itself."""
        return self._running_node.why()

    def signal(self, name: str) -> None:
        """Send the Kafka process a signal, such as `KILL`, `STOP` or `CONT`: for tests of what happens then."""
        self._running_node.signal(name)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    @property
    def _running_node(self) -> Node:
        assert self._node is not None, "it is not started"
        return self._node

    def _folder(self) -> Path:
        if self._data is None:
            self._scratch = Path(tempfile.mkdtemp(prefix="guard-kafka-"))
            return self._scratch
        folder = self._data.expanduser().absolute()
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"data folder {folder}: {error.strerror}; it should be a folder that can be written") from None
        return folder

    def _started(self, java: Java, folder: Path) -> Node:
        for _ in range(1 if self._port else STARTS_MAX):
            node = self._node = Node(java, folder, self._port, self._settings)
            node.prepare()
            node.launch(self._scratch)
            if node.becomes_ready():
                return node
            why = node.why()
            node.end()
        raise BrokerUnreachableError(f"the embedded Kafka ended while starting: {why}")


def _java(progress: Progress) -> Java:
    """Java with all jars; made ready by the first process that needs it, while others wait."""
    cache = cache_folder()
    with alone(cache):
        java = Java(tuple(fetched(cache, progress)), cache)
        if not java.archive.exists():
            progress("making the start-up cache, once")
            _make_archive(java, cache)
    return java


def _make_archive(java: Java, cache: Path) -> None:
    """Run a broker once to learn what a start loads. Only speed is at stake: no failure of it stops anything."""
    with tempfile.TemporaryDirectory(dir=cache, ignore_cleanup_errors=True) as scratch, contextlib.suppress(BrokerUnreachableError):
        folder = Path(scratch)
        notes = folder / "loaded.aotconf"
        node = Node(java, folder, 0, {})
        node.prepare()
        node.launch(folder, java.recording(notes, *node.arguments))
        try:
            node.becomes_ready()
        finally:
            node.end()
        java.create_archive(notes)
