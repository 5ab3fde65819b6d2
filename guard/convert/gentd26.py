"""GenTD26's user requests for image generation: who asked when, and nothing else. For evaluation only: no licence is stated."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from guard.convert.source import read_csv, utc_ms
from guard.convert.table import Column, Kind, Plan, Problems, Row


class GenTdRow(Row):
    """One request's user."""

    account: str


def _read(paths: Sequence[Path], plan: Plan, problems: Problems) -> Iterator[GenTdRow]:
    del plan  # the trace has its own users and days
    for path in paths:
        for line, (at, user) in read_csv(path, ("gmt_create", "groupId"), problems):
            try:
                at_ms = utc_ms(at)
            except ValueError:
                problems.add(path, line, "gmt_create; it should be a time like 2024-11-15 16:57:50")
                continue
            if user:
                yield GenTdRow(at_ms, path, line, user)
            else:
                problems.add(path, line, "groupId; it should not be empty")


GENTD26: Final = Kind[GenTdRow](
    name="gentd26",
    about="lora_request_trace.csv (GenTD26, no licence stated: EVALUATION ONLY, never defaults, fixtures or fitted baselines)",
    notes=(
        "Only counts and arrivals of users mean anything: these are image requests, so tokens are 0 and the model is a constant.",
        "gmt_create is when the request came in.",
    ),
    table=(
        Column("event_time", "gmt_create", lambda row: row.at_ms),
        Column("account_id", "groupId", lambda row: row.account, keyed="account"),
        Column("model", "constant gentd26", lambda _: "gentd26"),
        Column("input_tokens", "constant 0", lambda _: 0),
        Column("output_tokens", "constant 0", lambda _: 0),
    ),
    read=_read,
    is_evaluation_only=True,
)
