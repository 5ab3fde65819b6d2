"""Hash keys on the command line: NAME:HEX, better from the environment, where `ps` does not show them."""

from typing import Annotated

import typer

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
