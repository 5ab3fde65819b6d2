"""Rude senders at the port of ingest: garbage, floods, slowness, a disk that fails."""

import asyncio
import contextlib
import gzip
import io
import json
from typing import Any

import aiohttp
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from guard.gateway.ingest import server as server_module
from guard.gateway.ingest.reading import Reading
from guard.gateway.ingest.server import BODY_BYTES_MAX
from tests.support.ingest import EVENT, KEY, events, ingest, send
from tests.support.payloads import EXCHANGE, litellm_payload

PROMPT = "why is the violet lantern in the cellar"


BODIES = {
    "empty": b"", "spaces": b" \n\n ", "half": b'{"event_id": ', "numbers": b"1 2 3", "bytes": bytes(range(256)) * 20, "zeros": b"\0" * 5_000,
    "deep": b"[" * 200_000, "deep_object": b'{"a":' * 100_000, "deep_closed": b'{"request":' + b"[" * 50_000 + b"]" * 50_000 + b"}",
    "utf16": json.dumps(EVENT).encode("utf-16"), "quotes": b'["' + b'\\"' * 300_000, "text": b'"' + PROMPT.encode() + b'"',
    "many": b"[" + b"1," * 6_000 + b"1]", "long_number": b'[{"event_time": ' + b"9" * 100_000 + b"}]", "nothing": b"[null, null]",
    "long_line": json.dumps(EVENT | {"plan": "x" * 1_000_000}).encode(), "commas": b"[" + b"," * 100_000, "form": b"a=b&c=d",
}  # fmt: skip


@pytest.mark.parametrize("path", ["/events", "/exchanges", "/litellm"])
def test_garbage_is_refused_by_status_and_reason_and_the_next_body_is_taken(path, tmp_path):
    """One line for the sender, none of his bytes in it, and no failure of ours."""

    async def story() -> None:
        async with ingest(tmp_path) as house:
            for name, body in BODIES.items():
                status, told, _ = await send(house, body, path)
                assert status in (400, 422), name
                assert all(len(one["detail"]) < 200 for one in told["refused"]), name
                assert told["refused"], name
                assert PROMPT not in json.dumps(told)
            assert house.server.bodies["failed"] == 0
            assert (await send(house, events("a")))[0] == 202
            assert [event["event_id"] for event in house.spooled()] == ["a"]

    asyncio.run(story())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from([*EXCHANGE, *litellm_payload(), "role", "content", "usage", "choices", "x"]), inner, max_size=5),
    max_leaves=25,
)  # fmt: skip


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(values=st.lists(JSON, min_size=1, max_size=30), path=st.sampled_from(["/events", "/exchanges", "/litellm", "/access-log"]))
def test_no_json_is_a_failure_of_ours(values, path):
    """Whatever is sent: it is taken or refused, item by item."""
    bases = {"/access-log": EVENT, "/events": EVENT, "/exchanges": EXCHANGE, "/litellm": litellm_payload()}
    items = [bases[path] | value if isinstance(value, dict) else value for value in values]
    reading = Reading(KEY)
    found = reading.read(path, json.dumps(items).encode())

    assert len(found.events) + sum(found.refusals.values()) == len(items)


@pytest.mark.parametrize("value", [{"a": {}}, [[]], "9" * 5_000, "\u0663", "1.5", 10**30, True, None, "\ud800"], ids=str)
@pytest.mark.parametrize("name", ["event_id", "event_time", "status", "bytes_sent", "failed_open", "model"])
def test_no_value_in_an_access_log_is_a_failure_of_ours(name, value):
    """One line that a gateway wrote strangely must not cost the others of its batch."""
    lines = [json.dumps(EVENT | {name: value}).encode(), json.dumps(EVENT).encode()]
    found = Reading(KEY).read_items("/access-log", lines)

    assert len(found.events) + sum(found.refusals.values()) == 2
    assert found.events


def test_bodies_beyond_their_size_are_not_read(tmp_path):
    """Neither by their own word, nor in pieces, nor packed."""

    async def endless() -> Any:
        while True:
            yield b"x" * 65_536

    async def story() -> None:
        async with ingest(tmp_path) as house:
            for body in (io.BytesIO(b"x" * (BODY_BYTES_MAX + 1)), endless()):
                with contextlib.suppress(aiohttp.ClientError):  # the connection may be closed before everything was sent
                    assert (await send(house, body))[0] == 413
            assert (await send(house, gzip.compress(b"[" + b" " * (BODY_BYTES_MAX * 4) + b"]"), **{"content-encoding": "gzip"}))[0] == 413
            assert (await send(house, b"no gzip", **{"content-encoding": "gzip"}))[0] == 400
            assert (await send(house, gzip.compress(events("a")), **{"content-encoding": "gzip"}))[0] == 202
            assert house.server.bodies["too_large"] == 3
            assert house.server._held_bytes == 0

    asyncio.run(story())


