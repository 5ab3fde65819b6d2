"""The spool: what it said it has is there after a crash, in order, within its size, for its owner alone."""

import asyncio
import os
import stat
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guard.errors import UsageError
from guard.gateway.ingest.spool import Spool, SpoolFullError

ROOMY = 1 << 20
SMALL_BODY = b'{"a":"%07d"}'


def with_spool(folder: Path, work: Callable[[Spool], Awaitable[None]], bytes_max: int = ROOMY) -> None:
    async def run() -> None:
        spool = Spool(folder, bytes_max)
        spool.open()
        try:
            await work(spool)
        finally:
            await spool.close()

    asyncio.run(run())


def drained(spool: Spool, at_once: int = 3) -> list[bytes]:
    found = []
    while bodies := spool.peek(at_once)[1]:
        found += bodies
        spool.advance(len(bodies))
    return found


async def is_taken(spool: Spool, bodies: list[bytes]) -> bool:
    try:
        await spool.append(bodies)
    except SpoolFullError:
        return False
    return True


LINES = st.lists(st.binary(min_size=1, max_size=30).map(lambda value: value.replace(b"\n", b" ")), min_size=1, max_size=5)
STEPS = st.lists(
    st.one_of(st.tuples(st.just("append"), LINES), st.tuples(st.just("read"), st.integers(1, 6)), st.just(("reopen", None))), max_size=25
)


@settings(deadline=None, max_examples=60)
@given(steps=STEPS)
def test_it_is_a_queue_that_outlives_its_process(steps, tmp_path_factory):
    """Whatever is written, read, and however often the process ends: each event once, in its order. Small files, so that many begin and end."""
    folder = tmp_path_factory.mktemp("spool")
    waiting: list[bytes] = []

    async def run() -> None:
        spool = Spool(folder, 160)
        spool.open()
        for what, how in steps:
            if what == "append":
                try:
                    await spool.append(how)
                    waiting.extend(how)
                except SpoolFullError:
                    assert spool.size_bytes + sum(map(len, how)) + len(how) > 160
            elif what == "read":
                bodies = spool.peek(how)[1]
                assert bodies == waiting[: len(bodies)]
                assert bool(bodies) == bool(waiting)
                spool.advance(len(bodies))
                del waiting[: len(bodies)]
            else:
                await spool.close()
                spool = Spool(folder, 160)
                spool.open()
            assert len(spool) == len(waiting)
            assert spool.size_bytes == sum(path.stat().st_size for path in folder.glob("*.jsonl"))
        assert drained(spool) == waiting
        await spool.close()

    asyncio.run(run())


def test_what_was_being_written_at_the_crash_had_not_been_accepted(tmp_path):
    """A torn line is nobody's event; the next process writes a file of its own and reads past it."""
    folder = tmp_path / "spool"
    with_spool(folder, lambda spool: spool.append([b"one", b"two"]))
    (segment,) = folder.glob("*.jsonl")
    with segment.open("ab") as file:
        file.write(b'{"half": ')

    async def second(spool: Spool) -> None:
        assert len(spool) == 2
        await spool.append([b"three"])
        assert drained(spool) == [b"one", b"two", b"three"]

    with_spool(folder, second)


def test_a_position_that_is_lost_makes_events_come_twice_and_loses_none(tmp_path):
    """The position is not synced; the guard knows duplicates by their ids."""
    folder = tmp_path / "spool"

    async def first(spool: Spool) -> None:
        await spool.append([b"one", b"two", b"three"])
        spool.advance(len(spool.peek(2)[1]))

    async def second(spool: Spool) -> None:
        assert drained(spool) == [b"one", b"two", b"three"]

    with_spool(folder, first)
    (folder / "position").write_text("garbage")
    with_spool(folder, second)


def test_nobody_else_can_read_it(tmp_path):
    """Other users of the machine are not the gateway."""
    os.umask(0)
    folder = tmp_path / "deep" / "spool"

    async def work(spool: Spool) -> None:
        await spool.append([b"one"])
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert {stat.S_IMODE(path.stat().st_mode) & 0o077 for path in folder.glob("*.jsonl")} == {0}

    with_spool(folder, work)


def test_beyond_its_size_nothing_is_taken_and_there_is_room_again_when_it_was_read(tmp_path):
    """The disk belongs to the gateway."""

    async def work(spool: Spool) -> None:
        taken = 0
        while await is_taken(spool, [SMALL_BODY % taken]):
            taken += 1
        assert not spool.has_room
        assert sum(path.stat().st_size for path in (tmp_path / "spool").glob("*.jsonl")) <= 4_096
        assert len(drained(spool, 100)) == taken
        assert list((tmp_path / "spool").glob("*.jsonl")) == []
        await spool.append([b"again"])
        assert drained(spool) == [b"again"]

    with_spool(tmp_path / "spool", work, 4_096)


def test_appends_at_the_same_time_are_all_there(tmp_path):
    """One sync serves all that came while the last one ran."""

    async def work(spool: Spool) -> None:
        places: dict[int, int] = {}
        await asyncio.gather(
            *(spool.append([SMALL_BODY % n, b"x%d" % n], lambda first, n=n: places.update({n: first})) for n in range(200))
        )
        lines = drained(spool, 1_000)
        assert len(lines) == 400
        assert all(lines[first] == SMALL_BODY % number for number, first in places.items())

    with_spool(tmp_path / "spool", work)


def test_two_processes_cannot_have_the_same_one(tmp_path):
    """Each would delete what the other still needs."""

    async def work(spool: Spool) -> None:
        with pytest.raises(UsageError, match="another process has it"):
            Spool(tmp_path, ROOMY).open()

    with_spool(tmp_path, work)


@pytest.mark.parametrize("name", ["file", "file/below"])
def test_a_folder_that_cannot_be_used_is_one_clear_line(name, tmp_path):
    """It is found at the start, not with the first event."""
    (tmp_path / "file").write_text("x")
    with pytest.raises(UsageError, match="name a folder to write to"):
        Spool(tmp_path / name, ROOMY).open()


def test_a_disk_that_takes_no_more_refuses_and_works_again_later(tmp_path):
    """A full disk, here a limit on the size of files, is the sender's news and nobody's crash."""
    resource = pytest.importorskip("resource")
    size_max = 1 << 20  # room for what others write meanwhile

    async def work(spool: Spool) -> None:
        await spool.append([b"before"])
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size_max, hard))
        try:
            with pytest.raises(SpoolFullError):
                await spool.append([b"x" * 1_000] * 2_000)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        await spool.append([b"after"])
        assert drained(spool) == [b"before", b"after"]

    with_spool(tmp_path / "spool", work, 8 << 20)
