"""The real traces, where they are: every row is read, and the figures are those of the data's description."""

import statistics
from pathlib import Path

import msgspec
import pytest

from guard.convert.kinds import kind_named
from guard.convert.run import Converted, Times, convert_files
from guard.convert.table import Plan
from guard.events.decode import Decoder
from guard.events.request import RequestEvent
from tests.support.traces import shared_traces


@pytest.fixture(scope="module")
def traces() -> Path:
    return shared_traces()


def converted(tmp_path: Path, kind: str, *paths: Path, plan: Plan | None = None) -> tuple[list[RequestEvent], Converted]:
    out = tmp_path / "out.jsonl"
    seen = convert_files(kind_named(kind), paths, plan or Plan(), Times(0, 1_790_000_000_000), lambda: out.open("wb"))
    decoder = Decoder()
    events = [decoder.decode(line) for line in out.read_bytes().splitlines()]
    assert not decoder.invalid_fields
    assert seen.problems.count == 0
    return events, seen


def test_azure(traces, tmp_path):
    """The real files convert without a bad line."""
    events, seen = converted(tmp_path, "azure2023", *sorted((traces / "azure2023").glob("*.csv")))

    assert (seen.events, seen.accounts) == (28_185, 2)
    assert 3_400_000 < events[-1].event_time - events[0].event_time < 3_700_000


def test_mooncake(traces, tmp_path):
    """The real file converts without a bad line."""
    events, _ = converted(tmp_path, "mooncake", traces / "mooncake/conversation_trace.jsonl")

    assert len(events) == 12_031
    assert 0.3 < sum(event.cached_tokens or 0 for event in events) / sum(event.input_tokens for event in events) < 0.45


def test_coding_agents(traces, tmp_path):
    """The real sessions convert, forks grouped with their origin."""
    events, seen = converted(tmp_path, "weka-claude-code", traces / "cc_dev.jsonl.gz")

    assert (seen.events, seen.accounts) == (22_296, 335)
    assert sum(event.conversation is not None for event in events) > 0.9 * len(events)
    assert statistics.median(event.input_tokens for event in events) == pytest.approx(99_000, rel=0.05)


def test_api_clients(traces, tmp_path):
    """The real clients convert within the rate limit."""
    events, seen = converted(tmp_path, "servegen", traces / "servegen", plan=Plan(days=0.02))

    assert seen.accounts > 20
    assert {event.model for event in events} == {"m-small", "deepseek-r1"}
    assert msgspec.structs.asdict(events[0])["prefix"] is None


def test_image_users_for_evaluation(traces, tmp_path):
    """Arrivals of 4,247 real users, for evaluation only."""
    _, seen = converted(tmp_path, "gentd26", traces / "gentd26/lora_request_trace.csv")

    assert (seen.events, seen.accounts) == (26_823, 4_247)
