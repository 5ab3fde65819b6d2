"""An access log is followed through renaming, cutting, restarts and a Kafka that is away: each line is taken, none is lost."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from guard.errors import UsageError
from guard.gateway.ingest import log_tail
from guard.gateway.ingest.log_tail import is_taken
from tests.support.ingest import House, following, ingest

PATIENCE_SECONDS = 20.0


def line(number: int) -> bytes:
    """One exchange as deploy/envoy logs it."""
    fields = {"event_id": f"r-{number}", "event_time": str(1_790_000_000_000 + number), "account_id": "acct-1", "status": 200, "model": "m"}
    return json.dumps(fields | {"input_tokens": "9", "output_tokens": "1"}).encode() + b"\n"


def lines(*numbers: int) -> bytes:
    """Several."""
    return b"".join(map(line, numbers))


async def until(is_so: Callable[[], bool]) -> None:
    """Wait for it."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not is_so():
            await asyncio.sleep(0.01)


def ids(found: House) -> list[str]:
    """Which were taken."""
    return [event["event_id"] for event in found.spooled()]


def named(*numbers: int) -> list[str]:
    """The ids of lines."""
    return [f"r-{number}" for number in numbers]


@asynccontextmanager
async def full(folder: Path) -> AsyncIterator[tuple[House, Callable[[], None]]]:
    """Ingest whose spool has no room until the second is called."""
    async with ingest(folder) as found:
        spool = found.service.spool
        assert spool is not None
        room, spool._bytes_max = spool._bytes_max, 1
        yield found, lambda: setattr(spool, "_bytes_max", room)


async def taken(found: House, log: Path, *numbers: int) -> None:
    """Once the log is taken to its end: these lines were, each once, in this order, and no other."""
    await until(lambda: ids(found) == named(*numbers))
    await until(lambda: is_taken(log))
    assert ids(found) == named(*numbers)


def test_lines_are_taken_as_they_come_and_half_a_line_waits(tmp_path: Path) -> None:
    """Envoy writes when its buffer is full, wherever in a line that is."""

    async def story() -> None:
        log = tmp_path / "exchanges.jsonl"
        async with ingest(tmp_path / "spool") as found, following(found, log) as tail:
            await asyncio.sleep(0.2)
            log.write_bytes(lines(1, 2) + line(3)[:20])
            await until(lambda: ids(found) == named(1, 2))
            await until(lambda: tail.behind_bytes == 20)
            with log.open("ab") as more:
                more.write(line(3)[20:] + b"not json\n" + line(4))
            await taken(found, log, 1, 2, 3, 4)
            assert (tail.refusals, tail.behind_bytes) == ({"not_json": 1}, 0)

    asyncio.run(story())


def test_a_log_that_is_renamed_is_read_to_its_end_and_one_that_is_cut_from_its_beginning(tmp_path: Path) -> None:
    """Both ways in which logs are rotated."""

    async def story() -> None:
        log = tmp_path / "exchanges.jsonl"
        log.write_bytes(lines(1, 2))
        async with ingest(tmp_path / "spool") as found, following(found, log) as tail:
            await until(lambda: ids(found) == named(1, 2))
            with log.open("ab") as old:
                log.rename(tmp_path / "exchanges.jsonl.1")
                old.write(lines(3))
                log.write_bytes(lines(4))
            await until(lambda: ids(found) == named(1, 2, 3, 4))
            log.write_bytes(b"")
            await asyncio.sleep(0.3)
            log.write_bytes(lines(5))
            await taken(found, log, 1, 2, 3, 4, 5)
            assert tail.behind_bytes == 0

    asyncio.run(story())


def test_what_is_still_written_to_a_renamed_log_is_taken_though_the_next_one_is_there_already(tmp_path: Path) -> None:
    """Rotation makes the new file before the gateway is told to open it, and one of nginx's workers may open it before another."""

    async def story() -> None:
        log = tmp_path / "exchanges.jsonl"
        log.write_bytes(lines(1))
        async with ingest(tmp_path / "spool") as found, following(found, log) as tail:
            await until(lambda: ids(found) == named(1))
            with log.open("ab", buffering=0) as old:
                log.rename(tmp_path / "exchanges.jsonl.1")
                log.touch()
                await asyncio.sleep(0.5)
                old.write(lines(2))
                await until(lambda: ids(found) == named(1, 2))
                log.write_bytes(lines(4))
                await asyncio.sleep(0.5)
                old.write(lines(3))
            await taken(found, log, 1, 2, 3, 4)
            assert tail.behind_bytes == 0

    asyncio.run(story())


