"""The port of ingest, with Kafka away and a spool: what senders hear, and what the rude among them get."""

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
from tests.support.ingest import EVENT, KEY, House, ingest
from tests.support.payloads import ANSWER, MESSAGES, QUESTION, litellm_payload

PROMPT = "why is the violet lantern in the cellar"
EXCHANGE = {
    "event_id": "x-1", "account_id": "jane@example.org", "ip": "203.0.113.7", "request": {"model": "m-1", "messages": MESSAGES},
    "reply": {"choices": [{"message": {"role": "assistant", "content": ANSWER}, "finish_reason": "stop"}], "usage": {"prompt_tokens": 9, "completion_tokens": 2}},
}  # fmt: skip


def events(*names: str) -> bytes:
    return json.dumps([EVENT | {"event_id": name} for name in names]).encode()


async def send(house: House, body: Any, path: str = "/events", **headers: str) -> tuple[int, dict[str, Any], dict[str, str]]:
    async with aiohttp.ClientSession() as session, session.post(f"{house.server.url}{path}", data=body, headers=headers) as answer:
        told = await answer.json() if answer.content_type == "application/json" else {"text": await answer.text()}
        return answer.status, told, {name.lower(): value for name, value in answer.headers.items()}


def test_a_batch_is_on_disk_when_it_is_accepted_and_a_retry_of_it_writes_nothing_twice(tmp_path):
    """A sender that heard no answer sends the batch again."""

    async def story() -> None:
        async with ingest(tmp_path) as house:
            first = await send(house, events("a", "b", "b"))
            again = await send(house, b"\n".join(json.dumps(EVENT | {"event_id": name}).encode() for name in "abc"))
            assert (first[0], again[0]) == (202, 202)
            assert first[1] == {"accepted": 2, "duplicates": 1, "refused_total": 0, "refused": []}
            assert (again[1]["accepted"], again[1]["duplicates"]) == (1, 2)
            assert [event["event_id"] for event in house.spooled()] == ["a", "b", "c"]
            assert (house.service.intake.accepted, house.service.intake.duplicates) == (3, 3)

    asyncio.run(story())


def test_the_same_batch_at_the_same_time_is_written_once(tmp_path):
    """Impatient senders do not wait for the first answer."""

    async def story() -> None:
        async with ingest(tmp_path) as house:
            answers = await asyncio.gather(*(send(house, events("a", "b")) for _ in range(10)))
            assert {status for status, _, _ in answers} == {202}
            assert sum(told["accepted"] for _, told, _ in answers) == 2
            assert len(house.spooled()) == 2

    asyncio.run(story())


def test_each_refused_item_is_named_by_place_and_field_and_the_others_are_taken(tmp_path):
    """The sender's programmer must find the one line in five thousand, without his customers' words in the answer."""
    bad = [EVENT | {"account_id": None}, EVENT | {"event_time": PROMPT}, 5, EVENT | {"account_id": "jane@example.org"}]

    async def story() -> None:
        async with ingest(tmp_path) as house:
            status, told, _ = await send(house, json.dumps([*bad, EVENT]).encode())
            assert (status, told["accepted"], told["refused_total"]) == (202, 1, 4)
            assert [(one["index"], one["reason"], one["field"]) for one in told["refused"]] == [
                (0, "missing_field", "account_id"), (1, "illegal_field", "event_time"), (2, "not_an_object", ""), (3, "illegal_field", "account_id"),
            ]  # fmt: skip
            assert all("it should be" in one["detail"] for one in told["refused"])
            assert not {"jane", "violet"} & set(json.dumps(told).replace("@", " ").split())
            assert (await send(house, json.dumps(bad).encode()))[0] == 422
            assert dict(house.server.refusals) == {"missing_field": 2, "illegal_field": 4, "not_an_object": 2}

    asyncio.run(story())


def test_exchanges_and_payloads_become_events_and_their_texts_end_here(tmp_path):
    """The same exchange by two ways is the same conversation."""

    async def story() -> None:
        async with ingest(tmp_path) as house:
            assert (await send(house, json.dumps(EXCHANGE).encode(), "/exchanges"))[0] == 202
            assert (await send(house, json.dumps([litellm_payload("jane@example.org")]).encode(), "/litellm"))[0] == 202
            told, logged = house.spooled()
            assert told["account_id"] == logged["account_id"] == house.reading.identifiers.account("jane@example.org")
            assert [told[name] for name in ("prefix", "shape", "conversation_after", "ip", "ip_prefix")] == [
                logged[name] for name in ("prefix", "shape", "conversation_after", "ip", "ip_prefix")
            ]
            assert QUESTION[:20] not in json.dumps([told, logged])

    asyncio.run(story())


