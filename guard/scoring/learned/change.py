"""Whether a model's own scores have changed: ADWIN (Bifet, Gavalda, SIAM 2007) over what lessons scored before they were learned.

A change is news for an operator, never evidence against anybody: the crowd itself moved, or somebody is moving it.
"""

from typing import Final

from river import drift

DELTA: Final = 1e-4
"""Chance of a false alarm at each test of a window; a thousand lessons a day give one in a month or so."""


class ScoreChange:
    """Two windows of scores, one a model. Not part of a snapshot: after a restart it looks anew. About 2 us an update."""

    def __init__(self) -> None:
        self._windows = (drift.ADWIN(delta=DELTA), drift.ADWIN(delta=DELTA))
        self.changes = 0

    def observe(self, rank: float, moved: float | None) -> None:
        """Take in how a lesson ranked in the crowd, and how far it had moved if it has a past; 0-1 both."""
        for window, score in zip(self._windows, (rank, moved), strict=True):
            if score is not None:
                window.update(score)
                self.changes += bool(window.drift_detected)

    def drain(self) -> int:
        """Changes since the last call."""
        changes, self.changes = self.changes, 0
        return changes
