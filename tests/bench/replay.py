"""Replay against reading and decoding the same file, in one run."""

import tempfile
import time
from pathlib import Path

import msgspec

from guard.control.board import opening_control
from guard.convert.source import read_lines
from guard.engine.driver import Driver
from guard.events.decode import Decoder
from guard.replay.run import replay
from guard.simulation.presets import build
from guard.simulation.world import OpenGateway

END = 1_790_000_000_000


def main() -> None:
    """Print events/s of replay and of the floor, and their ratio."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "events.jsonl"
        with path.open("wb") as file:
            for exchange in build("demo", 1, END, ("A3", "A4", "A10")).world.play(OpenGateway()):
                fields = msgspec.structs.asdict(exchange.event)
                file.write(msgspec.json.encode({name: value for name, value in fields.items() if value is not None}) + b"\n")
        decoder, count, began = Decoder(), 0, time.process_time()
        for _, line in read_lines(path):
            decoder.decode(line)
            count += 1
        floor = (time.process_time() - began) / count
        began = time.process_time()
        replay([path], Driver(8, opening_control(enforce=True)), None)
        whole = (time.process_time() - began) / count
    print(
        f"read and decode {floor * 1e6:.1f} us/event; replay, all stages {whole * 1e6:.1f} us/event ({1 / whole:,.0f} events/s): {whole / floor:.1f}x"
    )
