"""A restart without reading the whole topic: what is saved comes back, and what is damaged is not believed."""

import asyncio
from pathlib import Path
from random import Random

import pytest

from guard.gateway import snapshot
from guard.gateway.orders import Orders
from guard.gateway.places import Place
from tests.gateway.test_precedence import ACCOUNTS, random_decision

AT = 1_790_000_000_000
PLACES = {0: Place(17, b"12345678"), 8: Place(4, b"abcdefgh")}


def filled(seed: int = 3) -> Orders:
    dice, orders = Random(seed), Orders()
    for number in range(400):
        orders.apply(random_decision(dice, AT + number))
    return orders


def saved(path: Path, orders: Orders) -> None:
    asyncio.run(snapshot.save(path, orders, PLACES, AT))


def test_every_answer_is_the_same_after_a_restart(tmp_path: Path) -> None:
    """A restart must not release anybody, nor sanction anybody else."""
    orders = filled()
    saved(tmp_path / "s", orders)
    found, places, _ = snapshot.load(tmp_path / "s", AT + 1_000)
    assert places == PLACES
    assert len(found) == len(orders) > 5
    for account in ACCOUNTS:
        for at in range(AT, AT + 2_500, 7):
            assert found.answer(account, "p0", "o1", at) == orders.answer(account, "p0", "o1", at)


def test_a_part_that_comes_after_the_restart_replaces_the_one_from_before(tmp_path: Path) -> None:
    """Members that were released while it was away would stay refused."""
    orders = filled()
    saved(tmp_path / "s", orders)
    found, _, _ = snapshot.load(tmp_path / "s", AT)
    dice = Random(9)
    for number in range(400):
        decision = random_decision(dice, AT + 400 + number)
        orders.apply(decision)
        found.apply(decision)
        asked = dice.choice(ACCOUNTS), "p1", "o0", AT + 400 + number
        assert found.answer(*asked) == orders.answer(*asked)


def test_how_many_share_a_rate_is_known_before_kafka_answers(tmp_path: Path) -> None:
    """Each of ten enforcers that starts alone would let the full rate through."""
    asyncio.run(snapshot.save(tmp_path / "s", filled(), PLACES, AT, enforcers=10))
    assert snapshot.load(tmp_path / "s", AT).enforcers == 10


def test_only_its_owner_may_read_the_file(tmp_path: Path) -> None:
    """It says who is suspected of what."""
    saved(tmp_path / "s", filled())
    assert (tmp_path / "s").stat().st_mode & 0o077 == 0
    assert [path.name for path in tmp_path.iterdir()] == ["s"]


def test_a_snapshot_older_than_a_day_is_not_used(tmp_path: Path) -> None:
    """Kafka may have dropped a removal that happened meanwhile."""
    saved(tmp_path / "s", filled())
    snapshot.load(tmp_path / "s", AT + snapshot.AGE_MS_MAX)
    with pytest.raises(snapshot.UnusableSnapshotError, match=r"saved 24.0 hours ago"):
        snapshot.load(tmp_path / "s", AT + snapshot.AGE_MS_MAX + 1)
    with pytest.raises(snapshot.UnusableSnapshotError, match=r"saved -0.0 hours ago"):
        snapshot.load(tmp_path / "s", AT - 1)


def test_a_file_that_is_cut_or_changed_anywhere_is_not_used(tmp_path: Path) -> None:
    """Half a file would be half the decisions, silently."""
    path = tmp_path / "s"
    saved(path, filled())
    whole = path.read_bytes()
    dice = Random(1)
    for at in (0, 5, len(whole) // 2, len(whole) - 1, *(dice.randrange(len(whole)) for _ in range(200))):
        for damaged in (whole[:at], whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1 :]):
            path.write_bytes(damaged)
            with pytest.raises(snapshot.UnusableSnapshotError):
                snapshot.load(path, AT)
