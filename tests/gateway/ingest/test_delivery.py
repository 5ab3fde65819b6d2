"""Delivery: what is not in Kafka is on disk, and what failed on its way is brought again."""

import asyncio
from pathlib import Path

import pytest

from guard.events.clean import CleanEvent
from guard.gateway.ingest import delivery as delivery_module
from guard.gateway.ingest.delivery import Delivery
from guard.gateway.ingest.intake import Intake, NotYetError
from guard.gateway.ingest.kafka import KafkaWay
from guard.gateway.ingest.spool import Spool, SpoolFullError


class Way(KafkaWay):
    """A way to Kafka that fails, waits or works as the test wants it."""

    def __init__(self) -> None:
        super().__init__("127.0.0.1:1")
        self.brought: list[str] = []
        self.failures = 0
        self.is_open = asyncio.Event()

    @property
    def is_up(self) -> bool:
        return True

    async def bring(self, event: CleanEvent) -> None:
        if self.failures:
            self.failures -= 1
            raise ZeroDivisionError
        await self.is_open.wait()
        self.brought.append(event.event_id)


def event(name: str) -> CleanEvent:
    return CleanEvent("acct-7", name, b'{"account_id": "acct-7", "event_id": "%s"}' % name.encode())


def spool_of(folder: Path, bytes_max: int = 1 << 20) -> Spool:
    spool = Spool(folder, bytes_max)
    spool.open()
    return spool


async def emptied(spool: Spool) -> None:
    async with asyncio.timeout(10):
        while spool:
            await asyncio.sleep(0.01)


def test_an_event_that_failed_on_its_way_is_spooled_and_brought_again(tmp_path, monkeypatch):
    """A failure that nobody foresaw must not pass for an acknowledgement."""
    monkeypatch.setattr(delivery_module, "UNREADABLE_SECONDS", 0.01)

    async def story() -> None:
        way, spool = Way(), spool_of(tmp_path)
        way.is_open.set()
        way.failures = 2
        delivery = Delivery(way, spool)
        await delivery.deliver([event("a"), event("b"), event("c")])
        assert (way.brought, delivery.spooled) == (["c"], 2)
        way.failures = 1
        replay = asyncio.create_task(delivery.replay())
        await emptied(spool)
        replay.cancel()
        await spool.close()
        assert set(way.brought) == {"a", "b", "c"}

    asyncio.run(story())


def test_what_the_producer_has_is_not_sent_a_second_time_from_the_spool(tmp_path, monkeypatch):
    """An idempotent producer goes on trying by itself; a second record would be the only way to a duplicate."""
    monkeypatch.setattr(delivery_module, "ACK_SECONDS", 0.05)

    async def story() -> None:
        way, spool = Way(), spool_of(tmp_path)
        delivery = Delivery(way, spool)
        await delivery.deliver([event("a"), event("b")])
        await delivery.deliver([event("c")])
        assert (way.brought, delivery.spooled, len(spool)) == ([], 3, 3)
        replay = asyncio.create_task(delivery.replay())
        way.is_open.set()
        await emptied(spool)
        replay.cancel()
        await spool.close()
        assert sorted(way.brought) == ["a", "b", "c"]

    asyncio.run(story())


def test_a_line_of_the_spool_that_cannot_be_read_is_counted_and_the_next_is_brought(tmp_path, capsys):
    """A damaged disk must not hold back what is whole, and its loss must be seen."""

    async def story() -> None:
        way, spool = Way(), spool_of(tmp_path)
        way.is_open.set()
        await spool.append([b'{"account_id": "acct-7", "ev\x00\xff', b"{}", event("b").body])
        delivery = Delivery(way, spool)
        replay = asyncio.create_task(delivery.replay())
        await emptied(spool)
        replay.cancel()
        await spool.close()
        assert (way.brought, delivery.lost) == (["b"], 2)

    asyncio.run(story())
    assert "acct-7" not in capsys.readouterr().out


def test_with_a_full_spool_what_the_producer_has_is_waited_for_and_what_it_has_not_is_turned_away(tmp_path, monkeypatch):
    """Turned away although it may be written, a batch would be sent again and be written twice."""
    monkeypatch.setattr(delivery_module, "ACK_SECONDS", 0.05)

    async def story() -> None:
        way, spool = Way(), spool_of(tmp_path, 10)
        intake = Intake(Delivery(way, spool), answer_seconds=0.1)
        with pytest.raises(NotYetError):
            await intake.take([event("a")])
        with pytest.raises(NotYetError):
            await intake.take([event("a")])
        way.is_open.set()
        taken = await intake.take([event("a")])
        assert (taken.accepted, taken.duplicates, way.brought, intake.accepted) == (0, 1, ["a"], 1)
        monkeypatch.setattr(Way, "is_up", False)
        with pytest.raises(SpoolFullError):
            await intake.take([event("b"), event("c")])
        assert (intake.turned_away, intake.pending) == (2, 0)
        await spool.close()

    asyncio.run(story())


def test_what_was_taken_long_ago_is_forgotten(tmp_path):
    """Memory is bounded; the guard itself knows duplicates of ten minutes."""

    async def story() -> None:
        way, spool = Way(), spool_of(tmp_path)
        way.is_open.set()
        intake = Intake(Delivery(way, spool), recent_max=3)
        for name in "abcd":
            await intake.take([event(name)])
        assert (await intake.take([event("d"), event("b")])).duplicates == 2
        assert (await intake.take([event("a")])).accepted == 1
        assert len(intake._recent) == 3
        await spool.close()

    asyncio.run(story())
