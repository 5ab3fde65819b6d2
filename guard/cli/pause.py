"""`guard pause` and `guard resume`: suspend every sanction at once, also with all workers down."""

import asyncio
from typing import Annotated

import typer

from guard.cli.durations import duration_ms
from guard.cli.options import AsJson, Bootstrap
from guard.control.pause import pause_decision, publish_everywhere, resume_decision
from guard.decisions.decision import Decision, encode_decision
from guard.wall_clock import wall_clock

Reason = Annotated[str, typer.Option(help="Why; kept in the record's header `note`.")]


def pause(
    bootstrap: Bootstrap,
    *,
    duration: Annotated[str, typer.Option("--for", metavar="DURATION", help="How long, one minute to one day: 30m, 1h.")],
    reason: Reason = "",
    as_json: AsJson = False,
) -> None:
    """Suspend every sanction: gateways let everybody through until the time is over or `guard resume`."""
    decision = pause_decision(wall_clock(), duration_ms(duration))
    _publish(bootstrap, decision, reason, f"every sanction is suspended for {duration}; `guard resume` ends it earlier", as_json=as_json)


def resume(bootstrap: Bootstrap, *, reason: Reason = "", as_json: AsJson = False) -> None:
    """End a pause: sanctions that have not expired hold again."""
    _publish(bootstrap, resume_decision(wall_clock()), reason, "sanctions hold again", as_json=as_json)


def _publish(bootstrap: str, decision: Decision, reason: str, line: str, *, as_json: bool) -> None:
    asyncio.run(publish_everywhere(bootstrap, decision, reason))
    typer.echo(encode_decision(decision) if as_json else f"{line} (decision {decision.decision_id})")
