"""Options that several commands share, so that they read the same everywhere."""

from typing import Annotated

import typer

Bootstrap = Annotated[str, typer.Option(envvar="GUARD_BOOTSTRAP", metavar="HOST:PORT", help="A Kafka broker to begin with.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
