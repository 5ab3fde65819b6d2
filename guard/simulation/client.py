"""One caller: who it is to the gateway, what it asks, when it asks again, and how it takes a refusal."""

import random
from collections.abc import Callable
from typing import Any, Final

from msgspec import Struct

from guard.units import MINUTE_MS, SECOND_MS

RETRIES_MAX: Final = 2
"""The big SDKs retry a 429 twice by default, and never a 403 that says so."""


class Truth(Struct, frozen=True, omit_defaults=True):
    """What is true of an account: its kind, the family of attack or hard negative it plays, its campaign."""

    account_id: str
    kind: str
    honest: bool
    family: str = ""
    campaign: str = ""


class Client(Struct):
    """One account as it calls. `identity` are the fields that every one of its events carries."""

    truth: Truth
    identity: dict[str, Any]
    ask: Callable[[random.Random], dict[str, Any]]
    wait_ms: Callable[[random.Random], float]
    """Time to the next exchange after one that was answered."""
    networks: tuple[str, ...] = ()
    pool: "Pool | None" = None
    retries: int = 0
    is_retired: bool = False

    @property
    def account(self) -> str:
        """Its account id."""
        return self.truth.account_id

    def after_answer(self, dice: random.Random) -> float:
        """Milliseconds until it calls again after an answer."""
        self.retries = 0
        return self.wait_ms(dice)

    def after_throttle(self, dice: random.Random) -> float:
        """Milliseconds until it calls again after a 429: honest SDKs retry twice, then go on with their work."""
        if self.pool is not None:
            self.pool.hand_over(self, dice)
            return dice.uniform(1.0, 3.0) * MINUTE_MS
        self.retries += 1
        if self.retries <= RETRIES_MAX:
            return dice.uniform(5.0, 15.0) * SECOND_MS
        self.retries = 0
        return self.wait_ms(dice) + dice.uniform(0.5, 2.0) * MINUTE_MS

    def after_block(self, dice: random.Random) -> float | None:
        """Milliseconds until it calls again after a 403; None when it gives up. A fleet replaces the account."""
        if self.pool is not None:
            self.is_retired = True
            self.pool.replace()
            return None
        return dice.uniform(5.0, 20.0) * MINUTE_MS


class Pool(Struct):
    """What a fleet's members have in common: siblings to hand over to, and accounts in reserve."""

    members: list[Client] = []
    reserve: list[Client] = []
    called: list[Client] = []
    """Siblings that are to call at once, and reserves that begin; the world takes them from here."""

    def hand_over(self, refused: Client, dice: random.Random) -> None:
        """A refused request goes to a sibling within seconds (CLIProxyAPI and its like)."""
        siblings = [member for member in self.members if member is not refused and not member.is_retired]
        if siblings:
            self.called.append(dice.choice(siblings))

    def replace(self) -> None:
        """A blocked account is replaced from the reserve, as long as there is one."""
        if self.reserve:
            fresh = self.reserve.pop(0)
            self.members.append(fresh)
            self.called.append(fresh)
