"""One way out for all lines: structlog's own, and those of Faust, aiokafka, mode and aiohttp, from warning upwards."""

import logging
import sys
from collections.abc import Mapping
from json import dumps
from typing import Final, TextIO, cast

import structlog
from structlog.typing import Processor

from guard.errors import UsageError
from guard.logs.rate import RateLimit
from guard.logs.tame import tame

LEVELS: Final = ("debug", "info", "warning", "error", "critical")
LIBRARIES: Final = ("faust", "mode", "aiokafka", "aiohttp", "asyncio")
TIME_KEY: Final = "at"


def configure_logging(level: str = "info", *, json: bool = True, stream: TextIO | None = None) -> None:
    """Log from `level` upwards to `stream` (stderr): JSON lines, or lines for a person. Raises UsageError for an unknown level.

    Replaces whatever handlers the root logger had: it is called once, by the command that runs.
    """
    if level not in LEVELS:
        raise UsageError(f"log level {level[:40]!a}: it should be one of {', '.join(LEVELS)}")
    out = stream or sys.stderr
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            cast("Processor", RateLimit()),
            structlog.processors.TimeStamper(fmt="iso", utc=True, key=TIME_KEY),
            cast("Processor", tame),
            render_json if json else structlog.dev.ConsoleRenderer(colors=out.isatty(), timestamp_key=TIME_KEY),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(cast("TextIO", _Unbreakable(out))),
        cache_logger_on_first_use=False,
    )
    _take_over_libraries()


def render_json(_logger: object, _method: str, event_dict: Mapping[str, object]) -> str:
    """One line of ASCII, whatever is in it."""
    return dumps(event_dict, allow_nan=False, separators=(",", ":"))


def _take_over_libraries() -> None:
    root = logging.getLogger()
    root.handlers[:] = [_LibraryLines()]
    root.setLevel(logging.WARNING)
    for name in LIBRARIES:
        library = logging.getLogger(name)
        library.handlers.clear()
        library.setLevel(logging.WARNING)
        library.propagate = True
    logging.captureWarnings(capture=True)


class _LibraryLines(logging.Handler):
    """Says a library's record in our form, limited by its message before the arguments are filled in."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            text = record.getMessage()
        except Exception:  # noqa: BLE001 (arguments that do not fit the message: theirs to mend, the line still counts)
            text = str(record.msg)
        say = structlog.get_logger()
        say.log(_level(record.levelno), text, reason_key=str(record.msg)[:80], logger=record.name, exc_info=record.exc_info)


def _level(number: int) -> int:
    """The standard level at or below this one: structlog knows no others."""
    standard = (logging.CRITICAL, logging.ERROR, logging.WARNING, logging.INFO)
    return next((level for level in standard if number >= level), logging.DEBUG)


class _Unbreakable:
    """A stream whose end, or a full disk behind it, must not end the worker: lines are lost then, events are not."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, line: str) -> None:
        try:
            self._stream.write(line)
        except (OSError, ValueError):
            return

    def flush(self) -> None:
        try:
            self._stream.flush()
        except (OSError, ValueError):
            return
