"""Nobody dominates: of a model's recent lessons at most one in a hundred comes from one account, card or organisation."""

from collections import Counter, deque
from collections.abc import Iterable
from typing import Final

import xxhash

LESSONS: Final = 1_000
"""Recent lessons that are counted."""
LESSONS_PER_TEACHER_MAX: Final = LESSONS // 100
"""One per cent. Before a thousand lessons were given the number holds all the same, so a beginning cannot be taken either."""
TEACHERS_MAX: Final = 3
"""An account, its card and its organisation."""


def teacher(kind: str, name: str) -> int:
    """The 32-bit number under which a teacher is counted; two that share one by chance share the one per cent."""
    return xxhash.xxh32_intdigest(f"{kind}:{name}".encode())


class Quota:
    """Who gave the last thousand lessons. Bounded: three numbers a lesson."""

    def __init__(self, given: Iterable[tuple[int, ...]] = ()) -> None:
        self.given: deque[tuple[int, ...]] = deque()
        self._counts: Counter[int] = Counter()
        for teachers in given:
            self.note(teachers)

    def allows(self, teachers: tuple[int, ...]) -> bool:
        """None of them has given its one per cent."""
        return all(self._counts[one] < LESSONS_PER_TEACHER_MAX for one in teachers)

    def note(self, teachers: tuple[int, ...]) -> None:
        """A lesson of theirs was learned; the oldest beyond a thousand is forgotten."""
        self.given.append(teachers[:TEACHERS_MAX])
        self._counts.update(self.given[-1])
        if len(self.given) > LESSONS:
            gone = self.given.popleft()
            self._counts.subtract(gone)
            for one in gone:
                if not self._counts[one]:
                    del self._counts[one]
