"""Two streams of callers as one, in the order of time; all that it remembers is in attributes, so that a world can be laid aside and copied."""

from collections.abc import Iterable

from guard.simulation.cast import Entry


class Merged:
    """The earlier of both is next; the first one's where both call at once."""

    def __init__(self, first: Iterable[Entry], second: Iterable[Entry]) -> None:
        self._sides = iter(first), iter(second)
        self._waiting = [next(side, None) for side in self._sides]

    def __iter__(self) -> "Merged":
        return self

    def __next__(self) -> Entry:
        """The next caller of either."""
        first, second = self._waiting
        place = int(first is None or (second is not None and second[0] < first[0]))
        found, self._waiting[place] = self._waiting[place], next(self._sides[place], None)
        if found is None:
            raise StopIteration
        return found
