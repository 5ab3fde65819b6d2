"""Reports from within a gateway: bounded, never in the way, handed on until somebody takes them."""

import asyncio
import json
from typing import Any

import pytest

from guard.gateway.ingest import reporter as reporter_module
from guard.gateway.ingest.reading import Reading
from guard.gateway.ingest.reporter import Exchange, NotTakenError, Reporter
from guard.gateway.ingest.ways import IngestClient
from tests.support.ingest import KEY
from tests.support.model_server import OPENAI
from tests.support.payloads import QUESTION

TURNS = [{"role": "user", "content": QUESTION}]


def test_what_nobody_takes_is_bounded_and_counted_and_sent_when_somebody_does(monkeypatch):
    """Ingest away for an hour must cost a gateway neither its memory nor a request."""
    monkeypatch.setattr(reporter_module, "EVENTS_MAX", 50)
    monkeypatch.setattr(reporter_module, "RETRY_SECONDS", (0.01, 0.02))
    taken: list[Any] = []
    is_away = True

    async def deliver(events: Any) -> None:
        if is_away:
            raise NotTakenError
        taken.extend(events)

    async def story() -> None:
        nonlocal is_away
        reporter = Reporter(Reading(KEY), deliver)
        reporter.start()
        for number in range(80):
            known = {"event_id": f"e-{number}", "account_id": "acct-7", "model": "m", "input_tokens": 1, "output_tokens": 1}
            reporter.report(Exchange(known, lambda: (None, None), 10))
        assert (reporter.waiting, reporter.lost) == (50, 30)
        await asyncio.sleep(0.1)
        assert taken == []
        is_away = False
        await reporter.stop()
        assert [event.event_id for event in taken] == [f"e-{number}" for number in range(50)]
        assert (reporter.delivered, reporter.lost, reporter.waiting) == (50, 30, 0)

    asyncio.run(story())


def test_texts_for_which_there_is_no_room_are_dropped_and_the_exchange_is_reported(monkeypatch):
    """Who sends eight megabytes at a time must not be the one who is never judged."""
    monkeypatch.setattr(reporter_module, "HELD_BYTES_MAX", 1_000)
    taken: list[Any] = []

    async def deliver(events: Any) -> None:
        taken.extend(json.loads(event.body) for event in events)

    async def story() -> None:
        reporter = Reporter(Reading(KEY), deliver)
        reporter.start()
        for name, size in (("a", 800), ("b", 4_000)):
            known = {"event_id": name, "account_id": "acct-7", "status": 200}
            reporter.report(Exchange(known, lambda: ({"model": "m", "messages": TURNS}, OPENAI), size))
        await reporter.stop()
        whole, bare = taken
        assert (whole["model"], whole["input_tokens"]) == ("m", 9)
        assert (bare["model"], bare["input_tokens"], bare["output_tokens"]) == ("unknown", 1_000, 0)
        assert (reporter.textless, reporter.lost) == (1, 0)

    asyncio.run(story())


def test_an_ingest_that_is_away_or_strange_is_asked_again():
    """Nobody there, a proxy's error page, a wrong token: the events stay."""

    async def story() -> None:
        for url in ("http://127.0.0.1:1", "http://no-such-host.invalid"):
            client = IngestClient(url)
            with pytest.raises(NotTakenError):
                await client.deliver([])
            await client.close()

    asyncio.run(story())
