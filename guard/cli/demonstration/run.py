"""The demonstration from its first to its last second."""

import asyncio
import json
import time
from pathlib import Path
from typing import Any, Final

import msgspec
from aiokafka import AIOKafkaProducer
from msgspec import Struct
from rich.console import Console

from guard.cli.demonstration import processes
from guard.cli.demonstration.clock import GuardClock
from guard.cli.demonstration.processes import GuardProcess
from guard.cli.demonstration.summary import print_summary
from guard.cli.demonstration.view import Facts, View
from guard.control.push import Wait, push_policy, wait_for_workers
from guard.control.reach import reaching
from guard.control.topics_read import read_topic
from guard.decisions.decision import Decision
from guard.events.request import RequestEvent
from guard.gateway.follower import DecisionFollower
from guard.gateway.orders import Orders
from guard.policy.signature import UNSIGNED
from guard.simulation.loop import ObedientGateway
from guard.simulation.presets import Built
from guard.simulation.score import Report, Scorer
from guard.streaming.admin import create_topics
from guard.topics import PARTITIONS_DEFAULT, Topic
from guard.units import MINUTE_MS

GROUP: Final = "guard"
POLICY_MINUTE: Final = 25
KILL_MINUTE: Final = 40
YIELD_EVERY: Final = 20
"""Exchanges between two looks at what else there is to do."""
SETTLE_SECONDS: Final = 2.0
"""After the last commit: the way of the last contacts through links and campaigns."""

_encode = msgspec.json.Encoder().encode


class Ended(Struct):
    """What came of the demonstration."""

    report: Report
    campaigns: list[dict[str, Any]]
    seconds: float
    names: dict[str, str]
    workers: list[GuardProcess]


