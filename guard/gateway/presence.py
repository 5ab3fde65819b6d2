"""How many enforcers share each account's rate: everyone says now and then that it is there, on a topic of their own."""

from typing import Final

BEAT_SECONDS: Final = 5.0
GONE_MS: Final = 15_000
"""Without a word for so long, three beats, an enforcer counts as gone."""
ENFORCERS_MAX: Final = 10_000
"""Further ones are not counted: the topic would be flooded."""


class Presence:
    """Enforcers by their last word. All times are the broker's, so that no clock of an enforcer matters."""

    def __init__(self) -> None:
        self._heard: dict[str, int] = {}
        self._newest = 0

    def hear(self, enforcer: str, at: int, *, is_leaving: bool) -> None:
        """One enforcer's word, appended at `at`, milliseconds."""
        silence = at - self._newest
        if silence > GONE_MS:  # nobody was heard: the broker was away, and not they
            self._heard = {name: last + silence for name, last in self._heard.items()}
        self._newest = max(self._newest, at)
        if is_leaving:
            self._heard.pop(enforcer, None)
        elif enforcer in self._heard or len(self._heard) < ENFORCERS_MAX:
            self._heard[enforcer] = at
        for gone in [name for name, last in self._heard.items() if last < self._newest - GONE_MS]:
            del self._heard[gone]

    @property
    def count(self) -> int:
        """Enforcers that are there, at least one: whoever asks is."""
        return max(1, len(self._heard))
