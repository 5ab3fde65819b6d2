"""Each format's table, on a few lines written by hand."""

import gzip
import io
import json
from pathlib import Path
from typing import Any

import pytest

from guard.convert.kinds import KINDS, kind_named
from guard.convert.run import Converted, Times, convert_files
from guard.convert.table import Plan, mapping_of
from guard.errors import InputError, UsageError
from guard.events.decode import RULES, Decoder
from guard.events.hashing import HashKey
from guard.units import DAY_MS
from tests.support.payloads import AT_S, litellm_payload, otel_attributes, otlp_line
from tests.support.traces import AZURE, GENTD26, MOONCAKE, WEKA, json_lines, servegen_folder

START = 1_790_000_000_000
KEY = HashKey("k1", b"c" * 32)


LINES: dict[str, list[dict[str, Any]]] = {
    "mooncake": MOONCAKE,
    "weka-claude-code": WEKA,
    "litellm": [litellm_payload(), litellm_payload(startTime=AT_S + 1, endTime=AT_S + 9)],
    "otel-genai": [otlp_line(otel_attributes()), otlp_line(otel_attributes() | {"gen_ai.response.id": "chatcmpl-8"})],
}


class Kept(io.BytesIO):
    """An output that can still be read when it was closed."""

    def close(self) -> None:
        pass


def converted(kind: str, *paths: Path, start: int | None = START, **plan: Any) -> tuple[list[dict[str, Any]], Converted]:
    out = Kept()
    seen = convert_files(kind_named(kind), paths, Plan(**{"key": KEY} | plan), Times(START + DAY_MS, start), lambda: out)
    return [json.loads(line) for line in out.getvalue().splitlines()], seen


def source(tmp_path: Path, kind: str) -> Path:
    if kind in ("azure2023", "gentd26"):
        path = tmp_path / f"{kind}.csv"
        path.write_text(AZURE if kind == "azure2023" else GENTD26)
        return path
    if kind == "servegen":
        return servegen_folder(tmp_path / "m-test")
    return json_lines(tmp_path / f"{kind}.jsonl", LINES[kind])


@pytest.mark.parametrize("kind", KINDS)
def test_every_line_is_an_event_without_a_broken_field(kind, tmp_path):
    """What we write ourselves must pass our own rules whole."""
    events, seen = converted(kind, source(tmp_path, kind))
    decoder = Decoder()
    for event in events:
        decoder.decode(json.dumps(event).encode())

    assert not decoder.invalid_fields
    assert seen.events == len(events) > 0
    assert seen.problems.count == 0


@pytest.mark.parametrize("kind", KINDS)
def test_events_come_by_time_with_ids_of_their_own_and_repeat_with_the_seed(kind, tmp_path):
    """The stream arrives by time, and an evaluation must be repeatable."""
    path = source(tmp_path, kind)
    events, _ = converted(kind, path)
    times = [event["event_time"] for event in events]

    assert times == sorted(times)
    assert len({event["event_id"] for event in events}) == len(events)
    assert converted(kind, path)[0] == events


@pytest.mark.parametrize("kind", KINDS)
def test_the_mapping_names_every_field_and_only_fields_of_the_contract(kind):
    """A user must be able to tell which column became what."""
    fields = [column.field for column in KINDS[kind].table]

    assert set(fields) <= set(RULES)
    assert all(field in mapping_of(KINDS[kind]) for field in fields)
    assert {"event_time", "account_id", "model", "input_tokens", "output_tokens"} <= set(fields)


@pytest.mark.parametrize(
    ("kind", "names"), [("azure2023", ["azure2023.csv"]), ("gentd26", ["G0000"]), ("weka-claude-code", ["trace_", "agent"])]
)
def test_no_identifier_of_the_source_passes_through(kind, names, tmp_path):
    """Identifiers of a data set are personal data somewhere else."""
    events, _ = converted(kind, source(tmp_path, kind))

    assert all(name not in json.dumps(events) for name in names)
    assert all(event["account_id"].startswith("s7:") for event in events)


def test_azure_files_are_one_account_each_unless_told(tmp_path):
    """The trace knows no accounts; the mapping is stated, not guessed."""
    path = source(tmp_path, "azure2023")
    events, seen = converted("azure2023", path)

    assert (events[0]["input_tokens"], events[0]["output_tokens"], events[0]["event_time"]) == (4808, 10, START)
    assert events[1]["event_time"] == START + 52
    assert seen.accounts == 1
    assert converted("azure2023", path, clients=1_000)[1].accounts == 2


def test_mooncake_knows_cached_blocks_and_a_prefix_after_the_providers_own(tmp_path):
    """The first block is the provider's own and would link everybody."""
    first, second = converted("mooncake", source(tmp_path, "mooncake"))[0]

    assert (first["cached_tokens"], second["cached_tokens"]) == (0, 1_024)
    assert first["prefix"] == second["prefix"]
    assert "conversation" not in second


def test_a_coding_agents_turns_hang_together_until_the_context_is_cut(tmp_path):
    """Continuity is the strongest sign of an honest agent; an invented one would hide a fleet."""
    events, _ = converted("weka-claude-code", source(tmp_path, "weka-claude-code"), days=1.0)
    of_first = [event for event in events if event["account_id"] == events_account(events, "weka-claude-code-000000000")]
    turns = sorted((event for event in of_first if "prefix" in event), key=lambda event: event["event_id"])

    assert "conversation" not in turns[0]
    assert turns[1]["conversation"] == turns[0]["conversation_after"]
    assert "conversation" not in turns[2]
    assert (turns[1]["cached_tokens"], turns[1]["latency_ms"]) == (240 * 64, 2_000)


