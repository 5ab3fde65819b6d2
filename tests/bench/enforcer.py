"""The enforcer: loading, memory, look-ups, a large campaign, and from a decision's commit to the first refused request."""

import asyncio
import logging
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from aiokafka import AIOKafkaProducer

from guard.decisions.decision import Action, Decision, decode_decision, encode_decision
from guard.gateway.clock import SteadyClock
from guard.gateway.enforcer import Caller, Enforcer
from guard.gateway.orders import Orders
from guard.gateway.service import EnforcerService, ServiceConfig
from guard.scoring.reasons import Family, Reason
from guard.streaming.broker import EmbeddedBroker
from guard.topics import Topic
from tests.support import decisions
from tests.support.broker import fresh_topics

SHARDS = 8
LOADS = (100_000, 1_000_000)
MEMBERS, PART = 25_000, 1_000
LOOKUPS = 300_000
ROUNDS = 200
HOUR_MS = 3_600_000
WHY = tuple(Reason(code, Family.TEMPLATE, 31.0, 12.0, 0.4, 0.5) for code in ("template_lift", "even_rates", "new_accounts"))


def main() -> None:
    """Print every figure with its unit and its target."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    lookups()
    campaign()
    with EmbeddedBroker() as broker:
        fresh_topics(broker.bootstrap, SHARDS)
        asyncio.run(obeyed(broker.bootstrap))
        for decisions in LOADS:
            fresh_topics(broker.bootstrap, SHARDS)
            asyncio.run(fill(broker.bootstrap, decisions))
            command = [sys.executable, "-m", "tests.bench.enforcer", broker.bootstrap, str(decisions)]
            print(subprocess.run(command, capture_output=True, text=True, check=True).stdout, end="", flush=True)


def decision(subject: str, action: str = "block", scope: str = "account", **more: object) -> Decision:
    """One as the guard writes them, three reasons long."""
    at = time.time_ns() // 1_000_000
    return decisions.decision(
        subject, action, scope, **{"issued_at": at, "expires_at": at + HOUR_MS, "rate_rpm": 6, "reasons": WHY, **more}
    )


def lookups() -> None:
    """One core, 100,000 decisions in force; a third of the questions are about accounts under one."""
    enforcer = Enforcer()
    enforcer.is_ready = True
    for number in range(100_000):
        enforcer.orders.apply(decision(f"acct-{number:012x}"))
    dice = random.Random(1)
    callers = [Caller(f"acct-{dice.randrange(300_000):012x}", f"k1:{dice.randrange(9):012x}", "org-1") for _ in range(LOOKUPS)]
    began = time.process_time()
    for caller in callers:
        enforcer.rule(caller)
    print(f"enforcer: {LOOKUPS / (time.process_time() - began):,.0f} answers a second on one core, 100,000 decisions in force", flush=True)


def campaign() -> None:
    """A campaign of 25,000 members, in parts, applied and released."""
    orders = Orders()
    members = [f"acct-{number:012x}" for number in range(MEMBERS)]
    times = []
    for action, expires_in in (("block", HOUR_MS), ("allow", 0)):
        now = time.time_ns() // 1_000_000
        values = [
            encode_decision(decision("c-1", action, "campaign", part=start // PART, members=tuple(members[start : start + PART]), issued_at=now, expires_at=now + expires_in))
            for start in range(0, MEMBERS, PART)
        ]  # fmt: skip
        began = time.perf_counter()
        _apply(orders, values)
        times.append(time.perf_counter() - began)
    print(f"campaign of {MEMBERS:,} members: applied in {times[0]:.3f} s, released in {times[1]:.3f} s (targets 1 s)", flush=True)


def _apply(orders: Orders, values: list[bytes]) -> None:
    for value in values:
        orders.apply(decode_decision(value))


async def obeyed(bootstrap: str) -> None:
    """From the commit of a decision, one transaction each, to the first request that is refused under it."""
    service = _service(bootstrap)
    service.start()
    await service.follower.ready()
    waits = []
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, transactional_id="bench-enforcer") as producer:
        for number in range(ROUNDS):
            one = decision(f"victim-{number}")
            async with producer.transaction():
                await producer.send_and_wait(Topic.DECISIONS, encode_decision(one), key=one.key, partition=number % SHARDS)
            committed = time.perf_counter()
            while service.enforcer.rule(Caller(one.subject)).action is not Action.BLOCK:
                await asyncio.sleep(0.001)
            waits.append((time.perf_counter() - committed) * 1_000)
    await service.stop()
    cuts = statistics.quantiles(waits, n=100)
    print(
        f"decision committed to first refused request: p50 {cuts[49]:.0f} ms, p99 {cuts[98]:.0f} ms of {ROUNDS} (target p99 250 ms)",
        flush=True,
    )


async def load(bootstrap: str, decisions: int) -> None:
    """Read so many to the end, in a process of its own."""
    before, began = _resident_bytes(), time.perf_counter()
    service = _service(bootstrap)
    service.start()
    await service.follower.ready()
    seconds = time.perf_counter() - began
    used = _resident_bytes() - before
    assert len(service.enforcer.orders) == decisions
    print(
        f"{decisions:,} active decisions loaded in {seconds:.1f} s, {used / 2**20:.0f} MiB more memory ({used / decisions:.0f} B each)",
        flush=True,
    )
    await service.stop()


def _resident_bytes() -> int:
    """Of this process; Linux only, like every bench that reads it."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _service(bootstrap: str) -> EnforcerService:
    clock = SteadyClock()
    return EnforcerService(ServiceConfig(bootstrap=bootstrap), Enforcer(now=clock), clock)


async def fill(bootstrap: str, decisions: int) -> None:
    """So many blocks of as many accounts, an hour long, over the shards."""
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, linger_ms=20, max_batch_size=500_000) as producer:
        for number, (key, value) in enumerate(_values(decisions)):
            await producer.send(Topic.DECISIONS, value, key=key, partition=number % SHARDS)


def _values(decisions: int) -> Iterator[tuple[bytes, bytes]]:
    """One body under many names: sealing a million would take minutes."""
    pattern = decision("acct-000000000000")
    value = encode_decision(pattern)
    for number in range(decisions):
        name = b"acct-%012x" % number
        yield b"account:" + name, value.replace(b"acct-000000000000", name).replace(pattern.decision_id[-12:].encode(), name[-12:])


if __name__ == "__main__":
    asyncio.run(load(sys.argv[1], int(sys.argv[2])))
