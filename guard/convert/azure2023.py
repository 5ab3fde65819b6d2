"""Azure LLM inference traces of 2023: arrivals and lengths of two services over one hour."""

import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from guard.convert.source import read_csv, utc_ms
from guard.convert.table import Column, Kind, Plan, Problems, Row

_COLUMNS: Final = ("TIMESTAMP", "ContextTokens", "GeneratedTokens")


class AzureRow(Row):
    """One invocation."""

    account: str
    input_tokens: int
    output_tokens: int


def _read(paths: Sequence[Path], plan: Plan, problems: Problems) -> Iterator[AzureRow]:
    dice = random.Random(plan.seed)
    for path in paths:
        for line, (at, context, generated) in read_csv(path, _COLUMNS, problems):
            account = path.name if plan.clients is None else f"client {dice.randrange(plan.clients)}"
            try:
                yield AzureRow(utc_ms(at), path, line, account, int(context), int(generated))
            except ValueError:
                problems.add(path, line, "it should be a time like 2023-11-16 18:17:03.97 and two whole numbers")


AZURE2023: Final = Kind[AzureRow](
    name="azure2023",
    about="AzureLLMInferenceTrace_conv.csv, _code.csv (Microsoft, AzurePublicDataset, CC BY 4.0)",
    notes=(
        "The trace knows no accounts: each file is one account; --clients N deals its exchanges out to N accounts at random.",
        "TIMESTAMP is when the exchange began; how long it took is not known.",
    ),
    table=(
        Column("event_time", "TIMESTAMP", lambda row: row.at_ms),
        Column("account_id", "the file's name, or one of --clients", lambda row: row.account, keyed="account"),
        Column("model", "constant azure2023", lambda _: "azure2023"),
        Column("input_tokens", "ContextTokens", lambda row: row.input_tokens),
        Column("output_tokens", "GeneratedTokens", lambda row: row.output_tokens),
    ),
    read=_read,
)