def events_account(events: list[dict[str, Any]], event_id: str) -> str:
    return next(event["account_id"] for event in events if event["event_id"] == event_id)


def test_a_forked_session_is_the_account_of_its_origin(tmp_path):
    """A fork counted as a stranger would be a false crossing."""
    events, seen = converted("weka-claude-code", source(tmp_path, "weka-claude-code"))

    assert seen.accounts == 2
    assert events_account(events, "weka-claude-code-000000004") == events_account(events, "weka-claude-code-000000000")
    assert len({event["prefix"] for event in events if "prefix" in event}) == 1


def test_a_request_without_timing_has_no_latency_and_a_sub_agent_no_prefix(tmp_path):
    """Missing is missing, not zero."""
    events, _ = converted("weka-claude-code", source(tmp_path, "weka-claude-code"))
    agent = next(event for event in events if event["event_id"] == "weka-claude-code-000000003")

    assert "latency_ms" not in agent
    assert "prefix" not in agent


def test_servegen_clients_keep_their_rate_and_lengths(tmp_path):
    """420 requests of the steady client: 0.5 a second for ten minutes, then 0.2; 60 of the other."""
    events, seen = converted("servegen", source(tmp_path, "servegen"))

    assert seen.events == 480
    assert seen.accounts == 2
    assert {event["input_tokens"] for event in events} == {100, 200}
    assert {(event["output_tokens"], event["reasoning_tokens"], event["model"]) for event in events} == {(10, 5, "m-test")}


def test_servegen_heeds_days_clients_and_the_rate_limit(tmp_path):
    """Unthinned, the traces hold more requests than any test can send."""
    folder = source(tmp_path, "servegen")

    assert converted("servegen", folder, clients=1)[1].accounts == 1
    assert converted("servegen", folder, rate_max=0.1)[1].events == 180
    assert converted("servegen", folder, days=600_000 / DAY_MS)[1].events == 360


def test_another_seed_draws_other_requests(tmp_path):
    """Several seeds are several samples only if they differ."""
    folder = source(tmp_path, "servegen")

    assert converted("servegen", folder, seed=8)[0] != converted("servegen", folder)[0]


def test_without_a_start_the_newest_event_lies_just_before_now(tmp_path):
    """Events from the future would move no clock, and old ones are late."""
    _, seen = converted("azure2023", source(tmp_path, "azure2023"), start=None)

    assert seen.last_at == START + DAY_MS - 60_000


def test_bad_lines_are_counted_and_named_and_the_rest_is_converted(tmp_path):
    """One torn line must not cost a day of traffic."""
    path = source(tmp_path, "azure2023")
    path.write_text(path.read_text() + "yesterday,1,2\n2023-11-16 18:17:05,-4,2\n1,2\n2023-11-16 18:17:05,x,2\n2023-11-16 18:17:06,1,2\n")
    _, seen = converted("azure2023", path)

    assert (seen.events, seen.problems.count) == (3, 4)
    assert [named.split(": ")[1] for named in seen.problems.named] == ["line 4", "line 5", "line 6", "line 7"]


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "servegen"])
@pytest.mark.parametrize(
    "content", [b"", b"nonsense\n", b"\xff\xfe\x00\n\n{}\n", b'{"session": "a"}\n', b'{"timestamp": 1e999}\n', b"[" * 5_000]
)
def test_a_file_of_another_kind_is_one_clear_error(kind, content, tmp_path):
    """Two formats are easily mistaken for one another."""
    path = tmp_path / "some.log"
    path.write_bytes(content)

    with pytest.raises(InputError, match=r"some\.log"):
        converted(kind, path)


@pytest.mark.parametrize("content", ["", "1,2\n", "a,b,c,d,e,f\n", "0,nan,1,Gamma,1,1\n", "0,-1,1,Gamma,1,1\n"])
def test_a_broken_client_of_servegen_is_one_clear_error(content, tmp_path):
    """Which of 146 files is broken is what one wants to know."""
    folder = source(tmp_path, "servegen")
    (folder / "chunk-1-trace.csv").write_text(content)

    with pytest.raises(InputError, match="nothing readable"):
        converted("servegen", folder / "chunk-1-trace.csv", days=1.0)


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b'{"0": {"input_tokens": "{a: b}", "output_tokens": "{1: 1}"}}', b'{"0": 7}'])
def test_broken_lengths_of_servegen_are_one_clear_error(content, tmp_path):
    """A distribution that sums to nothing would draw nothing."""
    folder = source(tmp_path, "servegen")
    (folder / "chunk-0-dataset.json.gz").write_bytes(gzip.compress(content))

    with pytest.raises(InputError, match="chunk-"):
        converted("servegen", folder)


def test_an_unknown_kind_is_told_which_there_are():
    """The answer to a typing mistake is the list."""
    with pytest.raises(UsageError, match="servegen"):
        kind_named("nginx")


def test_a_start_that_no_calendar_reaches_is_refused(tmp_path):
    """Milliseconds mistaken for seconds land in the year 50,000."""
    with pytest.raises(InputError, match="--start"):
        converted("azure2023", source(tmp_path, "azure2023"), start=253_402_300_799_999)
