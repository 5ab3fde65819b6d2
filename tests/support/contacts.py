"""Contacts between accounts and keys: made by hand, and as an accounts stage tells of them."""

from collections.abc import Iterable

from guard.engine.accounts import AccountsStage
from guard.engine.forwards import Contact, decode_told
from guard.engine.links import LinksStage
from guard.engine.stage import Message
from guard.topics import Topic


def contact(kind: int, key: int, value: str, account: str, at: int, told: int = 0, uses: int = 1) -> Contact:
    """An account without age, card or organisation, of which `told` uses were told before, used the key `uses` times within an hour of its own."""
    square = (told + uses) ** 2 - told**2
    return Contact(
        kind, key, value, account, at, uses, square, 1, uses * (uses - 1), 1, not told, 0, 0, 1.0, "", "", 0, 0.0, 0.0, 0.0, 0.0, 0.0
    )


def contacts_in(messages: Iterable[Message]) -> list[Contact]:
    """Those told of in these messages, in their order."""
    return [
        contact
        for message in messages
        if message.topic is Topic.LINKS and message.value is not None
        for contact in decode_told(message.value).contacts
    ]


def tell(accounts: AccountsStage, links: LinksStage) -> None:
    """Hand what the accounts stage has to tell of contacts to the links stage."""
    for one in contacts_in(accounts.drain().messages):
        links.take(one)
