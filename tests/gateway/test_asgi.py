"""The ASGI middleware, asked by the real clients of OpenAI and Anthropic, reporting to a real `guard ingest` or straight to its intake."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any

import pytest

from guard.events.fingerprint import HashKey, KeyRing, fingerprint
from guard.events.identifiers import Identifiers
from guard.gateway.answers import Answers
from guard.gateway.appeal import AppealTokens
from guard.gateway.asgi import GuardMiddleware
from guard.gateway.enforcer import Enforcer
from guard.gateway.ingest.reading import Reading
from guard.gateway.ingest.reporter import Reporter
from guard.gateway.ingest.ways import IngestClient, straight_to
from tests.support.decisions import decision
from tests.support.ingest import KEY, House, ingest
from tests.support.model_server import ANTHROPIC, OPENAI
from tests.support.payloads import QUESTION

TURNS = [{"role": "user", "content": QUESTION}]


def streamed(path: str) -> list[dict[str, Any]]:
    """The stub's answer in pieces, in the words of whichever client asks."""
    if path.endswith("/messages"):
        return [
            {"type": "message_start", "message": ANTHROPIC | {"content": [], "stop_reason": None}},
            {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
            {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "yes"}},
            {"type": "content_block_stop", "index": 0},
            {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 1}},
            {"type": "message_stop"},
        ]
    around = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    delta, end = {"role": "assistant", "content": "yes"}, {"index": 0, "delta": {}, "finish_reason": "stop"}
    return [
        around | {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]},
        around | {"choices": [end]},
        around | {"choices": [], "usage": OPENAI["usage"]},
    ]


async def models(scope: Any, receive: Any, send: Any) -> None:
    """A model server as an ASGI application."""
    body = b""
    while (message := await receive())["type"] == "http.request":
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    asked = json.loads(body)
    if asked["model"] == "broken":
        raise RuntimeError(asked["messages"][0]["content"])
    is_stream = asked.get("stream")
    kind = b"text/event-stream" if is_stream else b"application/json"
    await send({"type": "http.response.start", "status": 200, "headers": [(b"Content-Type", kind)]})
    if not is_stream:
        await send(
            {"type": "http.response.body", "body": json.dumps(ANTHROPIC if scope["path"].endswith("/messages") else OPENAI).encode()}
        )
        return
    for event in streamed(scope["path"]):
        name = f"event: {event['type']}\n" if "type" in event else ""
        await send({"type": "http.response.body", "body": f"{name}data: {json.dumps(event)}\n\n".encode(), "more_body": True})
    await send({"type": "http.response.body", "body": b"" if scope["path"].endswith("/messages") else b"data: [DONE]\n\n"})


def who(scope: Any) -> dict[str, object] | None:
    """An authentication that knows everybody by the key."""
    headers = dict(scope["headers"])
    key = headers.get(b"x-api-key", headers.get(b"authorization", b"")).decode().removeprefix("Bearer ")
    return {"account_id": key.removeprefix("key-of-"), "ip": scope["client"][0], "plan": "pro"} if key.startswith("key-of-") else None


class Gateway:
    """The middleware before the stub, with its enforcer and reporter."""

    def __init__(self, reporter: Reporter | None) -> None:
        self.enforcer = Enforcer(Answers(Random(1)), AppealTokens(b"k" * 16))
        self.enforcer.is_ready = True
        self.identifiers = Identifiers(KEY)
        self.app = GuardMiddleware(models, identify=who, identifiers=self.identifiers, enforcer=self.enforcer, reporter=reporter)

    def openai(self, account: str) -> Any:
        openai, httpx = pytest.importorskip("openai"), pytest.importorskip("httpx2")
        http = httpx.AsyncClient(transport=httpx.ASGITransport(self.app, raise_app_exceptions=False))
        return openai.AsyncOpenAI(base_url="http://gateway/v1", api_key=f"key-of-{account}", http_client=http, max_retries=0)

    def anthropic(self, account: str) -> Any:
        anthropic, httpx = pytest.importorskip("anthropic"), pytest.importorskip("httpx2")
        http = httpx.AsyncClient(transport=httpx.ASGITransport(self.app))
        return anthropic.AsyncAnthropic(base_url="http://gateway", api_key=f"key-of-{account}", http_client=http, max_retries=0)

    def decide(self, account: str, action: str, **more: Any) -> str:
        made = decision(account, action, **more)
        self.enforcer.orders.apply(made)
        return made.decision_id


