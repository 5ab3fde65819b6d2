"""How long to wait between two attempts to reach Kafka, so that a fleet that lost it in one moment does not come back in step."""

from random import Random


class Backoff:
    """Full jitter over a least wait: a random part of a span that doubles with each attempt, up to the longest. Seconds."""

    def __init__(self, seconds_min: float, seconds_max: float, dice: Random) -> None:
        self._seconds_min = seconds_min
        self._seconds_max = seconds_max
        self._dice = dice
        self._span = seconds_min

    def next_seconds(self) -> float:
        """The wait before the next attempt."""
        wait = self._seconds_min + self._dice.uniform(0, self._span)
        self._span = min(2 * self._span, self._seconds_max)
        return wait

    def reset(self) -> None:
        """An attempt held: begin again with the least."""
        self._span = self._seconds_min
