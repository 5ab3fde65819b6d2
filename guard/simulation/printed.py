"""What the simulator prints: the table of families, the leaks of a world, the score of decisions."""

import msgspec
import typer

from guard.simulation.families import FAMILIES
from guard.simulation.leakage import Leak
from guard.simulation.score import Report

LEAKS_SHOWN = 25
"""The worst ones; JSON has all."""


def print_families(*, as_json: bool) -> None:
    """One line for each family: what it plays and who describes it."""
    if as_json:
        typer.echo(msgspec.json.encode({name: {"what": one.what, "source": one.source} for name, one in FAMILIES.items()}).decode())
        return
    for name, one in FAMILIES.items():
        typer.echo(f"{name:8}{one.what} ({one.source})")


def print_leaks(leaks: list[Leak], *, as_json: bool) -> None:
    """The leaks, the worst first."""
    if as_json:
        typer.echo(msgspec.json.encode(leaks).decode())
        return
    typer.echo("What one fact gives away; recalls at 0.1 % of the honest accounts, A1 excepted.")
    typer.echo(f"{'fact':40}{'AUC':>7}{'recall':>9}  worst family")
    shared = [leak for leak in leaks[LEAKS_SHOWN:] if leak.name.startswith("widest")]
    for leak in (*leaks[:LEAKS_SHOWN], *shared):
        typer.echo(f"{leak.name:40}{leak.auc:7.3f}{leak.recall:9.3f}  {leak.worst_family or '-'} {leak.worst_recall:.3f}")


def print_report(report: Report, *, as_json: bool) -> None:
    """Campaigns found and leaks, honest accounts touched."""
    if as_json:
        typer.echo(msgspec.json.encode(report).decode())
        return
    typer.echo(f"{report.events:,} events, {report.honest_accounts:,} honest accounts, of them sanctioned {report.honest_sanctioned_total}")
    for kind, accounts in sorted(report.honest_sanctioned.items()):
        typer.echo(f"  {kind}: {len(accounts)} sanctioned, {len(report.honest_blocked.get(kind, []))} blocked")
    for one in report.campaigns:
        leaks = f"{one.leaked_before_throttle} before the first throttle, {one.leaked_before_block} before a block"
        found = "found" if one.is_found else "not found"
        typer.echo(f"  {one.family} {one.name}: {found}, {one.caught} of {one.accounts} accounts, leaked {leaks}")
