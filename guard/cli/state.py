"""`guard state`: what the workers have committed, per stage or for one account; read from Kafka, without asking a worker."""

import asyncio
import json
from datetime import UTC, datetime
from typing import Annotated

import typer

from guard.cli.options import AsJson, Bootstrap
from guard.control.reach import reaching
from guard.control.topics_read import read_topic
from guard.engine.accounts import ACCOUNT_PREFIX
from guard.engine.summary import StageSummary, describe_account, summarize
from guard.errors import InputError, UsageError
from guard.topics import Topic

STAGES = {"accounts": Topic.ACCOUNTS_STATE, "links": Topic.LINKS_STATE, "campaigns": Topic.CAMPAIGNS_STATE}


def state(
    bootstrap: Bootstrap,
    what: Annotated[str, typer.Argument(metavar="[account", help="`account` for one account's memory.")] = "",
    account_id: Annotated[str, typer.Argument(metavar="ID]", help="Which account.")] = "",
    *,
    as_json: AsJson = False,
) -> None:
    """Show the committed state: per stage subjects, exchanges over their lifetime and newest event time; or one account."""
    if what == "account" and account_id:
        _show_account(bootstrap, account_id, as_json=as_json)
    elif not what:
        _show_stages(bootstrap, as_json=as_json)
    else:
        raise UsageError(f"state {what} {account_id}: say `guard state`, or `guard state account ID`")


def _show_stages(bootstrap: str, *, as_json: bool) -> None:
    found = {stage: summarize(topic, asyncio.run(_committed(bootstrap, topic))) for stage, topic in STAGES.items()}
    if as_json:
        typer.echo(json.dumps({stage: _as_dict(summary) for stage, summary in found.items()}))
        return
    for stage, summary in found.items():
        newest = datetime.fromtimestamp(summary.newest_at / 1_000, UTC).isoformat(timespec="seconds") if summary.newest_at else "never"
        typer.echo(f"{stage:<10} {summary.subjects:>9,} subjects {summary.exchanges:>11,} exchanges   newest event {newest}")


def _show_account(bootstrap: str, account_id: str, *, as_json: bool) -> None:
    records = asyncio.run(_committed(bootstrap, Topic.ACCOUNTS_STATE))
    packed = records.get(ACCOUNT_PREFIX + account_id.encode())
    if packed is None:
        raise InputError(f"account {account_id!a}: no committed exchange; check the id, or whether a worker runs")
    described = describe_account(account_id, packed)
    if as_json:
        typer.echo(json.dumps(described))
        return
    for name, value in described.items():
        typer.echo(f"{name:<16} {value}")


async def _committed(bootstrap: str, topic: Topic) -> dict[bytes, bytes]:
    """The newest committed value of every key of a state topic."""
    records: dict[bytes, bytes] = {}
    with reaching(bootstrap):
        for record in await read_topic(bootstrap, topic):
            if record.value is None:
                records.pop(record.key, None)
            else:
                records[record.key] = record.value
    return records


def _as_dict(summary: StageSummary) -> dict[str, int]:
    return {"subjects": summary.subjects, "exchanges": summary.exchanges, "newest_event_time": summary.newest_at}
