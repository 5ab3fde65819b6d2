"""`guard topics`: make the contract's topics on a cluster, and compare them with what they should be."""

import asyncio
import json
from typing import Annotated

import typer

from guard.cli.options import AsJson, Bootstrap
from guard.errors import ClusterMismatchError
from guard.streaming.admin import check_topics, create_topics
from guard.topics import PARTITIONS_DEFAULT, TOPICS

PARTITIONS_MAX = 1_000
"""Far beyond need: one shard judges tens of thousands of events a second."""

topics_app = typer.Typer(no_args_is_help=True, help="Make the topics, or check them.")
Partitions = Annotated[int, typer.Option(min=1, max=PARTITIONS_MAX, help="N, the partitions of guard.requests; fixed from then on.")]
MaybePartitions = Annotated[int | None, typer.Option(min=1, max=PARTITIONS_MAX, help="Expect this N; else what guard.requests has.")]


@topics_app.command()
def create(bootstrap: Bootstrap, partitions: Partitions = PARTITIONS_DEFAULT) -> None:
    """Make the topics that are missing. Those there stay as they are; one that is not as it should be is an error (5)."""
    made = asyncio.run(create_topics(bootstrap, partitions))
    for name in made:
        typer.echo(f"made {name}")
    typer.echo(f"{len(made)} topics made, {len(TOPICS) - len(made)} were there")
    if lines := asyncio.run(check_topics(bootstrap, partitions)):
        raise ClusterMismatchError("\n".join(lines))


@topics_app.command()
def check(bootstrap: Bootstrap, partitions: MaybePartitions = None, *, as_json: AsJson = False) -> None:
    """Name each difference from the contract in one line; the exit code is 5 when there is one."""
    lines = asyncio.run(check_topics(bootstrap, partitions))
    if as_json:
        typer.echo(json.dumps({"topics": len(TOPICS), "mismatches": lines}))
    elif not lines:
        typer.echo(f"{len(TOPICS)} topics, all as they should be")
    else:
        typer.echo("\n".join(lines))
    if lines:
        raise ClusterMismatchError(f"{len(lines)} differences; `guard topics create` makes missing topics, the rest is yours to alter")
