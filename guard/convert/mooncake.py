"""Mooncake's conversation trace: arrivals, lengths, and the prompt's blocks by hash."""

import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from guard.convert.source import read_lines
from guard.convert.table import Column, Kind, Plan, Problems, Row

BLOCK_TOKENS: Final = 512
"""Size of a hashed block (the trace's own documentation)."""
BLOCKS_MAX: Final = 1_000_000
"""Blocks remembered as seen; beyond it the memory begins anew, as a cache would."""


class _Line(Struct):
    timestamp: int
    input_length: int
    output_length: int
    hash_ids: list[int]


class MooncakeRow(Row):
    """One request."""

    account: str
    input_tokens: int
    output_tokens: int
    cached_tokens: int
    second_block: int | None


_decode: Final = msgspec.json.Decoder(_Line).decode


def _read(paths: Sequence[Path], plan: Plan, problems: Problems) -> Iterator[MooncakeRow]:
    dice = random.Random(plan.seed)
    for path in paths:
        seen: set[int] = set()
        for line, text in read_lines(path):
            try:
                found = _decode(text)
            except (ValueError, RecursionError):
                problems.add(path, line, "it should be an object with timestamp, input_length, output_length and hash_ids")
                continue
            account = path.name if plan.clients is None else f"client {dice.randrange(plan.clients)}"
            cached = min(_leading(found.hash_ids, seen) * BLOCK_TOKENS, found.input_length)
            second = found.hash_ids[1] if len(found.hash_ids) > 1 else None
            yield MooncakeRow(found.timestamp, path, line, account, found.input_length, found.output_length, cached, second)


def _leading(blocks: list[int], seen: set[int]) -> int:
    """How many blocks at the beginning were seen before; then remember them all."""
    known = next((place for place, block in enumerate(blocks) if block not in seen), len(blocks))
    if len(seen) > BLOCKS_MAX:
        seen.clear()
    seen.update(blocks)
    return known


MOONCAKE: Final = Kind[MooncakeRow](
    name="mooncake",
    about="conversation_trace.jsonl (Mooncake, Apache-2.0)",
    notes=(
        "The trace knows no accounts: each file is one account; --clients N deals its exchanges out to N accounts at random.",
        "Its times lie on a grid of 3 seconds and tell when an exchange began: do not judge the gaps.",
        "The first block is the same everywhere (the provider's own prefix), so the second one stands for the prefix.",
    ),
    table=(
        Column("event_time", "timestamp", lambda row: row.at_ms),
        Column("account_id", "the file's name, or one of --clients", lambda row: row.account, keyed="account"),
        Column("model", "constant mooncake", lambda _: "mooncake"),
        Column("operation", "constant chat", lambda _: "chat"),
        Column("input_tokens", "input_length", lambda row: row.input_tokens),
        Column("output_tokens", "output_length", lambda row: row.output_tokens),
        Column("cached_tokens", "512 x leading hash_ids seen before, at most input_length", lambda row: row.cached_tokens),
        Column("prefix", "hash_ids[1]", lambda row: None if row.second_block is None else str(row.second_block), keyed="prefix"),
    ),
    read=_read,
)
