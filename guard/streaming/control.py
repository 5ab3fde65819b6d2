"""What the worker needs of whoever follows the control topics."""

import asyncio
from collections.abc import Callable
from typing import Protocol

from guard.engine.control import Control


class ControlSource(Protocol):
    """Policy, labels and campaigns as one value that changes. `guard.control.follower.ControlFollower` is one."""

    control: Control
    """The value in force."""

    def subscribe(self, callback: Callable[[Control], None]) -> None:
        """Call back with each new value, in the event loop."""

    async def start(self) -> None:
        """Know the value in force, and follow it from then on. Raises GuardError when that cannot be."""

    async def stop(self) -> None:
        """Stop following."""

    @property
    def following(self) -> "asyncio.Task[None] | None":
        """The task that follows; it ends by itself only through a fault. None when there is none."""
