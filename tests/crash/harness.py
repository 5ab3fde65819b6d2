"""One crash run: load, workers, `kill -9` at seeded moments, and the referee's verdict."""

import random
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from tests.crash import engine_referee, referee
from tests.crash.fleet import Fleet
from tests.crash.load import POOLS, TOY, Load
from tests.crash.referee import SHARDS, Verdict
from tests.support.broker import fresh_topics

REFEREES = {"toy": (TOY, referee.counted, referee.judge), "real": (POOLS, engine_referee.counted, engine_referee.judge_engine)}
KILL_SECONDS = (2.0, 9.0)
"""Between two kills: sometimes before the group has settled, sometimes after."""
CATCH_UP_SECONDS = 90.0


class Plan(msgspec.Struct, frozen=True):
    """What a run does; the same plan kills at the same moments."""

    events: int
    kills: int
    seed: int
    workers: int = 2
    engine: str = "toy"
    """`toy`, of which everything is known in advance, or `real`: the guard's own stages."""

    @property
    def moments(self) -> list[tuple[float, int]]:
        """Seconds after the previous kill, and which worker."""
        dice = random.Random(self.seed)
        return [(dice.uniform(*KILL_SECONDS), dice.randrange(self.workers)) for _ in range(self.kills)]

    @property
    def per_second(self) -> float:
        """The load lasts as long as the kills do, and some more."""
        return self.events / (sum(seconds for seconds, _ in self.moments) + 3.0)


class Outcome(msgspec.Struct, frozen=True):
    """What came of it."""

    verdict: Verdict
    counted: int
    seconds: float
    kills: int
    restarts: int
    bad_ends: list[int]
    exit_codes: list[int]

    @property
    def is_clean(self) -> bool:
        """Exactly once, and every worker ended as it should."""
        return self.verdict.is_clean and not self.bad_ends and not any(self.exit_codes)


def crash_run(bootstrap: str, plan: Plan, log: Path) -> Outcome:
    """Run the plan on fresh topics of this broker."""
    fresh_topics(bootstrap, SHARDS)
    environment = {"GUARD_BOOTSTRAP": bootstrap, "GUARD_GROUP": f"crash-{plan.seed}-{time.time_ns()}", "TOY_ENGINE": plan.engine}
    traffic, count, judge = REFEREES[plan.engine]
    began = time.monotonic()
    load = Load(bootstrap, plan.events, plan.seed, plan.per_second, traffic)
    fleet = Fleet(plan.workers, environment, log)
    try:
        assert wait_for(lambda: all(worker.is_ready for worker in fleet.workers), fleet), "the workers are not ready"
        load.start()
        for seconds, index in plan.moments:
            tend_for(seconds, fleet)
            fleet.kill(index)
        wait_for(lambda: load.is_done, fleet)
        assert not load.failed, f"{load.failed} events were not taken by the broker"
        catch_up(lambda: count(bootstrap), plan.events, fleet)
        codes = fleet.end()
    finally:
        load.stop()
        fleet.destroy()
    verdict = judge(bootstrap, load.expected)
    return Outcome(verdict, count(bootstrap), time.monotonic() - began, fleet.kills, fleet.restarts, fleet.bad_ends, codes)


def wait_for(condition: Callable[[], bool], fleet: Fleet, seconds: float = CATCH_UP_SECONDS) -> bool:
    """Tend the fleet until the condition holds; False if it never did."""
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            return False
        fleet.tend()
        time.sleep(0.05)
    return True


def tend_for(seconds: float, fleet: Fleet) -> None:
    """Tend the fleet for so long."""
    until = time.monotonic() + seconds
    wait_for(lambda: time.monotonic() >= until, fleet)


def catch_up(count: Callable[[], int], events: int, fleet: Fleet) -> None:
    """Wait until all events and their forwards are counted; the verdict tells if they never are."""

    def is_done() -> bool:
        time.sleep(0.5)
        return count() >= events

    wait_for(is_done, fleet)
    tend_for(2.0, fleet)
