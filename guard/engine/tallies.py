"""Counts that a stage keeps for the metrics: a closed list of names, drained with the outcome."""

from typing import Final

TALLIES: Final = (
    "events.judged",
    "events.duplicate",
    "events.dead_letter",
    "events.misrouted",
    "events.future",
    "events.late",
    "events.refused",
    "models.learned",
    "links.contacts",
    "links.suspicions",
    "campaigns.tips",
    "state.subjects.accounts",
    "state.subjects.links",
    "state.subjects.campaigns",
)
"""What is remembered (`state.`) is the size now, all else counts since the last drain. Every name but `invalid.<field>`, which is closed by the event's own fields."""

SIZES: Final = frozenset(name for name in TALLIES if name.startswith("state."))
"""The names under which sizes are kept, not counts."""


class Tallies:
    """Counts by name since the last drain."""

    __slots__ = ("_counts",)

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}

    def add(self, name: str, amount: int = 1) -> None:
        """Count `amount` more under `name`; nothing for none."""
        if amount:
            self._counts[name] = self._counts.get(name, 0) + amount

    def drain(self) -> dict[str, int]:
        """The counts since the last drain."""
        counts, self._counts = self._counts, {}
        return counts
