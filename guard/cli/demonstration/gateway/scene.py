"""The demonstration at a gateway from its first to its last second."""

import asyncio
import secrets
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Final

from msgspec import Struct
from rich.console import Console

from guard.cli.demonstration.gateway.callers import Callers, fleet_account, honest_account
from guard.cli.demonstration.gateway.envoy import EnvoyProcess, Places, deployed, with_tokens
from guard.cli.demonstration.gateway.models import ModelServer
from guard.cli.demonstration.gateway.tokens import Customer, Issuer
from guard.cli.demonstration.processes import GuardProcess, Program
from guard.errors import GuardError
from guard.gateway.ingest.log_tail import is_taken
from guard.streaming.admin import create_topics
from guard.streaming.broker import EmbeddedBroker
from guard.streaming.broker.probe import free_port
from guard.streaming.broker.properties import HOST
from guard.topics import PARTITIONS_DEFAULT
from guard.units import DAY_MS, HOUR_MS
from guard.wall_clock import wall_clock

HONEST: Final = 8
FLEET: Final = 40
BEFORE_SECONDS: Final = 8.0
FOUND_SECONDS_MAX: Final = 90.0
BLOCKED_SHARE: Final = 0.95
AFTER_SECONDS: Final = 6.0
AWAY_SECONDS: Final = 15.0
CAUGHT_UP_SECONDS_MAX: Final = 60.0
SHOW_SECONDS: Final = 4.0


class Marks(Struct):
    """What the fleet had been answered when it happened, and seconds since its first request."""

    hindered: tuple[int, float] | None = None
    """The first request refused, by whatever decision."""
    shut_out: tuple[int, float] | None = None


class Ended(Struct):
    """What came of it."""

    fleet: Callers
    people: Callers
    marks: Marks
    fleet_answered_while_away: int
    people_answered_while_away: int
    running: int
    """The guard's commands that were up at the end."""