class Demonstration:
    """One run over a broker that is up. `log_folder` holds the workers' logs."""

    def __init__(self, bootstrap: str, built: Built, log_folder: Path, console: Console) -> None:
        self._bootstrap = bootstrap
        self._built = built
        self._console = console
        self._log_folder = log_folder
        self._scorer = Scorer(built.truths)
        self._honest = {truth.account_id for truth in built.truths if truth.honest}
        self._facts = Facts(minutes=(built.end - built.start) / MINUTE_MS)
        self._sanctioned: set[str] = set()
        self._workers: list[GuardProcess] = []
        self._orders = Orders()
        self._named: list[tuple[str, frozenset[str]]] = []

    async def run(self, *, keep: bool) -> Ended:
        """Play the world; the workers are ended at the end, unless `keep`."""
        with View(self._console) as view, reaching(self._bootstrap):
            try:
                await create_topics(self._bootstrap, PARTITIONS_DEFAULT)
                view.say(f"Kafka is up on {self._bootstrap}, its topics are made")
                await self._start_workers(view)
                await self._play(view)
                campaigns = await self._campaigns()
                return Ended(self._scorer.report(), campaigns, self._played_seconds, self._names(campaigns), self._workers)
            finally:
                if not keep:
                    await asyncio.gather(*(worker.end() for worker in self._workers))

    async def _start_workers(self, view: View) -> None:
        self._workers = [self._worker(number) for number in (1, 2)]
        for worker in self._workers:
            await worker.start()
        for worker in self._workers:
            await worker.wait_until_ready()
        view.say(f"two workers are ready; {self._workers[0].name} shows its metrics on {self._workers[0].url}/metrics")

    def _worker(self, number: int) -> GuardProcess:
        return processes.worker(f"worker {number}", self._bootstrap, self._log_folder / f"worker-{number}.log")

    async def _play(self, view: View) -> None:
        follower = DecisionFollower(self._bootstrap, self._orders, self._take)
        producer = AIOKafkaProducer(bootstrap_servers=self._bootstrap, enable_idempotence=True, linger_ms=2)
        await follower.start()
        await producer.start()
        clock = GuardClock(self._bootstrap, GROUP, producer)
        await clock.start()
        began = time.monotonic()
        try:
            await self._drive(clock, view)
            await clock.finish()
            await asyncio.sleep(SETTLE_SECONDS)
        finally:
            self._played_seconds = time.monotonic() - began
            await clock.stop()
            await producer.stop()
            await follower.stop()

    async def _drive(self, clock: GuardClock, view: View) -> None:
        events = {POLICY_MINUTE: self._change_policy, KILL_MINUTE: self._kill}
        facts, start = self._facts, self._built.start
        for exchange in self._built.world.play(ObedientGateway(self._orders)):
            event = exchange.event
            self._scorer.exchange(event.account_id, event.event_time, was_refused=exchange.was_refused)
            facts.exchanges += 1
            facts.refused += exchange.was_refused
            facts.minute = (event.event_time - start) / MINUTE_MS
            for minute in [minute for minute in events if facts.minute >= minute]:
                await events.pop(minute)(view)
            await clock.send(event.account_id, _as_json(event), event.event_time)
            if not facts.exchanges % YIELD_EVERY:
                view.show(facts)
                await asyncio.sleep(0)

    def _take(self, decision: Decision) -> None:
        self._scorer.decision(decision)
        self._facts.decisions += 1
        if decision.action == "allow":
            return
        members = {decision.subject} if decision.scope == "account" else set(decision.members or ())
        self._sanctioned |= members
        self._facts.sanctioned = len(self._sanctioned)
        self._facts.honest_touched = len(self._sanctioned & self._honest)
        if decision.scope == "campaign":
            self._named.append((decision.subject, frozenset(members)))

    async def _change_policy(self, view: View) -> None:
        document = {
            "version": 1,
            "author": "demo",
            "effective_at": self._built.start,
            "mode": "enforce",
            "ladder": {"throttle_rate_rpm": 3},
        }
        pushed = await push_policy(self._bootstrap, json.dumps(document).encode(), UNSIGNED)
        answers = await wait_for_workers(pushed, Wait(self._bootstrap, GROUP, 30.0, lambda _: None))
        view.say(f"minute {POLICY_MINUTE}: policy version 1 (throttle to 3 a minute instead of 6) accepted by {len(answers)} workers")

    async def _kill(self, view: View) -> None:
        victim = self._workers[0]
        await victim.kill()
        view.say(f"minute {KILL_MINUTE}: {victim.name} was killed (kill -9); the clock waits until its shards work again elsewhere")
        fresh = self._worker(3)
        await fresh.start()
        self._workers = [self._workers[1], fresh]

    async def _campaigns(self) -> list[dict[str, Any]]:
        newest: dict[bytes, dict[str, Any]] = {}
        for record in await read_topic(self._bootstrap, Topic.CAMPAIGNS):
            if record.value is not None:
                newest[record.key] = msgspec.json.decode(record.value)
        return list(newest.values())

    def _names(self, campaigns: list[dict[str, Any]]) -> dict[str, str]:
        """The guard's name for each true campaign: that of the decision which names most of its accounts."""
        named = {one["campaign_id"]: one["name"] for one in campaigns}
        found = {}
        for name in dict.fromkeys(truth.campaign for truth in self._built.truths if truth.campaign):
            true = {truth.account_id for truth in self._built.truths if truth.campaign == name}
            best = max(self._named, key=lambda one: len(one[1] & true), default=None)
            if best is not None and best[1] & true:
                found[name] = named.get(best[0], best[0])
        return found


def _as_json(event: RequestEvent) -> bytes:
    return _encode({name: value for name, value in msgspec.structs.asdict(event).items() if value is not None})


async def demonstrate(bootstrap: str, built: Built, log_folder: Path, console: Console, *, keep: bool) -> Ended:
    """Run the demonstration against a broker and print its summary."""
    ended = await Demonstration(bootstrap, built, log_folder, console).run(keep=keep)
    print_summary(console, ended.report, ended.campaigns, ended.seconds, names=ended.names)
    return ended