@asynccontextmanager
async def gateway(spool: Path, *, by_http: bool = False) -> AsyncIterator[tuple[Gateway, House]]:
    """It reports into a spool, for Kafka is away."""
    async with ingest(spool, token="sesame") as house:
        client = IngestClient(house.server.url, "sesame")
        reporter = Reporter(Reading(KEY), client.deliver if by_http else straight_to(house.service.intake))
        reporter.start()
        yield Gateway(reporter), house
        await reporter.stop()
        await client.close()
        assert (reporter.lost, reporter.refused, reporter.waiting, client.refused) == (0, 0, 0, 0)


async def reported(house: House, count: int) -> list[dict[str, Any]]:
    async with asyncio.timeout(10):
        while len(house.spooled()) < count:
            await asyncio.sleep(0.01)
    return house.spooled()


@pytest.mark.parametrize("by_http", [False, True], ids=["intake", "http"])
def test_exchanges_of_both_clients_streamed_or_not_are_reported_alike(by_http, tmp_path):
    """Whoever streams tells no less about himself than who does not."""

    async def story() -> None:
        async with gateway(tmp_path, by_http=by_http) as (front, house):
            openai, anthropic = front.openai("acct-7"), front.anthropic("jane@example.org")
            for stream in (False, True):
                options = {"stream_options": {"include_usage": True}} if stream else {}
                answer = await openai.chat.completions.create(model="m", messages=TURNS, stream=stream, **options)
                if stream:
                    assert "".join([piece.choices[0].delta.content or "" async for piece in answer if piece.choices]) == "yes"
                await reported(house, 1 + 2 * stream)
                if stream:
                    async with anthropic.messages.stream(model="m", max_tokens=9, messages=TURNS) as answer:
                        assert await answer.get_final_text() == "yes"
                else:
                    await anthropic.messages.create(model="m", max_tokens=9, messages=TURNS)
                await reported(house, 2 + 2 * stream)
            check(house, front)

    asyncio.run(story())


def check(house: House, front: Gateway) -> None:
    whole, message, chunks, pieces = house.spooled()
    content = fingerprint({"model": "m", "messages": TURNS}, OPENAI, KeyRing(KEY)).known()
    around = {"account_id": "acct-7", "plan": "pro", "model": "m", "status": 200}
    assert (content | around).items() <= whole.items()
    own = ("event_id", "event_time", "latency_ms")
    for once, again in ((whole, chunks), (message, pieces)):
        assert {name: value for name, value in once.items() if name not in own} == {
            name: value for name, value in again.items() if name not in own
        }
    assert message["account_id"] == front.identifiers.account("jane@example.org")
    assert len({event["event_id"] for event in house.spooled()}) == 4
    assert {"ip", "ip_prefix", "conversation_after", "input_tokens", "output_tokens", "stop_reason"} <= set(message)
    assert QUESTION[:20] not in json.dumps(house.spooled())


def test_decisions_are_obeyed_before_the_application_is_asked_and_reported_with_their_id(tmp_path):
    """A refusal without its decision would count against the account a second time."""
    openai, anthropic = pytest.importorskip("openai"), pytest.importorskip("anthropic")

    async def story() -> None:
        async with gateway(tmp_path) as (front, house):
            blocked = front.decide(front.identifiers.account("jane@example.org"), "block")
            throttled = front.decide("acct-7", "throttle", rate_rpm=1)
            with pytest.raises(anthropic.PermissionDeniedError) as refusal:
                await front.anthropic("jane@example.org").messages.create(model="m", max_tokens=9, messages=TURNS)
            assert refusal.value.response.headers["x-should-retry"] == "false"
            assert refusal.value.body["type"] == "urn:guard:problem:blocked"
            await front.openai("acct-7").chat.completions.create(model="m", messages=TURNS)
            with pytest.raises(openai.RateLimitError) as wait:
                await front.openai("acct-7").chat.completions.create(model="m", messages=TURNS)
            assert 1 <= int(wait.value.response.headers["retry-after"]) <= 60
            events = await reported(house, 3)
            assert [(event["status"], event["decision_id"]) for event in events] == [(403, blocked), (200, throttled), (429, throttled)]
            assert [(event["input_tokens"], event["output_tokens"]) for event in events] == [(0, 0), (9, 1), (0, 0)]

    asyncio.run(story())


