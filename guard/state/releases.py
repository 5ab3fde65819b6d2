"""Which models are new: a model's first sight in the crowd is its release, unless the policy's calendar says otherwise."""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from guard.units import DAY_MS

MODELS_MAX: Final = 256
"""Models remembered per shard; beyond it one that a single account uses is forgotten, or else the next is not remembered unless announced."""
HEARD_MIN: Final = 1_000
"""Contacts before a model that was not seen yet is a new one: whatever makes a hundredth of the traffic was seen by then, but for once in
20,000 times (0.99 ** 1,000)."""
RELEASE_MS: Final = DAY_MS
"""Disclosed fleets had moved half of their traffic within a day of a release."""
_SEVERAL: Final = ""
"""In place of the one account that uses a model."""


class Releases(Struct, array_like=True):
    """The models that a shard has seen, and the wave of releases that began last: all new models within a day of the first."""

    models: dict[str, tuple[int, str]] = {}
    """Model -> its first sight (0 for what was there from the beginning), and the one account that uses it (empty for several)."""
    wave_at: int = 0
    wave: list[str] = []

    def is_on(self, at: int) -> bool:
        """Some release is not older than a day at `at`."""
        return _is_within(self.wave_at, at)

    def hear(self, model: str, account: str, at: int, heard: int, calendar: Mapping[str, int]) -> bool:
        """Take in that an account asks for a model, after `heard` contacts; True when something is to be remembered of that.

        A model of one account only is private, and no release; nor is one that took longer than a day to find a second account. The calendar's
        time stands for the first sight.
        """
        known = self.models.get(model)
        if known is None:
            return self._meet(model, account, at, heard, is_announced=model in calendar)
        first_at, only = known
        if model in calendar:
            first_at = calendar[model]
            is_followed = model in self.wave and self.is_on(first_at)
            if is_followed or not _is_within(first_at, at):
                return False
        elif only in {_SEVERAL, account}:
            return False
        self.models[model] = (first_at, _SEVERAL)
        if first_at >= self.wave_at and _is_within(first_at, at):
            self._begin(model, first_at)
        return True

    def _meet(self, model: str, account: str, at: int, heard: int, *, is_announced: bool) -> bool:
        if len(self.models) >= MODELS_MAX:
            private = next((name for name, (_, only) in self.models.items() if only), None)
            if private is None and not is_announced:
                return False
            del self.models[private or next(iter(self.models))]
        self.models[model] = (at, account) if heard > HEARD_MIN else (0, _SEVERAL)
        return True

    def _begin(self, model: str, first_at: int) -> None:
        if not self.wave_at or not self.is_on(first_at):
            self.wave_at, self.wave = first_at, []
        self.wave.append(model)


def _is_within(first_at: int, at: int) -> bool:
    """Whether `at` is in the day that began at `first_at`."""
    return 0 <= at - first_at <= RELEASE_MS
