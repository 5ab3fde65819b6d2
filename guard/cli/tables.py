"""`guard features` and `guard reasons`: the closed tables, for people and programs."""

import json

import typer
from rich.console import Console
from rich.table import Table

from guard.cli.options import AsJson
from guard.features.accounts import ACCOUNT_FEATURES
from guard.features.links import LINK_FEATURES
from guard.scoring.reasons import REASONS
from guard.scoring.thresholds import THRESHOLDS


def features(*, as_json: AsJson = False) -> None:
    """Print the closed tables of features: what is measured of accounts and link keys."""
    rows: list[dict[str, object]] = [
        {"subject": subject, "name": one.name, "unit": one.unit, "low": one.low, "high": one.high, "why": one.why, "source": one.source, "cost_us": one.cost_us}
        for subject, table in (("account", ACCOUNT_FEATURES), ("link", LINK_FEATURES))
        for one in table
    ]  # fmt: skip
    _print(rows, as_json=as_json)


def reasons(*, as_json: AsJson = False) -> None:
    """Print the closed list of reason codes: their family, what their value is, and where the rule comes from."""
    rows: list[dict[str, object]] = [
        {"code": code, "family": one.family.value, "value": one.value, "source": one.source} for code, one in REASONS.items()
    ]
    _print(rows, as_json=as_json)


def thresholds(*, as_json: AsJson = False) -> None:
    """Print every threshold that a policy may change: default, bounds, unit, reason."""
    _print([dict(one._asdict()) for one in THRESHOLDS.values()], as_json=as_json)


def _print(rows: list[dict[str, object]], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(rows))
        return
    table = Table(box=None, pad_edge=False)
    for name in rows[0]:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*(f"{value:g}" if isinstance(value, float) else str(value) for value in row.values()))
    Console(soft_wrap=False).print(table)