def test_an_application_that_fails_is_reported_as_such_and_fails_as_before(tmp_path, capsys):
    """The middleware adds no failure of its own, and its log none of the texts."""
    openai = pytest.importorskip("openai")

    async def story() -> None:
        async with gateway(tmp_path) as (front, house):
            with pytest.raises(openai.InternalServerError):
                await front.openai("acct-7").chat.completions.create(model="broken", messages=TURNS)
            (event,) = await reported(house, 1)
            assert (event["status"], event["output_tokens"], event["model"]) == (500, 0, "broken")

    asyncio.run(story())
    assert QUESTION[:20] not in "".join(capsys.readouterr())


@pytest.mark.parametrize("body", [b"", b"[", b'{"model": 5}', b"\xff" * 99, b"[" * 5_000, b'{"model": "m", "messages": 7}'])
def test_no_body_keeps_an_exchange_from_being_reported(body, tmp_path):
    """Whatever the model server made of it, it was asked by somebody."""

    async def forgiving(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"\x00\xff", "more_body": False})

    async def story() -> None:
        async with gateway(tmp_path) as (front, house):
            front.app._app = forgiving
            client = pytest.importorskip("httpx2").AsyncClient(transport=pytest.importorskip("httpx2").ASGITransport(front.app))
            await client.post("http://gateway/v1/chat/completions", content=body, headers={"x-api-key": "key-of-acct-7"})
            (event,) = await reported(house, 1)
            assert (event["account_id"], event["status"]) == ("acct-7", 200)

    asyncio.run(story())


def test_other_paths_and_strangers_pass_untouched(tmp_path):
    """A health check is no exchange; a caller without an account is authentication's business."""
    httpx = pytest.importorskip("httpx2")

    async def hello(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def story() -> None:
        reporter = Reporter(Reading(KEY), straight_to(None))
        front = Gateway(reporter)
        front.app._app = hello
        async with httpx.AsyncClient(transport=httpx.ASGITransport(front.app), base_url="http://gateway") as client:
            assert (await client.get("/healthz")).status_code == 204
            assert (await client.post("/v1/files")).status_code == 204
            assert reporter.waiting == 0
            assert (await client.post("/v1/chat/completions")).status_code == 204
            assert front.enforcer.counts["unidentified"] == 1

    asyncio.run(story())


async def status(app: Any, path: str, account: str) -> int:
    """Of one chat, by whoever speaks HTTP himself."""
    said: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": json.dumps({"model": "m", "messages": TURNS}).encode(), "more_body": False}

    async def send(message: Any) -> None:
        said.append(message)

    headers = [(b"x-api-key", f"key-of-{account}".encode())]
    await app({"type": "http", "method": "POST", "path": path, "headers": headers, "client": ("192.0.2.1", 1)}, receive, send)
    found: int = said[0]["status"]
    return found


def test_a_slash_behind_the_path_is_no_way_around() -> None:
    """Some frameworks serve both."""
    front = Gateway(None)
    front.decide("mallory", "block")
    for path in ("/v1/chat/completions", "/v1/chat/completions/", "/v1/messages//"):
        assert asyncio.run(status(front.app, path, "mallory")) == 403
    assert front.enforcer.counts["blocked"] == 3


def test_while_keys_are_changed_a_request_is_one_and_whoever_is_exempt_under_either_name_passes() -> None:
    """An upheld appeal names the customer as he is called now; the block that it answers may still name him as before."""
    front = Gateway(None)
    old = HashKey("k0", b"d" * 32)
    both = Identifiers(KEY, old)
    app = GuardMiddleware(models, identify=who, identifiers=both, enforcer=front.enforcer)
    front.decide(Identifiers(old).account("jane@example.org"), "block")
    assert asyncio.run(status(app, "/v1/chat/completions", "jane@example.org")) == 403
    front.decide(Identifiers(KEY).account("jane@example.org"), "allow")
    assert asyncio.run(status(app, "/v1/chat/completions", "jane@example.org")) == 200
    assert sum(front.enforcer.counts.values()) == 2
