"""Conversations and reasoning signatures that go from one account to a stranger's: evidence that holds by construction.

The owner of a conversation is the account whose reply closed it (`conversation_after`). Another account that continues it,
on another card and in another organisation, is a crossing. One crossing is no proof: people change keys and devices.
"""

from guard.engine.forwards import Contact, Crossing
from guard.engine.link_store import LinkStore
from guard.state.link import KINDS


def crossing(store: LinkStore, contact: Contact) -> Crossing | None:
    """Take in a continuity contact: remember the owner of what is new, report what a stranger continues."""
    kind = KINDS[contact.kind]
    owner = store.first(kind, contact.value)
    if owner is None or owner.account == contact.account:
        if contact.is_first and owner is None:
            store.remember_first(contact, contact.value)
        return None
    if _share_means(owner.principal, contact.principal):
        return None
    return Crossing(int(kind), owner.account, contact.account, contact.at)


def _share_means(one: str, other: str) -> bool:
    """The same card or the same organisation pays for both. Both are known by `card|organisation`."""
    one_card, _, one_org = one.partition("|")
    other_card, _, other_org = other.partition("|")
    return bool(one_card and one_card == other_card) or bool(one_org and one_org == other_org)
