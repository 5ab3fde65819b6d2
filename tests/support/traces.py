"""Small sources of every format that `guard convert` reads, written by hand; and the shared traces, where they are."""

import gzip
import json
from pathlib import Path

import pytest

from tests.support.shared import TRACES

AZURE = "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:17:03.9799600,4808,10\n2023-11-16 18:17:04.0319600,3180,8\n"
MOONCAKE = [
    {"timestamp": 0, "input_length": 1_100, "output_length": 50, "hash_ids": [0, 1, 2]},
    {"timestamp": 3_000, "input_length": 1_200, "output_length": 60, "hash_ids": [0, 1, 9]},
]
GENTD26 = "gmt_create,predict_type,groupId\n2024-11-15 16:57:50,TXT_2_IMG,G0000\n2024-11-15 18:16:14,TXT_2_IMG,G0001\n"


def _turn(stream: str, at: float, blocks: int, shared: int, api: float | None = 2.0) -> dict[str, object]:
    return {
        "s": stream, "d": int("/" in stream), "t": at, "m": "claude-x", "i": blocks * 64 + 3, "o": 40, "nb": blocks, "rp": shared,
        "it": ["text"], "ot": ["text"], "st": "tool_use", "api": api, "th": 0.0, "ty": "n",
    }  # fmt: skip


def _session(name: str, origin: str | None = None) -> dict[str, object]:
    return {"session": name, "models": ["claude-x"], "tool_tokens": 12_448, "system_tokens": 2_882, "n": 3, "dup_of": origin}


WEKA = [
    _session("trace_1"), _turn("trace_1", 0.0, 240, 0), _turn("trace_1", 9.0, 250, 240), _turn("trace_1", 20.0, 60, 30),
    _turn("trace_1/agent_1", 4.0, 100, 0, api=None), _session("trace_2", "trace_1"), _turn("trace_2", 0.0, 240, 0),
    _session("trace_3"), _turn("trace_3", 0.0, 240, 0),
]  # fmt: skip


def json_lines(path: Path, records: list[dict[str, object]]) -> Path:
    """The records as JSON Lines at `path`."""
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


def servegen_folder(path: Path) -> Path:
    """Two clients: a steady one with its lengths, and a bursty one that has none."""
    path.mkdir()
    (path / "chunk-0-trace.csv").write_text("0,0.5,1.0,Gamma,1.0,2.0\n600,0.2,1.0,Gamma,1.0,5.0\n1200,0,0,,0,0\n")
    (path / "chunk-1-trace.csv").write_text("0,0.1,5.0,Weibull,0.3,0.5\n600,0,0,,0,0\n")
    table = {"0": {"input_tokens": "{100: 0.5, 200: 0.5}", "output_tokens": "{10: 1.0}", "reason_ratio": "{0.5: 1.0}"}}
    with gzip.open(path / "chunk-0-dataset.json.gz", "wt") as file:
        json.dump(table, file)
    return path


def shared_traces() -> Path:
    """The folder of shared traces; skips the test where there is none."""
    if not TRACES.is_dir():
        pytest.skip("no shared traces: set GUARD_SHARED to the folder that has data/traces")
    return TRACES
