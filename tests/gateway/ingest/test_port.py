"""The port of ingest, with Kafka away and a spool: what senders hear, and what the rude among them get."""

import asyncio
import json

from tests.support.ingest import EVENT, events, ingest, send
from tests.support.payloads import EXCHANGE, QUESTION, litellm_payload

PROMPT = "why is the violet lantern in the cellar"


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
