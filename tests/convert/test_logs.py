"""Logs of real gateways: LiteLLM's payloads and OpenTelemetry's spans become the same events that `guard ingest` would write."""

import json
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from guard.cli.convert import convert as convert_command
from guard.convert.litellm import LITELLM_LOG
from guard.convert.logged import LogReader
from guard.convert.otel_genai import OTEL_LOG
from guard.errors import DecodeError
from guard.events.clean import CleanEvent
from guard.events.fingerprint import KeyRing, fingerprint
from guard.events.hashing import HashKey, KeyedHasher
from guard.events.identifiers import is_hashed
from tests.support.payloads import ANSWER, AT_S, MESSAGES, QUESTION, litellm_payload, otel_attributes, otlp_line, printed_span
from tests.support.traces import json_lines

app = typer.Typer()
app.command()(convert_command)
KEY = HashKey("k1", b"c" * 32)
SECRET_TEXT = f"k1:{'63' * 32}"
REPLY = {"choices": [{"message": {"role": "assistant", "content": ANSWER}, "finish_reason": "stop"}]}
CONTENT = fingerprint({"messages": MESSAGES, "temperature": 0.5}, REPLY, KeyRing(KEY)).known()
TOKENS = {"input_tokens": 120, "output_tokens": 5, "cached_tokens": 64}


def read(log: Any, *lines: dict[str, Any] | bytes) -> list[dict[str, Any] | DecodeError]:
    reader = LogReader(log, KEY)
    found = [one for line in lines for one in reader.read(line if isinstance(line, bytes) else json.dumps(line).encode())]
    return [json.loads(one.body) if isinstance(one, CleanEvent) else one for one in found]


def test_a_payload_of_litellm_becomes_an_event_with_all_that_it_tells():
    """The first exchange of a new gateway has to look like everybody else's."""
    (event,) = read(LITELLM_LOG, litellm_payload())
    ip, ip_prefix = KeyedHasher(KEY).hash("ip", "203.0.113.7"), KeyedHasher(KEY).hash("ip_prefix", "203.0.113.0")

    assert event == CONTENT | TOKENS | {
        "event_id": f"{int(AT_S * 1_000)}-chatcmpl-7", "event_time": int(AT_S * 1_000) + 1_500, "account_id": "acct-7", "org_id": "org-1",
        "api_key_id": "9f" * 32, "ip": ip, "ip_prefix": ip_prefix, "user_agent": "OpenAI/Python", "model": "m-1", "status": 200,
        "latency_ms": 1_500, "payment_fingerprint": KeyedHasher(KEY).hash("payment_fingerprint", "pm-1"), "plan": "pro",
        "account_created": 1_780_000_000_000,
    }  # fmt: skip
    assert is_hashed(event["conversation_after"])


def test_a_caller_who_names_his_calls_hides_none_of_them():
    """LiteLLM takes the id of a call from a header of the caller's; the same id twice would be a duplicate."""
    first, second = read(
        LITELLM_LOG, litellm_payload(id="same", call="same"), litellm_payload(id="same", call="same", startTime=AT_S + 1, endTime=AT_S + 3)
    )

    assert first["event_id"] != second["event_id"]
    assert read(LITELLM_LOG, litellm_payload(id="same")) == [first]


def test_a_call_refused_by_the_hook_carries_its_decision():
    """A refusal under a decision teaches the guard nothing about the account."""
    payload = litellm_payload(status="failure", prompt_tokens=0, completion_tokens=0, response={})
    payload["error_information"]["error_code"] = "429"
    payload["metadata"] |= {"spend_logs_metadata": {"guard_decision": "d-" + "0a" * 16}, "usage_object": None}
    (event,) = read(LITELLM_LOG, payload)

    assert (event["status"], event["decision_id"], event["input_tokens"], event["output_tokens"]) == (429, "d-" + "0a" * 16, 0, 0)


def test_redacted_texts_of_litellm_are_no_texts():
    """All redacted prompts are equal: hashed, they would make one campaign of all customers."""
    redacted = "redacted-by-litellm"
    (event,) = read(LITELLM_LOG, litellm_payload(content=redacted, answer=redacted))

    assert not {"shape", "simhash", "prefix", "conversation", "conversation_after", "messages"} & set(event)
    assert TOKENS.items() <= event.items()


def test_the_instructions_of_a_response_are_its_system_prompt():
    """They stand among the settings there; a campaign's prefix is the same in either format."""
    chat, payload = litellm_payload(), litellm_payload(call_type="aresponses")
    payload["messages"] = payload["messages"][1:]
    payload["model_parameters"] = {"instructions": MESSAGES[0]["content"]}

    assert read(LITELLM_LOG, payload)[0]["prefix"] == read(LITELLM_LOG, chat)[0]["prefix"]


@pytest.mark.parametrize("error", ["", None, 429, "429", "4290", "abc", {"a": 1}])
def test_a_failure_has_a_status_of_its_own(error):
    """What LiteLLM writes there has changed before."""
    payload = litellm_payload(status="failure") | {"error_information": {"error_code": error}}

    assert read(LITELLM_LOG, payload)[0]["status"] == (429 if error in (429, "429") else 500)


