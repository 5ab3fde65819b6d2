"""`python -m tests.bench.scale [--world XL] [--seed 1]`: a world, closed loop, against the engine in a process of its own, with all shards in it.

The world and its gateway stay in this process, so that the other one holds what workers hold. Prints its memory on the way and at its peak, and
the processor time that decoding and the engine take there for an exchange. Exchanges go over in batches: a decision is obeyed up to two of them
later. XL is the disclosed size: some half an hour, and 4 GB of memory here for the world.
"""

import argparse
import multiprocessing
import resource
import time
from collections.abc import Iterator
from itertools import islice
from multiprocessing.connection import Connection
from pathlib import Path

import msgspec
from msgspec import Struct

from guard.config import calm_collector
from guard.decisions.decision import decode_decision, encode_decision
from guard.engine.driver import Driver
from guard.evaluation.ablations import NOTHING
from guard.evaluation.sources import Source, world
from guard.events.decode import Decoder
from guard.gateway.orders import Orders
from guard.policy.labels import LabelBook
from guard.simulation.loop import ObedientGateway
from guard.simulation.world import Exchange
from guard.topics import PARTITIONS_DEFAULT

BATCH = 64
SAID_EVERY = 500_000
"""Exchanges between two lines."""
MIB = 1 << 20


class _Told(Struct):
    """The engine's process after a batch."""

    decided: list[bytes]
    memory_mib: float
    peak_mib: float
    accounts: int
    decode_seconds: float
    engine_seconds: float


_pack = msgspec.msgpack.Encoder().encode
_to_json = msgspec.json.Encoder().encode
_unpack_batch = msgspec.msgpack.Decoder(list[bytes]).decode
_unpack_told = msgspec.msgpack.Decoder(_Told).decode


class _Engine:
    """The other process: takes batches of events as their JSON, gives back decisions and what it holds."""

    def __init__(self, labels: LabelBook) -> None:
        calm_collector()
        self._driver, self._decoder = Driver(PARTITIONS_DEFAULT, NOTHING.control(labels)), Decoder()
        self._decode_seconds = self._engine_seconds = 0.0

    def take(self, batch: list[bytes]) -> None:
        """Decode and judge; an empty batch is the end."""
        began = time.process_time()
        events = [self._decoder.decode(value) for value in batch]
        decoded = time.process_time()
        for event in events:
            self._driver.take(event, event.append_time or event.event_time)
        if not batch:
            self._driver.finish()
        self._decode_seconds += decoded - began
        self._engine_seconds += time.process_time() - decoded

    def told(self) -> _Told:
        """What came of it, and what it costs so far."""
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        decided = [encode_decision(decision) for decision in self._driver.drained()]
        peak_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        memory_mib = pages * resource.getpagesize() / MIB
        return _Told(decided, memory_mib, peak_kib / 1024, self._driver.accounts, self._decode_seconds, self._engine_seconds)


def _serve(link: Connection, labels: LabelBook) -> None:
    """Until an empty batch comes."""
    engine = _Engine(labels)
    link.send_bytes(_pack(engine.told()))
    while True:
        batch = _unpack_batch(link.recv_bytes())
        engine.take(batch)
        link.send_bytes(_pack(engine.told()))
        if not batch:
            return


def _batches(exchanges: Iterator[Exchange]) -> Iterator[list[bytes]]:
    """As gateways write them; an empty one at the end."""
    while batch := list(islice(exchanges, BATCH)):
        told = [msgspec.structs.asdict(exchange.event) for exchange in batch]
        yield [_to_json({name: value for name, value in fields.items() if value is not None}) for fields in told]
    yield []


def _play(source: Source, link: Connection) -> Iterator[tuple[int, _Told]]:
    """Exchanges so far, and the engine's process, before the first batch and after each. A batch is made while the one before is judged."""
    orders, events = Orders(), 0
    for batch in _batches(source.play(ObedientGateway(orders))):
        yield events, _obeyed(orders, link)
        link.send_bytes(_pack(batch))
        events += len(batch)
    yield events, _obeyed(orders, link)


def _obeyed(orders: Orders, link: Connection) -> _Told:
    told = _unpack_told(link.recv_bytes())
    for value in told.decided:
        orders.apply(decode_decision(value))
    return told


def _say(events: int, told: _Told) -> None:
    decode, engine = (seconds / max(1, events) * 1e6 for seconds in (told.decode_seconds, told.engine_seconds))
    print(
        f"{events:,} exchanges of {told.accounts:,} accounts: the engine's process holds {told.memory_mib:,.0f} MiB, {told.peak_mib:,.0f} at most; "
        f"decoding {decode:.1f} us an exchange, the engine {engine:.1f}",
        flush=True,
    )


def main() -> None:
    """Play the world to its end."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.scale", description=__doc__)
    parser.add_argument("--world", default="XL", help="a world's name")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    source = world(options.world, options.seed)
    spawn = multiprocessing.get_context("spawn")
    here, there = spawn.Pipe()
    process = spawn.Process(target=_serve, args=(there, source.labels), daemon=True)
    process.start()
    said = -1
    for events, told in _play(source, here):
        if events // SAID_EVERY > said:
            said = events // SAID_EVERY
            _say(events, told)
    _say(events, told)
    process.join()


if __name__ == "__main__":
    main()
