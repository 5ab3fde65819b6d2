"""Options that several commands share, so that they read the same everywhere."""

import re
from pathlib import Path
from typing import Annotated

import typer

_ADDRESSES = re.compile(r"[^\s,:]+:\d{1,5}(?:,[^\s,:]+:\d{1,5})*|\[[0-9a-fA-F:]+\]:\d{1,5}", re.ASCII)


def _addresses(text: str) -> str:
    if not _ADDRESSES.fullmatch(text):
        raise typer.BadParameter(f"{text[:60]!a}; it should be HOST:PORT, or several with commas between them")
    return text


Bootstrap = Annotated[
    str, typer.Option(envvar="GUARD_BOOTSTRAP", metavar="HOST:PORT", help="A Kafka broker to begin with.", callback=_addresses)
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
Baseline = Annotated[
    Path | None,
    typer.Option(envvar="GUARD_BASELINE", metavar="FILE", help="What `guard fit` wrote: shards without models of their own begin with it."),
]