def test_a_log_renamed_again_and_again_while_nothing_can_be_taken_is_read_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A night without Kafka is several rotations: the log is the spool, each part of it."""
    monkeypatch.setattr(log_tail, "RETRY_SECONDS", 0.05)

    async def story() -> None:
        log = tmp_path / "exchanges.jsonl"
        log.write_bytes(lines(1))
        (tmp_path / "exchanges.jsonl.bak").write_bytes(lines(9))
        async with full(tmp_path / "spool") as (found, empty), following(found, log) as tail:
            await until(lambda: found.service.intake.turned_away > 0)
            for number in (2, 3, 4):
                await asyncio.sleep(0.02)
                for age in (3, 2, 1):
                    if (older := log.with_name(f"{log.name}.{age}")).exists():
                        older.rename(log.with_name(f"{log.name}.{age + 1}"))
                log.rename(log.with_name(f"{log.name}.1"))
                log.write_bytes(lines(number))
            empty()
            await taken(found, log, 1, 2, 3, 4)
            assert tail.behind_bytes == 0

    asyncio.run(story())


def check_restart(folder: Path, meanwhile: Callable[[Path], None], *numbers: int) -> None:
    """Whoever took lines 1 and 2 stops; something happens to the log; who starts then takes these lines and no other."""

    async def story() -> None:
        log = folder / "exchanges.jsonl"
        log.write_bytes(lines(1, 2))
        async with ingest(folder / "spool") as found, following(found, log) as tail:
            await taken(found, log, 1, 2)
            await tail.stop()
            meanwhile(log)
        async with ingest(folder / "other") as found, following(found, log) as tail:
            await taken(found, log, *numbers)
            assert tail.behind_bytes == 0

    asyncio.run(story())


def test_a_restart_goes_on_where_the_log_was_left_even_if_it_was_renamed_meanwhile(tmp_path: Path) -> None:
    """A deployment must neither skip what came meanwhile nor send a day's log again."""

    def renamed(log: Path) -> None:
        with log.open("ab") as old:
            old.write(lines(3))
        log.rename(tmp_path / "exchanges.jsonl.1")
        log.write_bytes(lines(4, 5))

    check_restart(tmp_path, renamed, 3, 4, 5)


@pytest.mark.parametrize("numbers", [(3, 4), (3, 4, 5, 6)])
def test_other_contents_under_the_same_inode_are_read_from_their_beginning(numbers: tuple[int, ...], tmp_path: Path) -> None:
    """A log cut while nobody looked, or removed and its inode given to the next, may be as long as what was taken, or longer."""

    def overwritten(log: Path) -> None:
        with log.open("r+b") as same:
            same.write(lines(*numbers))

    check_restart(tmp_path, overwritten, *numbers)


def test_while_nothing_can_be_taken_the_log_keeps_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full spool makes a sender wait; a log has nobody who would send again."""
    monkeypatch.setattr(log_tail, "RETRY_SECONDS", 0.05)

    async def story() -> None:
        log = tmp_path / "exchanges.jsonl"
        log.write_bytes(lines(*range(50)))
        async with full(tmp_path / "spool") as (found, empty), following(found, log) as tail:
            await until(lambda: found.service.intake.turned_away > 50)
            assert ids(found) == []
            empty()
            await taken(found, log, *range(50))
            assert tail.refusals == {}

    asyncio.run(story())


def test_a_line_without_end_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that wrote nonsense must not stop every line behind it, nor be read into memory."""
    monkeypatch.setattr(log_tail, "READ_BYTES", 4_096)

    async def story() -> None:
        log = tmp_path / "exchanges.jsonl"
        log.write_bytes(lines(1) + b"x" * 50_000 + b"\n" + lines(2))
        async with ingest(tmp_path / "spool") as found, following(found, log) as tail:
            await taken(found, log, 1, 2)
            assert tail.behind_bytes == 0

    asyncio.run(story())


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    """It would begin anew at each restart, unseen."""

    async def story() -> None:
        async with ingest(tmp_path / "spool") as found:
            with pytest.raises(UsageError, match="should be writable"):
                async with following(found, tmp_path / "nowhere" / "exchanges.jsonl"):
                    pass

    asyncio.run(story())
