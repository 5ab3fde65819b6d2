"""The load of a crash test: seeded events at a steady rate, and the count of what each account must end with."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator

from confluent_kafka import Producer
from msgspec import Struct

from guard.topics import Topic
from tests.crash import pools
from tests.streaming.toy_engine import toy_event

ACCOUNTS = 3_000


def accounts(events: int, seed: int) -> Iterator[str]:
    """The account of each event: few have many, many have few."""
    dice = random.Random(seed)
    for _ in range(events):
        yield f"acct-{int(ACCOUNTS * dice.random() ** 2)}"


class Traffic(Struct, frozen=True):
    """Who calls, and what a call looks like."""

    accounts: Callable[[int, int], Iterator[str]]
    """Of so many events, with this seed: the account of each."""
    event: Callable[[int, str, int, int], bytes]
    """By the number of the event, its account, the how-manieth of that account it is (from 1), and its time."""


TOY = Traffic(accounts, lambda number, account, _, at: toy_event(number, account, at))
POOLS = Traffic(pools.accounts, pools.event)


class Load:
    """Produces events in a thread of its own; `expected` counts what has been handed to the broker so far."""

    def __init__(self, bootstrap: str, events: int, seed: int, per_second: float, traffic: Traffic = TOY) -> None:
        self.expected: Counter[str] = Counter()
        self.delivered = 0
        self.failed = 0
        self._events, self._seed, self._per_second = events, seed, per_second
        self._traffic = traffic
        self._stop = threading.Event()
        self._producer = Producer(
            {"bootstrap.servers": bootstrap, "enable.idempotence": True, "linger.ms": 5, "partitioner": "murmur2_random"}
        )
        self._thread = threading.Thread(target=self._produce, name="load", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    @property
    def is_done(self) -> bool:
        """Everything has been produced."""
        return not self._thread.is_alive()

    def stop(self) -> None:
        """No more events."""
        self._stop.set()
        self._thread.join()

    def _produce(self) -> None:
        began = time.monotonic()
        for number, account in enumerate(self._traffic.accounts(self._events, self._seed)):
            if self._stop.is_set():
                break
            ahead = number / self._per_second - (time.monotonic() - began)
            if ahead > 0.01:
                self._producer.poll(0)
                self._stop.wait(ahead)
            self.expected[account] += 1
            event = self._traffic.event(number, account, self.expected[account], time.time_ns() // 1_000_000)
            self._producer.produce(Topic.REQUESTS.value, event, key=account.encode(), on_delivery=self._delivered)
        self._producer.flush(30)

    def _delivered(self, error: object, _: object) -> None:
        self.delivered += error is None
        self.failed += error is not None
