"""How a builder makes one more caller: identity, missing fields and truth in one place, the same for both sides."""

from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from guard.simulation.client import SDK, Client, Reaction, Speech, Truth
from guard.simulation.market import Market, Network
from guard.simulation.rhythm import Wait

Entry = tuple[int, Client]
"""When a client calls first (epoch milliseconds; -1: not before it is called for), and the client."""
Entries = Iterator[Entry]


class Size(Struct, frozen=True):
    """How large a family is in a world: its accounts, and for fleets the exchanges of one account a day."""

    accounts: int
    per_day: float = 0.0


class Role(Struct, frozen=True):
    """What a family's members have in common to the scorer."""

    kind: str
    family: str = ""
    campaign: str = ""
    begins_at: int = 0
    """When the campaign begins, epoch milliseconds."""


def caller(  # noqa: PLR0913
    market: Market,
    role: Role,
    identity: dict[str, Any],
    speech: Speech,
    wait: Wait,
    networks: tuple[Network, ...],
    *,
    reaction: Reaction = SDK,
    is_serial: bool = True,
) -> Client:
    """One client; what its gateway does not fill is drawn as for everybody."""
    truth = Truth(market.account_id(), role.kind, not role.campaign, role.family, role.campaign, role.begins_at)
    return Client(truth, identity, speech, wait, networks, reaction, market.missing(), is_serial)