class Scene:
    """One run. `folder` holds every log and file; the broker is started, stopped and started again."""

    def __init__(self, broker: EmbeddedBroker, folder: Path, seed: int, console: Console) -> None:
        self._broker = broker
        self._folder = folder
        self._dice = Random(seed)
        self._console = console
        self._models = ModelServer(seed)
        self._issuer = Issuer(secrets.token_bytes(32))
        self._fleet, self._people = Callers(), Callers()
        self._marks = Marks()
        self._commands: list[GuardProcess] = []
        self._programs: list[Program] = []
        self._began = time.monotonic()
        self._fleet_began = 0.0

    async def run(self) -> Ended:
        """Play it to its end; everything that was started is ended, whatever happens."""
        try:
            places = await self._prepare()
            self._say(f"Envoy listens on {places.url}, in front of a model server; guard run, guard enforce and guard ingest are ready")
            await self._play(places)
            away = await self._without_kafka(places.log)
            running = sum(not command.has_ended for command in self._commands)
            return Ended(self._fleet, self._people, self._marks, *away, running)
        finally:
            for callers in (self._fleet, self._people):
                await asyncio.to_thread(callers.stop)
            await asyncio.gather(*(program.end() for program in self._programs))
            await self._models.stop()

    async def _prepare(self) -> Places:
        await create_topics(self._broker.bootstrap, PARTITIONS_DEFAULT)
        await self._models.start()
        places = Places(free_port(HOST), free_port(HOST), self._models.port, free_port(HOST), free_port(HOST), self._folder)
        self._issuer.write_keys(places.keys)
        key = {"GUARD_HASH_KEY": f"k1:{secrets.token_hex(32)}"}
        commands: tuple[tuple[str, ...], ...] = (
            ("run", "--enforce"),
            ("enforce", "--port", str(places.guard)),
            ("ingest", "--port", str(places.ingest), "--access-log", str(places.log)),
        )
        for name, *flags in commands:
            arguments = (name, "--bootstrap", self._broker.bootstrap, *flags)
            self._commands.append(GuardProcess(f"guard {name}", arguments, self._folder / f"{name}.log", key))
        self._programs = [*self._commands, EnvoyProcess(places, with_tokens(deployed(places), places.keys))]
        for program in self._programs:
            await program.start()
        for program in self._programs:
            await program.wait_until_ready()
        return places

    async def _play(self, places: Places) -> None:
        self._add_people(places.url)
        self._say(f"{HONEST} honest customers are in conversation, with the SDKs of OpenAI and Anthropic as they come")
        await self._wait(BEFORE_SECONDS, lambda: False)
        self._add_fleet(places.url)
        self._fleet_began = time.monotonic()
        self._say(f"a fleet begins: {FLEET} new accounts, each with a card of its own, each below its limit, all asking one question")
        await self._wait(FOUND_SECONDS_MAX, lambda: self._marks.shut_out is not None)
        if self._marks.shut_out is None:
            raise GuardError(
                f"the fleet was not blocked within {FOUND_SECONDS_MAX:.0f} s; this machine may be too slow for this demonstration"
            )
        await self._wait(AFTER_SECONDS, lambda: False)

    def _add_people(self, url: str) -> None:
        now = wall_clock()
        for number in range(HONEST):
            customer = Customer(f"person-{number}", _card(self._dice), now - self._dice.randrange(90, 900) * DAY_MS)
            ask, pause = honest_account(url, self._issuer.token(customer), number, Random(self._dice.random()))
            self._people.add(customer.name, ask, pause)

    def _add_fleet(self, url: str) -> None:
        now = wall_clock()
        for number in range(FLEET):
            customer = Customer(f"fleet-{number}", _card(self._dice), now - self._dice.randrange(2, 40) * HOUR_MS)
            ask, pause = fleet_account(url, self._issuer.token(customer), Random(self._dice.random()))
            self._fleet.add(customer.name, ask, pause)

    async def _without_kafka(self, log: Path) -> tuple[int, int]:
        """What fleet and people are answered while there is no Kafka; returns once ingest has caught up."""
        before = self._fleet.told.answered, self._people.told.answered
        bootstrap = self._broker.bootstrap
        await asyncio.to_thread(self._broker.stop)
        self._say("Kafka is stopped; known decisions stay in force, and what happens is kept in Envoy's access log")
        await self._wait(AWAY_SECONDS, lambda: False)
        answered = self._fleet.told.answered - before[0], self._people.told.answered - before[1]
        await asyncio.to_thread(self._broker.start)
        assert self._broker.bootstrap == bootstrap, "it keeps its port"
        await self._wait(CAUGHT_UP_SECONDS_MAX, lambda: is_taken(log))
        self._say(
            "Kafka is back, and the access log is read to its end" if is_taken(log) else "Kafka is back; ingest has not caught up yet"
        )
        return answered

    async def _wait(self, seconds: float, is_over: Callable[[], bool]) -> None:
        """Let time pass, show how things stand, note what happens first."""
        end, show_at = time.monotonic() + seconds, time.monotonic() + SHOW_SECONDS
        while time.monotonic() < end and not is_over():
            await asyncio.sleep(0.1)
            self._mark()
            if time.monotonic() >= show_at:
                show_at += SHOW_SECONDS
                self._show()

    def _mark(self) -> None:
        told, marks = self._fleet.told, self._marks
        now = told.answered, time.monotonic() - self._fleet_began
        if marks.hindered is None and told.throttled + told.refused:
            marks.hindered = now
            self._say(f"the fleet's first request is refused, {now[1]:.1f} s and {now[0]} answers after its first")
        if marks.shut_out is None and len(told.shut_out) >= BLOCKED_SHARE * FLEET:
            marks.shut_out = now
            self._say(f"{len(told.shut_out)} of its {FLEET} accounts are shut out, {now[1]:.1f} s after its first request")

    def _show(self) -> None:
        fleet, people = self._fleet.told, self._people.told
        hindered = people.throttled + people.refused + sum(people.failed.values())
        self._say(
            f"  fleet: {fleet.answered} answered, {fleet.throttled} throttled, {fleet.refused} refused; "
            f"honest customers: {people.answered} answered, {hindered} not"
        )

    def _say(self, line: str) -> None:
        self._console.print(f"{time.monotonic() - self._began:5.1f} s  {line}", highlight=False)


def print_summary(console: Console, ended: Ended) -> None:
    """What a newcomer should take home."""
    fleet, people = ended.fleet.told, ended.people.told
    hindered = people.throttled + people.refused + sum(people.failed.values())
    first, last = ended.marks.hindered or (0, 0.0), ended.marks.shut_out or (0, 0.0)
    lines = [""]
    lines.append(
        f"Fleet of {FLEET} accounts: first refusal after {first[1]:.1f} s and {first[0]} answers, shut out after {last[1]:.1f} s and"
    )
    lines.append(f"  {last[0]} answers; {fleet.throttled + fleet.refused} requests refused in all.")
    lines.append(
        f"Honest customers: {people.answered} answers, median {1_000 * statistics.median(people.waits or [0.0]):.0f} ms (the model takes 50);"
    )
    lines.append(f"  throttled: {people.throttled}, refused: {people.refused}, failed: {sum(people.failed.values())}.")
    lines.append(f"Without Kafka, {AWAY_SECONDS:.0f} s: honest customers had {ended.people_answered_while_away} answers,")
    lines.append(f"  the fleet {ended.fleet_answered_while_away}; afterwards {ended.running} of the guard's 3 commands were up.")
    lines.append(f"{hindered} honest requests were hindered." if hindered else "Nobody honest was hindered.")
    console.print("\n".join(lines), highlight=False)


def _card(dice: Random) -> str:
    return f"k1:{dice.getrandbits(128):032x}"