def test_a_body_that_comes_too_slowly_is_given_up(tmp_path, monkeypatch):
    """A connection held open byte by byte costs the sender more than us."""
    monkeypatch.setattr(server_module, "BODY_SECONDS_MAX", 0.3)

    async def story() -> None:
        async with ingest(tmp_path) as house:
            host, port = house.server.url.removeprefix("http://").split(":")
            reader, writer = await asyncio.open_connection(host, int(port))
            writer.write(b"POST /events HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n[")
            assert (await reader.readline()).startswith(b"HTTP/1.1 408")
            writer.close()
            half, gone = await asyncio.open_connection(host, int(port))
            gone.write(b"POST /events HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n[")
            gone.write_eof()
            await half.read()
            gone.close()
            assert (await send(house, events("a")))[0] == 202
            assert (house.server._held_bytes, house.server.bodies["failed"]) == (0, 0)

    asyncio.run(story())


@pytest.mark.parametrize(
    "raw",
    [
        b"\x16\x03\x01\x02\x00", b"GET / HTTP/9.9\r\n\r\n", b"POST /events HTTP/1.1\r\ncontent-length: -5\r\n\r\n", b"\r\n" * 100,
        b"POST /events HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n", b"POST /" + PROMPT.replace(" ", "_").encode() + b" HTTP/1.1\r\n\r\n",
        b"POST /events HTTP/1.1\r\n" + b"x-a: " + b"y" * 40_000 + b"\r\n\r\n", b"POST /%ff%00 HTTP/1.1\r\nhost: x\r\n\r\n",
    ],
)  # fmt: skip
def test_what_is_no_request_is_answered_without_repeating_it(raw, tmp_path, caplog, capfd):
    """Libraries like to log what they could not read."""

    async def story() -> bytes:
        async with ingest(tmp_path) as house:
            host, port = house.server.url.removeprefix("http://").split(":")
            reader, writer = await asyncio.open_connection(host, int(port))
            writer.write(raw)
            writer.write_eof()
            answer = await asyncio.wait_for(reader.read(), 10)
            writer.close()
            assert (await send(house, events("a")))[0] == 202
            return answer

    answer = asyncio.run(story())
    said = answer.decode("latin-1") + caplog.text + "".join(capfd.readouterr())

    assert answer == b"" or answer.startswith((b"HTTP/1.1 4", b"HTTP/1.0 4"))
    assert "violet" not in said
    assert "Traceback" not in said


def test_a_spool_that_cannot_be_written_turns_senders_away_and_is_named_once_in_the_log(tmp_path, monkeypatch, capsys):
    """A disk that fails is an operator's news; the sender keeps the events."""

    def refuse(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    async def story() -> None:
        async with ingest(tmp_path) as house:
            monkeypatch.setattr("guard.gateway.ingest.spool.os.fsync", refuse)
            assert (await send(house, events("a")))[0] == 429
            monkeypatch.undo()
            assert (await send(house, events("a")))[0] == 202
            assert [event["event_id"] for event in house.spooled()] == ["a"]

    asyncio.run(story())
    said = capsys.readouterr().out
    assert said.count("No space left on device") == 1
    assert "Traceback" not in said


def test_a_body_on_its_way_to_the_model_passes_whatever_is_wrong_with_it_or_here(tmp_path, monkeypatch):
    """To Envoy any other answer is a refusal: a busy ingest would refuse honest customers."""

    async def story() -> None:
        async with ingest(tmp_path, token="t" * 20) as house:
            assert (await send(house, b"{}", "/body/v1"))[0] == 200
            known = {"x-guard-token": "t" * 20, "x-request-id": "r-1"}
            assert (await send(house, io.BytesIO(b"x" * (BODY_BYTES_MAX + 1)), "/body/v1", **known))[0] == 200
            monkeypatch.setattr(server_module, "HELD_BYTES_MAX", 1_000)
            assert (await send(house, b"x" * 2_000, "/body/v1", **known))[0] == 200
            monkeypatch.setattr(server_module, "BODY_SECONDS_MAX", 0.1)
            assert (await send(house, _slow(), "/body/v1", **known))[0] == 200
            seen = house.server.bodies
            assert [seen[word] for word in ("unauthorised", "too_large", "turned_away", "too_slow", "shown")] == [1, 1, 1, 1, 0]

    asyncio.run(story())


async def _slow():
    yield b"x"
    await asyncio.sleep(1)
    yield b"x"
