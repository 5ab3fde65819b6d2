"""A thousand made-up cards, mails, addresses, prompts and keys through every path of ingest: found nowhere afterwards."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from guard.cli.convert import convert
from guard.events.identifiers import Identifiers
from guard.gateway.asgi import GuardMiddleware
from guard.gateway.ingest.reading import Reading
from guard.gateway.ingest.reporter import Reporter
from guard.gateway.ingest.ways import IngestClient
from guard.streaming.broker import EmbeddedBroker
from guard.topics import Topic
from tests.support.broker import fresh_topics
from tests.support.canaries import canaries
from tests.support.ingest import EVENT, KEY, NOWHERE
from tests.support.ingest_process import SECRET, Process, ingesting, records, topics
from tests.support.payloads import litellm_payload, otel_attributes, otlp_line
from tests.support.traces import json_lines

COUNT = 1_001
FOUND = canaries(20_261_125, COUNT)
SETS = [dict(zip(FOUND, values, strict=True)) for values in zip(*FOUND.values(), strict=True)]
"""One canary of each kind, for one exchange."""


def event(number: int, c: dict[str, str]) -> dict[str, Any]:
    """Every field with what does not belong there; every other one with an account that must be refused."""
    return EVENT | {
        "event_id": f"{c['mail']}#{number}", "account_id": f"acct-{number}" if number % 2 else c["mail"], "model": c["prompt"], "plan": c["card"],
        "org_id": c["spaced_card"], "api_key_id": c["api_key"], "payment_fingerprint": c["card"], "ip": c["ipv4"], "ip_prefix": c["ipv6"],
        "user_agent": c["prompt"], "client_fingerprint": c["ipv6"], "operation": c["mail"], "stop_reason": c["prompt"], "decision_id": c["card"],
        "conversation": c["prompt"], "prefix": c["prompt"], "shape": c["mail"], "simhash": c["card"], "country": c["mail"], "messages": c["card"],
        "prompt": c["prompt"], "debug": c,
    }  # fmt: skip


def texts(c: dict[str, str]) -> str:
    return ", ".join(c.values())


def request(c: dict[str, str]) -> dict[str, Any]:
    turns = [{"role": "system", "content": texts(c)}, {"role": "user", "content": [{"type": "text", "text": texts(c)}]}]
    call = {"id": "c", "type": "function", "function": {"name": c["mail"], "arguments": json.dumps(c)}}
    turns += [{"role": "assistant", "content": texts(c), "tool_calls": [call]}, {"role": "tool", "content": texts(c)}]
    return {
        "model": c["prompt"],
        "messages": turns,
        "user": c["mail"],
        "metadata": c,
        "tools": [{"function": {"name": texts(c)}}],
        "stop": [texts(c)],
    }


def reply(c: dict[str, str]) -> dict[str, Any]:
    message = {"role": "assistant", "content": texts(c), "refusal": texts(c)}
    return {
        "id": c["mail"],
        "choices": [{"message": message, "finish_reason": c["prompt"]}],
        "model": c["mail"],
        "usage": {"prompt_tokens": c["card"]},
    }


def exchange(number: int, c: dict[str, str]) -> dict[str, Any]:
    known = {
        "account_id": c["mail"],
        "ip": c["ipv4"],
        "payment_fingerprint": c["card"],
        "org_id": c["prompt"],
        "api_key_id": c["api_key"],
        "plan": texts(c),
    }
    return known | {"event_id": f"x-{number}", "user_agent": texts(c), "request": request(c), "reply": reply(c)}


def payload(number: int, c: dict[str, str]) -> dict[str, Any]:
    is_failure = number % 3 == 0
    found = litellm_payload(c["mail"], content=texts(c), answer=texts(c), ip=c["ipv6"], startTime=1_790_000_000 + number, id=c["mail"])
    found["metadata"] |= {"user_api_key_user_email": c["mail"], "user_api_key_alias": texts(c),
        "user_api_key_auth_metadata": {"payment_fingerprint": c["card"], "plan": c["mail"], "account_created": c["card"], "note": texts(c)}, "requester_metadata": c, "user_api_key_org_id": c["card"],
        "requester_custom_headers": {"x": texts(c)}, "user_api_key_hash": c["api_key"], "spend_logs_metadata": {"guard_decision": c["mail"]}}  # fmt: skip
    error = {"error_code": texts(c), "error_message": texts(c), "traceback": f"Traceback: {texts(c)}", "error_class": c["mail"]}
    return found | {"end_user": c["mail"], "user_agent": texts(c), "request_tags": [texts(c)], "error_str": texts(c), "error_information": error,
        "status": "failure" if is_failure else "success", "model": c["prompt"], "model_group": c["mail"], "call_type": c["prompt"]}  # fmt: skip


def span(c: dict[str, str]) -> dict[str, Any]:
    return otel_attributes(c["mail"], content=texts(c), answer=texts(c), ip=c["ipv4"]) | {
        "gen_ai.request.model": c["prompt"], "gen_ai.response.id": c["mail"], "user_agent.original": texts(c), "error.type": texts(c),
        "gen_ai.response.finish_reasons": [texts(c)], "exception.stacktrace": texts(c),
    }  # fmt: skip


def lines(items: list[Any]) -> bytes:
    return b"\n".join(json.dumps(item).encode() for item in items)


def sent_to(process: Process, tmp_path: Path) -> list[str]:
    """Everything the senders see, after all paths but the middleware."""
    seen = []
    for path, make in (("/events", event), ("/exchanges", exchange), ("/litellm", payload)):
        items = [make(number, c) for number, c in enumerate(SETS)]
        answers = [
            process.send(lines(items), path),
            process.send(json.dumps(items).encode()[:-5], path),
            process.send(texts(SETS[0]).encode(), path),
        ]
        answers.append(process.send(b'{"account_id": "' + texts(SETS[1]).encode() + b'", "request": "\xff', path))
        seen += [f"{answer.text} {answer.headers}" for answer in answers]
        assert answers[0].status_code == 202, answers[0].text
    seen += [
        f"{answer.text} {answer.headers}" for answer in (process.send(b"x", f"/{c['mail']}/{c['card']}?{c['ipv4']}") for c in SETS[:5])
    ]
    for kind, items in (("litellm", [payload(n, c) for n, c in enumerate(SETS)]), ("otel-genai", [otlp_line(*map(span, SETS)), *SETS[:3]])):
        out, told = converted(tmp_path, kind, items)
        seen += [out, told]
        assert len(out.splitlines()) == len(SETS)
        assert process.send(out.encode()).status_code == 202
    return seen


def converted(tmp_path: Path, kind: str, items: list[Any]) -> tuple[str, str]:
    app = typer.Typer()
    app.command()(convert)
    source, out = json_lines(tmp_path / f"{kind}.jsonl", items), tmp_path / "out.jsonl"
    done = CliRunner().invoke(app, ["--from", kind, str(source), "--out", str(out)], env={"GUARD_HASH_KEY": SECRET})
    assert done.exception is None, type(done.exception)
    source.unlink()
    return out.read_text(), done.output


async def through_the_middleware(url: str) -> None:
    """Streams, failures and broken bodies; one by the real client."""
    client = IngestClient(url, "sesame")
    reporter = Reporter(Reading(KEY), client.deliver)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        body = (await receive())["body"]
        if scope["path"].startswith("/broken"):
            raise RuntimeError(body.decode())
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
        await send({"type": "http.response.body", "body": b"data: " + json.dumps(reply(json.loads(body)["metadata"])).encode() + b"\n\n"})

    def who(scope: Any) -> dict[str, object]:
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        return {
            "account_id": headers["x-mail"],
            "ip": headers["x-ip"],
            "user_agent": headers["user-agent"],
            "payment_fingerprint": headers["x-card"],
        }

    front = GuardMiddleware(app, identify=who, identifiers=Identifiers(KEY), reporter=reporter)
    httpx = pytest.importorskip("httpx2")
    reporter.start()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(front, raise_app_exceptions=False), base_url="http://g") as http:
        for number, c in enumerate(SETS):
            headers = {"x-mail": c["mail"], "x-ip": c["ipv4"], "x-card": c["card"], "user-agent": texts(c)}
            path = "/broken/v1/chat/completions" if number % 4 == 0 else "/v1/chat/completions"
            await http.post(path, json=request(c), headers=headers)
    await reporter.stop()
    await client.close()
    assert (reporter.delivered, reporter.lost, reporter.refused) == (len(SETS), 0, 0)


def found_in(haystack: str) -> list[str]:
    """Canaries that are there, whole or, of a prompt, by the word that no other has."""
    return [
        value
        for kind, values in FOUND.items()
        for value in values
        if value in haystack or (kind == "prompt" and value.split()[-1] in haystack)
    ]


def test_no_canary_is_found_on_any_topic_nor_in_logs_metrics_spool_answers_or_converted_files(
    broker: EmbeddedBroker, tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """One prompt on a topic that is kept for a week is a breach, whoever wrote it there."""
    fresh_topics(broker.bootstrap, topics=(Topic.REQUESTS,))
    assert len(found_in(texts(SETS[0]))) == len(FOUND), "the search would find them"
    with ingesting(NOWHERE, tmp_path) as process:
        seen = sent_to(process, tmp_path)
        asyncio.run(through_the_middleware(f"http://127.0.0.1:{process._port}"))
        accepted = int(process.metric("guard_ingest_accepted_total"))
        seen.append(process.metrics())
        process.process.kill()
    spooled = [path.read_text() for path in (tmp_path / "spool").iterdir()]
    with ingesting(broker.bootstrap, tmp_path) as process:
        process.until("guard_ingest_produced_total", accepted)
        seen.append(process.metrics())
        said = process.said()
    names = asyncio.run(topics(broker.bootstrap))
    lying = {name: asyncio.run(records(broker.bootstrap, name)) for name in names}

    assert accepted == len(SETS) // 2 + 4 * len(SETS), "half of the events; the converted payloads are those that were sent"
    assert len(lying[Topic.REQUESTS]) == accepted
    assert found_in("\n".join(spooled)) == []
    for records_ in lying.values():
        assert found_in("\n".join(f"{record.key!r} {record.value!r} {record.headers!r}" for record in records_)) == []
    assert found_in("\n".join(seen)) == []
    assert found_in(said + caplog.text + "".join(capfd.readouterr())) == []
    assert "Traceback" not in said
