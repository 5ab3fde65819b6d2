"""Conversations and reasoning signatures that go from one account to a stranger's: evidence that holds by construction.

The owner of a conversation is the account whose reply closed it (`conversation_after`). Another account that continues it,
on another card and in another organisation, is a crossing. One crossing is no proof: people change keys and devices.
"""

from typing import Final

from guard.engine.forwards import Crossing, Turn
from guard.engine.link_store import LinkStore

NOBODY: Final = "|"


def crossing(store: LinkStore, turn: Turn) -> Crossing | None:
    """Take in a turn: remember the owner of what is new, report what a stranger continues."""
    owner = store.owner(turn.key)
    if owner is None or owner.account == turn.account:
        if turn.is_own and owner is None:
            store.remember_owner(turn)
        return None
    if share_means(owner.means, turn.means):
        return None
    return Crossing(turn.kind, owner.account, turn.account, turn.at)


def share_means(one: str, other: str) -> bool:
    """The same card or the same organisation pays for both, or nobody can tell. Both are known by `card|organisation`.

    Where no exchange shows who pays, two accounts are strangers; where only one of the two does, a field was missing.
    """
    if (one == NOBODY) != (other == NOBODY):
        return True
    one_card, _, one_org = one.partition("|")
    other_card, _, other_org = other.partition("|")
    return bool(one_card and one_card == other_card) or bool(one_org and one_org == other_org)
