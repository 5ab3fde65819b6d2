"""Hash keys on the command line: NAME:HEX, better from the environment, where `ps` does not show them."""

from typing import Annotated

import typer

from guard.errors import UsageError
from guard.events.hashing import HashKey

HashKeyText = Annotated[
    str,
    typer.Option(
        "--hash-key", envvar="GUARD_HASH_KEY", metavar="NAME:HEX", help="The gateways' key for identifiers and texts.", show_default=False
    ),
]
PreviousKeyText = Annotated[
    str,
    typer.Option(
        "--hash-key-previous", envvar="GUARD_HASH_KEY_PREVIOUS", metavar="NAME:HEX", help="While keys are changed.", show_default=False
    ),
]


def hash_key(text: str, name: str = "GUARD_HASH_KEY") -> HashKey | None:
    """The key, or None for an empty text. Raises UsageError, which repeats nothing of it."""
    if not text:
        return None
    key_id, _, digits = text.partition(":")
    try:
        secret = bytes.fromhex(digits)
    except ValueError:
        raise UsageError(f"{name}: it should be NAME:HEX, the key's name and two hexadecimal digits a byte") from None
    return HashKey(key_id, secret)
