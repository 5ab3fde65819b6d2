"""WEKA's Claude Code sessions: coding agents turn by turn, with what each turn shared with the one before."""

import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from guard.convert.source import read_lines
from guard.convert.table import Column, Kind, Plan, Problems, Row
from guard.units import DAY_MS, SECOND_MS

BLOCK_TOKENS: Final = 64
"""Size of the blocks that `nb` and `rp` count (the trace's own documentation)."""
SESSIONS_MAX: Final = 1_000_000
"""Sessions whose origin is remembered; a file with more is not this trace."""


_Seconds = Annotated[float, Meta(ge=0, le=1e9)]
_Blocks = Annotated[int, Meta(ge=0, le=10**9)]


class _Session(Struct):
    session: str
    tool_tokens: int
    system_tokens: int
    dup_of: str | None = None


class _Request(Struct):
    s: str
    d: int
    t: _Seconds
    m: str
    i: int
    o: int
    nb: _Blocks
    rp: _Blocks
    api: _Seconds | None = None
    st: str | None = None


class WekaRow(Row):
    """One request of a coding agent."""

    account: str
    model: str
    input_tokens: int
    output_tokens: int
    cached_tokens: int
    latency_ms: int | None
    stop_reason: str | None
    prefix: str | None
    before: str | None
    after: str


_decode_session: Final = msgspec.json.Decoder(_Session).decode
_decode_request: Final = msgspec.json.Decoder(_Request).decode


class _Reader:
    """Reads a file of sessions, each followed by its requests; remembers one session at a time."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._origins: dict[str, str] = {}
        self._session = _Session("", 0, 0)
        self._starts_at = 0
        self._turns: dict[str, tuple[int, int]] = {}
        """Stream -> number and blocks of its last turn."""

    def open_session(self, session: _Session) -> None:
        """The following requests belong to this session, which begins at a seeded moment of the plan's days."""
        origin = self._origins.get(session.dup_of or "", session.dup_of or session.session)
        if len(self._origins) < SESSIONS_MAX:
            self._origins[session.session] = origin
        self._session = session
        self._turns = {}
        dice = random.Random(f"{self._plan.seed} {session.session}")
        self._starts_at = int(dice.random() * self._plan.days * DAY_MS)

    def row(self, request: _Request, path: Path, line: int) -> WekaRow:
        """The request as a row. A turn continues the last one of its stream if it still holds all full blocks of that."""
        name = self._session.session
        number, blocks = self._turns.get(request.s, (0, 0))
        continues = number > 0 and request.rp >= blocks - 1
        self._turns[request.s] = (number + 1, request.nb)
        return WekaRow(
            at_ms=self._starts_at + int((request.t + (request.api or 0.0)) * SECOND_MS),
            path=path,
            line=line,
            account=self._origins.get(name, name),
            model=request.m,
            input_tokens=request.i,
            output_tokens=request.o,
            cached_tokens=min(request.rp * BLOCK_TOKENS, request.i),
            latency_ms=None if request.api is None else int(request.api * SECOND_MS),
            stop_reason=request.st or None,
            prefix=f"{self._session.tool_tokens}+{self._session.system_tokens}" if request.d == 0 else None,
            before=f"{request.s} {number}" if continues else None,
            after=f"{request.s} {number + 1}",
        )

    def belongs(self, request: _Request) -> bool:
        """The request names the session that stands above it."""
        return request.s.partition("/")[0] == self._session.session


def _read(paths: Sequence[Path], plan: Plan, problems: Problems) -> Iterator[WekaRow]:
    for path in paths:
        reader = _Reader(plan)
        for line, text in read_lines(path):
            try:
                if b'"session"' in text:
                    reader.open_session(_decode_session(text))
                    continue
                request = _decode_request(text)
            except (ValueError, RecursionError) as error:
                problems.add(path, line, f"{error}; it should be a session (session, tool_tokens, ...) or a request (s, t, m, i, o, ...)")
                continue
            if reader.belongs(request):
                yield reader.row(request, path, line)
            else:
                problems.add(path, line, "a request of another session than the one above it")


WEKA: Final = Kind[WekaRow](
    name="weka-claude-code",
    about="cc_dev.jsonl.gz (WEKA Claude Code traces, Apache-2.0)",
    notes=(
        "Each session is one account, forks (dup_of) together with their origin; sub-agents belong to their session.",
        "The trace has no calendar: each session begins at a seeded moment within --days (default 1).",
        "A turn continues the one before in its stream if it shares all of its full blocks; else conversation is missing.",
        "Of the system prompt only its sizes are known; sub-agents have another one, which is missing.",
    ),
    table=(
        Column("event_time", "t + api (t alone where api is null), after the session's beginning", lambda row: row.at_ms),
        Column("account_id", "session, or the origin it was forked from", lambda row: row.account, keyed="account"),
        Column("model", "m", lambda row: row.model),
        Column("operation", "constant chat", lambda _: "chat"),
        Column("input_tokens", "i", lambda row: row.input_tokens),
        Column("output_tokens", "o", lambda row: row.output_tokens),
        Column("cached_tokens", "64 x rp, at most i", lambda row: row.cached_tokens),
        Column("latency_ms", "api", lambda row: row.latency_ms),
        Column("stop_reason", "st", lambda row: row.stop_reason),
        Column("prefix", "tool_tokens and system_tokens of the session", lambda row: row.prefix, keyed="prefix"),
        Column("conversation", "the stream and the number of its last turn", lambda row: row.before, keyed="conversation"),
        Column("conversation_after", "the stream and the number of this turn", lambda row: row.after, keyed="conversation"),
    ),
    read=_read,
)
