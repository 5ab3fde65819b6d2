"""Mutated records through the whole engine step: nothing may escape, and dead letters are counted exactly."""

import random
import time

from guard.engine.accounts import AccountsStage
from guard.engine.driver import Forwarded
from guard.topics import Topic
from tests.bench.hostile import mutated
from tests.support.events import T0, open_control

BATCH = 500


def whole_step(records: int, seed: int) -> tuple[int, int, int]:
    """Events judged or otherwise counted, dead letters tallied, dead letters written."""
    stage, dice = AccountsStage(0, 1, {}, open_control()), random.Random(seed)
    counted = tallied = written = 0
    for start in range(0, records, BATCH):
        stage.step([Forwarded("guard.requests", 0, mutated(dice), offset=start + place, timestamp=T0) for place in range(BATCH)])
        outcome = stage.drain()
        tallied += outcome.tallies.get("events.dead_letter", 0)
        written += sum(message.topic is Topic.DEAD_LETTERS for message in outcome.messages)
        counted += sum(outcome.tallies.get(f"events.{name}", 0) for name in ("judged", "duplicate", "refused"))
    return counted, tallied, written


def main(records: int) -> None:
    """Print what became of them."""
    began = time.perf_counter()
    counted, tallied, written = whole_step(records, 7)
    print(
        f"{records:,} mutated records: {counted:,} events, {written:,} dead letters ({tallied:,} counted), 0 uncaught, {records / (time.perf_counter() - began):,.0f}/s"
    )
