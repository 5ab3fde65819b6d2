"""Whoever hears every verdict, for measuring only: the engine never asks it anything and runs the same without it."""

from collections.abc import Iterable
from typing import Protocol

from guard.decisions.decision import Scope


class Onlooker(Protocol):
    """Hears of each verdict that is not clear, whether or not a decision comes of it."""

    def verdict(self, scope: Scope, subject: str, members: Iterable[str], score: float) -> None:
        """The score (0-1] of `subject`; `members` are the accounts that a decision about it would reach, none for an account."""
