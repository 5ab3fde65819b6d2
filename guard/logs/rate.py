"""No reason fills the log: so many lines a second, and a count of those that were left out."""

import time
from collections.abc import Callable, MutableMapping
from typing import Final

from structlog import DropEvent

DECISION: Final = "decision"
"""The event of a decision's line: each decision has one, so these are not limited."""

LINES_PER_SECOND_MAX: Final = 10
REASONS_MAX: Final = 256
"""Reasons told apart; all further ones share one allowance."""

_REST: Final = ""


class RateLimit:
    """Lets ten lines a second pass for each reason; a reason is an event's name, or a library's message before its arguments."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._seen: dict[str, tuple[int, int, int]] = {}
        """Reason -> second, lines in it, lines left out since one last passed."""

    def __call__(self, _logger: object, _method: str, event_dict: MutableMapping[str, object]) -> MutableMapping[str, object]:
        """The event, with the count `suppressed` if some were left out before it; raises DropEvent for one too many."""
        reason = str(event_dict.pop("reason_key", event_dict.get("event")))
        if reason == DECISION:
            return event_dict
        reason = reason if reason in self._seen or len(self._seen) < REASONS_MAX else _REST
        second = int(self._now())
        then, lines, left_out = self._seen.get(reason, (second, 0, 0))
        if then != second:
            lines = 0
        if lines >= LINES_PER_SECOND_MAX:
            self._seen[reason] = (second, lines, left_out + 1)
            raise DropEvent
        self._seen[reason] = (second, lines + 1, 0)
        if left_out:
            event_dict["suppressed"] = left_out
        return event_dict