@pytest.mark.parametrize("line", [otlp_line(otel_attributes()), printed_span(otel_attributes())], ids=["collector", "printed"])
def test_a_span_becomes_an_event_with_all_that_it_tells(line):
    """Both forms in which spans lie in files; what the conventions do not tell stays missing."""
    (event,) = read(OTEL_LOG, line)

    assert event == {name: value for name, value in CONTENT.items() if name not in ("tools", "logprobs")} | TOKENS | {
        "event_id": "chatcmpl-7", "event_time": int(AT_S * 1_000) + 1_500, "account_id": "acct-7", "model": "m-1", "status": 200,
        "ip": KeyedHasher(KEY).hash("ip", "203.0.113.7"), "ip_prefix": KeyedHasher(KEY).hash("ip_prefix", "203.0.113.0"),
        "user_agent": "OpenAI/Python", "latency_ms": 1_500,
    }  # fmt: skip


def test_an_account_may_stand_on_the_resource():
    """A service that serves one customer says so once."""
    attributes = {name: value for name, value in otel_attributes().items() if name != "user.id"}

    assert read(OTEL_LOG, otlp_line(attributes, resource={"user.id": "acct-9"}))[0]["account_id"] == "acct-9"


def test_spans_around_an_inference_are_no_exchanges():
    """An agent's span repeats the tokens of the calls within it."""
    agent, tool = otel_attributes() | {"gen_ai.operation.name": "invoke_agent"}, {"gen_ai.operation.name": "execute_tool"}

    assert len(read(OTEL_LOG, otlp_line(agent, tool, {"http.method": "GET"}, otel_attributes()))) == 1


def test_one_span_without_an_account_costs_the_others_in_its_line_nothing():
    """A collector writes a whole batch on one line."""
    nobody = {name: value for name, value in otel_attributes().items() if name != "user.id"}
    first, second, third = read(OTEL_LOG, otlp_line(otel_attributes(), nobody, otel_attributes("acct-8")))

    assert (first["account_id"], third["account_id"]) == ("acct-7", "acct-8")
    assert "missing_field: account_id" in str(second)


@pytest.mark.parametrize(
    "value",
    [float("nan"), float("inf"), 1e308, -1, "x" * 70_000, [[]] * 3, {"a": {}}, None, True, "\ud800", 10**30, "9" * 5_000],
    ids=str,
)
@pytest.mark.parametrize(
    "name", ["startTime", "endTime", "prompt_tokens", "messages", "response", "metadata", "model_parameters", "user_agent"]
)
def test_no_value_of_a_payload_is_a_traceback(name, value):
    """Loggers write what they like; whatever it is, the next line is read."""
    found = read(LITELLM_LOG, json.dumps(litellm_payload() | {name: value}).encode(), litellm_payload())

    assert len(found) == 2
    assert isinstance(found[1], dict)


def nested(depth: int) -> dict[str, Any]:
    value: dict[str, Any] = {"stringValue": "x"}
    for _ in range(depth):
        value = {"kvlistValue": {"values": [{"key": "a", "value": value}]}}
    return value


@pytest.mark.parametrize(
    "value",
    [
        nested(200),
        {"intValue": "x"},
        {"intValue": "9" * 5_000},
        {"arrayValue": 5},
        {"kvlistValue": []},
        {},
        5,
        None,
        {"doubleValue": 1e308},
    ],
)
@pytest.mark.parametrize("key", ["gen_ai.usage.input_tokens", "gen_ai.input.messages", "error.type", "gen_ai.response.finish_reasons", "x"])
def test_no_attribute_of_a_span_is_a_traceback(key, value):
    """As with payloads."""
    line = otlp_line(otel_attributes())
    line["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["attributes"].append({"key": key, "value": value})
    found = read(OTEL_LOG, line, otlp_line(otel_attributes()))

    assert len(found) == 2
    assert isinstance(found[1], dict)


def convert(tmp_path: Path, kind: str, lines: list[dict[str, Any]], *options: str, key: str = SECRET_TEXT) -> tuple[int, str, str]:
    source = json_lines(tmp_path / "log.jsonl", lines)
    done = CliRunner().invoke(app, ["--from", kind, str(source), *options], env={"GUARD_HASH_KEY": key})
    error = "" if done.exception is None or isinstance(done.exception, SystemExit) else f"{type(done.exception).__name__}: {done.exception}"
    return done.exit_code, done.stdout, done.stderr + error


def test_the_command_keeps_the_times_of_a_log_and_names_what_it_skips(tmp_path):
    """A log is converted to be replayed against the days it is from."""
    bad = litellm_payload() | {"metadata": {}}
    code, out, told = convert(tmp_path, "litellm", [litellm_payload(), bad], "--out", str(tmp_path / "out.jsonl"))
    (event,) = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]

    assert (code, out) == (0, "")
    assert event["event_time"] == int(AT_S * 1_000) + 1_500
    assert "line 2: missing_field: account_id" in told
    assert QUESTION[:20] not in told + json.dumps(event)


@pytest.mark.parametrize("kind", ["litellm", "otel-genai"])
def test_without_a_key_nothing_is_converted(kind, tmp_path):
    """A seed that everybody knows would not protect a person."""
    code, out, told = convert(tmp_path, kind, [litellm_payload()], key="")

    assert (code != 0, out) == (True, "")
    assert "set GUARD_HASH_KEY" in told
