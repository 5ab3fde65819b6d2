"""The summary: what a newcomer should know after the demonstration."""

from typing import Any

from rich.console import Console
from rich.table import Table

from guard.simulation.score import CampaignScore, Report


def print_summary(console: Console, report: Report, campaigns: list[dict[str, Any]], seconds: float, *, names: dict[str, str]) -> None:
    """Campaigns, leaks, honest accounts touched, speed. `names` maps a true campaign to the name that the guard gave it."""
    console.print()
    console.print(f"{report.events:,} exchanges in {seconds:.0f} s, {report.events / seconds:,.0f} a second.", highlight=False)
    found = sum(one.is_found for one in report.campaigns)
    console.print(
        f"Campaigns: {found} of {len(report.campaigns)} found (one decision names at least four fifths of the accounts).", highlight=False
    )
    table = Table(box=None, pad_edge=False)
    for heading in ("campaign", "found as", "accounts", "caught", "leaked before the first throttle", "before a block"):
        table.add_column(heading, justify="left" if heading in {"campaign", "found as"} else "right")
    for one in report.campaigns:
        table.add_row(*_row(one, names))
    console.print(table)
    console.print(_honest(report), highlight=False)
    live = [one for one in campaigns if one["state"] == "active"]
    console.print(
        f"The guard itself names {len(live)} live campaigns on guard.campaigns, of {len(campaigns)} it ever opened.", highlight=False
    )


def _row(one: CampaignScore, names: dict[str, str]) -> tuple[str, ...]:
    leaked = ["-" if count is None else f"{count:,}" for count in (one.leaked_before_throttle, one.leaked_before_block)]
    return (f"{one.name} ({one.family})", names.get(one.name, "-"), f"{one.accounts:,}", f"{one.caught:,}", *leaked)


def _honest(report: Report) -> str:
    kinds = ", ".join(f"{len(accounts)} {kind}" for kind, accounts in sorted(report.honest_sanctioned.items()))
    blocked = sum(map(len, report.honest_blocked.values()))
    touched = f"{report.honest_sanctioned_total} ({kinds})" if kinds else "none"
    return f"Honest accounts: {report.honest_accounts:,} called; sanctioned: {touched}; blocked: {blocked}; their requests refused: {report.refused_honest:,}."