def test_a_full_spool_asks_senders_to_wait_and_takes_events_again_when_there_is_room(tmp_path):
    """Back-pressure belongs where the events are."""

    async def story() -> None:
        async with ingest(tmp_path, bytes_max=1 << 16) as house:
            sent = 0
            while (answer := await send(house, events(*(f"{sent}-{n}" for n in range(50)))))[0] == 202:
                sent += 50
            status, told, headers = answer
            assert (status, told) == (429, {"error": "turned_away"})
            assert 1 <= int(headers["retry-after"]) <= 5
            assert len(house.spooled()) == sent > 100
            assert house.service.intake.turned_away == 50
            assert not house.service.is_ready or house.service.spool.has_room

    asyncio.run(story())


def test_without_a_spool_nothing_is_promised_while_kafka_is_away(tmp_path, monkeypatch):
    """202 means that it is safe."""

    async def story() -> None:
        async with ingest(None) as house:
            monkeypatch.setattr(house.service.intake, "_answer_seconds", 0.2)
            status, told, headers = await send(house, events("a"))
            assert (status, told) == (503, {"error": "not_yet"})
            assert "retry-after" in headers
            assert (house.service.is_ready, house.service.intake.pending, house.service.intake.accepted) == (False, 1, 0)

    asyncio.run(story())


def test_events_that_wait_in_memory_are_bounded(monkeypatch):
    """Kafka away and no spool: senders wait, and memory does not grow."""
    monkeypatch.setattr("guard.gateway.ingest.intake.PENDING_MAX", 100)

    async def story() -> None:
        async with ingest(None) as house:
            monkeypatch.setattr(house.service.intake, "_answer_seconds", 0.2)
            assert (await send(house, events(*map(str, range(90)))))[0] == 503
            assert (await send(house, events(*map(str, range(80, 120)))))[0] == 429
            assert (await send(house, events(*map(str, range(90)))))[0] == 503
            assert house.service.intake.pending == 90

    asyncio.run(story())


def test_whoever_does_not_know_the_token_is_not_read(tmp_path):
    """The port takes events about everybody's customers."""

    async def story() -> None:
        async with ingest(tmp_path, token="sesame") as house:
            assert [
                (await send(house, events("a"), **headers))[0]
                for headers in (
                    {},
                    {"x-guard-token": "s\udce9same".encode("utf-8", "surrogateescape").decode("latin-1")},
                    {"authorization": "Bearer no"},
                )
            ] == [401] * 3
            assert (await send(house, events("a"), authorization="Bearer sesame"))[0] == 202
            assert (await send(house, events("b"), **{"x-guard-token": "sesame"}))[0] == 202
            assert house.server.bodies["unauthorised"] == 3

    asyncio.run(story())


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
@given(values=st.lists(JSON, min_size=1, max_size=30), path=st.sampled_from(["/events", "/exchanges", "/litellm"]))
def test_no_json_is_a_failure_of_ours(values, path):
    """Whatever is sent: it is taken or refused, item by item."""
    bases = {"/events": EVENT, "/exchanges": EXCHANGE, "/litellm": litellm_payload()}
    items = [bases[path] | value if isinstance(value, dict) else value for value in values]
    reading = Reading(KEY)
    found = reading.read(path, json.dumps(items).encode())

    assert len(found.events) + sum(found.refusals.values()) == len(items)


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


def test_a_sender_that_has_gone_leaves_nothing_behind(tmp_path):
    """What it sent is safe all the same, and finds itself when it comes again."""

    async def gone() -> None:
        async with ingest(tmp_path) as house:
            task = asyncio.create_task(send(house, events("a")))
            await asyncio.sleep(0.01)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            status, told, _ = await send(house, events("a"))
            assert (status, told["accepted"] + told["duplicates"]) == (202, 1)
            assert len(house.spooled()) == 1
            assert house.service.intake.pending == 0

    asyncio.run(gone())
