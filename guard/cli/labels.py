"""`guard label`: what analysts, appeals and billing know about a subject, put on its topic or taken off."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from guard.cli.options import Bootstrap
from guard.control.labels_push import label_records, push_records
from guard.decisions.decision import Scope
from guard.errors import UsageError

label_app = typer.Typer(no_args_is_help=True, help="Put labels on their topic, or take them off.")


@label_app.command()
def push(file: Annotated[Path, typer.Argument(metavar="FILE", help="Labels, one JSON object a line.")], bootstrap: Bootstrap) -> None:
    """Check a file of labels and put all of them on the topic, or none."""
    records = label_records(file)
    asyncio.run(push_records(bootstrap, records))
    typer.echo(f"{len(records)} labels lie on guard.labels")


@label_app.command()
def withdraw(
    scope: Annotated[Scope, typer.Argument(help="Kind of subject.")],
    subject: Annotated[str, typer.Argument(help="The identifier in that scope.")],
    bootstrap: Bootstrap,
) -> None:
    """Take the label of one subject off."""
    if scope is Scope.ALL:
        raise UsageError("scope 'all'; a label speaks about one account, payment_fingerprint, organisation or campaign")
    asyncio.run(push_records(bootstrap, [(f"{scope.value}:{subject}".encode(), None)]))
    typer.echo(f"the label of {scope.value} {subject!a} is off")
