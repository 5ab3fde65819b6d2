"""Fifty enforcers that lose Kafka for a minute and find it again: what they answer meanwhile, and how many connections a second the broker gets."""

import asyncio
import logging
import time
from collections import Counter
from typing import Final

import structlog

from guard.decisions.decision import Action
from guard.gateway.clock import SteadyClock
from guard.gateway.enforcer import Caller, Enforcer
from guard.gateway.service import EnforcerService, ServiceConfig
from tests.bench.enforcer import SHARDS, fill
from tests.support.broker import fresh_topics
from tests.support.proxy import Proxy, broker_behind_proxy

ENFORCERS: Final = 50
DECISIONS: Final = 2_000
AWAY_SECONDS: Final = 60.0
PATIENCE_SECONDS: Final = 90.0
FRESH_SECONDS: Final = 4.0
ASK_SECONDS: Final = 1.0
BLOCKED: Final = Caller(f"acct-{0:012x}")
"""One of those that `fill` names."""


def main() -> None:
    """Print connections by second, at the start and after the outage."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    with broker_behind_proxy() as (broker, proxy):
        fresh_topics(broker.bootstrap, SHARDS)
        asyncio.run(fill(broker.bootstrap, DECISIONS))
        asyncio.run(_herd(proxy))


async def _herd(proxy: Proxy) -> None:
    began = time.monotonic()
    services = [_service(proxy.port) for _ in range(ENFORCERS)]
    for service in services:
        service.start()
    await _until(lambda: all(service.enforcer.is_ready for service in services))
    print(
        f"{ENFORCERS} enforcers started in one moment: all ready after {time.monotonic() - began:.1f} s; {_by_second(proxy, began)}",
        flush=True,
    )
    away = time.monotonic()
    proxy.refuse()
    refused = asked = 0
    while time.monotonic() < away + AWAY_SECONDS:
        asked += ENFORCERS
        refused += sum(service.enforcer.rule(BLOCKED).action is Action.BLOCK for service in services)
        await asyncio.sleep(ASK_SECONDS)
    back = time.monotonic()
    proxy.accept()
    await _until(lambda: all(service.follower.stale_seconds < FRESH_SECONDS for service in services))
    print(
        f"Kafka away for {AWAY_SECONDS:.0f} s: a blocked account refused {refused} of {asked} times meanwhile; all follow again {time.monotonic() - back:.1f} s after; {_by_second(proxy, back)}",
        flush=True,
    )
    await asyncio.gather(*(service.stop() for service in services))


def _service(port: int) -> EnforcerService:
    clock = SteadyClock()
    return EnforcerService(ServiceConfig(bootstrap=f"127.0.0.1:{port}"), Enforcer(now=clock), clock)


async def _until(is_so: object) -> None:
    assert callable(is_so)
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not is_so():
            await asyncio.sleep(0.05)


def _by_second(proxy: Proxy, since: float) -> str:
    """Connections in each second since then, and the most in one."""
    counts = Counter(int(at - since) for at in proxy.accepted_at if at >= since)
    seconds = [counts[second] for second in range(max(counts, default=0) + 1)]
    return f"connections by second {', '.join(map(str, seconds))}"


if __name__ == "__main__":
    main()
