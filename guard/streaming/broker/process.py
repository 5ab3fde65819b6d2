"""A child process that cannot outlive its parent, however the parent ends, and whose scratch folder goes with it."""

import contextlib
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Final

SCRIPT: Final = """
exec 3<&0
"$@" </dev/null 3<&- &
child=$!
{ while read -r signal <&3; do kill -"$signal" "$child"; done; kill -KILL "$child"; } 2>/dev/null &
reader=$!
wait "$child"
status=$?
kill "$reader" 2>/dev/null
if [ "$status" = 137 ] && [ -n "$SCRATCH" ]; then rm -rf "$SCRATCH"; fi
exit "$status"
"""
"""Signals come as lines on standard input; its end means that the parent is gone, and kills the child.

A pipe tells this on every POSIX system, from any thread: Linux's parent-death signal goes by the *thread* that forked.
"""


class TetheredProcess:
    """One running command, tied to us by a pipe. It has a session of its own: a terminal's Ctrl-C does not reach it.

    A child forked without exec would hold the pipe too, and keep the command alive; `subprocess` closes it for its children.
    """

    def __init__(self, command: Sequence[str], log: Path, scratch: Path | None = None) -> None:
        """Start `command`, its output appended to `log`; `scratch` is removed if the parent dies."""
        with log.open("ab") as output:
            self._shell = subprocess.Popen(
                ["/bin/sh", "-c", SCRIPT, "sh", *command],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={"SCRATCH": str(scratch or ""), "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
                start_new_session=True,
            )

    @property
    def is_running(self) -> bool:
        """Whether the command still runs."""
        return self._shell.poll() is None

    def signal(self, name: str) -> None:
        """Send a signal by its name (`TERM`, `KILL`, `STOP`, `CONT`); nothing happens to one that has ended."""
        with contextlib.suppress(BrokenPipeError, ValueError):
            self._input.write(f"{name}\n".encode())
            self._input.flush()

    def wait(self, timeout_seconds: float) -> int | None:
        """Its exit status (128 + n after signal n), or None when it still runs after that time."""
        try:
            return self._shell.wait(timeout_seconds)
        except subprocess.TimeoutExpired:
            return None

    def end(self, patience_seconds: float) -> int:
        """End it: politely, and after `patience_seconds` by force. Its exit status."""
        self.signal("TERM")
        status = self.wait(patience_seconds)
        with contextlib.suppress(BrokenPipeError):
            self._input.close()
        return self._shell.wait() if status is None else status

    @property
    def _input(self) -> IO[bytes]:
        assert self._shell.stdin is not None
        return self._shell.stdin
