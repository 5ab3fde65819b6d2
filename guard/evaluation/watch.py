"""Watches a run while it is played: lays it aside every few minutes, and says how far it is."""

import sys
import time
from collections.abc import Callable
from typing import Final

from guard.evaluation.checkpoint import Checkpoint
from guard.evaluation.play import Play

CHECKPOINT_S: Final = 600.0
"""Seconds between two checkpoints: writing down a million accounts takes most of a minute."""
CHECKPOINT_SHARE_MAX: Final = 0.05
"""Of the time, at most so much goes into checkpoints: those of a large world come less often."""
SAID_EVERY_S: Final = 60.0


def _to_stderr(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


class Watch:
    """Of one run. `clock` gives seconds; lines go to `say`."""

    def __init__(
        self,
        clock: Callable[[], float] = time.perf_counter,
        say: Callable[[str], None] = _to_stderr,
        checkpoint_s: float = CHECKPOINT_S,
        said_every_s: float = SAID_EVERY_S,
    ) -> None:
        self._clock, self.say = clock, say
        self._checkpoint_s, self._said_every_s = checkpoint_s, said_every_s
        self._pause_s = checkpoint_s
        self._name = ""
        self._checkpoint: Checkpoint | None = None
        self._began_at = self._saved_at = self._said_at = clock()
        self._events, self._before_s = 0, 0.0

    def begin(self, name: str, play: Play, checkpoint: Checkpoint | None) -> None:
        """The run starts, or goes on, now."""
        self._name, self._checkpoint = name, checkpoint
        self._events, self._before_s = play.ledger.events, play.seconds
        if self._events:
            self.say(f"{self._name}: goes on after {self._events:,} exchanges")

    @property
    def seconds(self) -> float:
        """That the run has been played, all sittings together."""
        return self._before_s + self._clock() - self._began_at

    def look(self, play: Play) -> None:
        """Do what is due."""
        now = self._clock()
        if now - self._said_at >= self._said_every_s:
            self._said_at = now
            self.say(self._told(play, now))
        if self._checkpoint is not None and now - self._saved_at >= self._pause_s:
            self._save(self._checkpoint, play)
            self._saved_at = self._clock()
            self._pause_s = max(self._checkpoint_s, (self._saved_at - now) / CHECKPOINT_SHARE_MAX)

    def _told(self, play: Play, now: float) -> str:
        share = "" if play.share is None else f"{100 * play.share:.0f} % of its time, "
        rate = (play.ledger.events - self._events) / max(1e-9, now - self._began_at)
        return f"{self._name}: {share}{play.ledger.events:,} exchanges, {rate:,.0f} a second"

    def _save(self, checkpoint: Checkpoint, play: Play) -> None:
        """A run without one goes on all the same."""
        play.seconds = self.seconds
        try:
            checkpoint.save(play)
        except OSError as error:
            self.say(f"{self._name}: no checkpoint ({error.strerror}); an interruption from here on costs the whole run")
