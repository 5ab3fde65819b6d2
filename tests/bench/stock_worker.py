"""A stock Faust agent with a Table: a count per account, at least once; what the plug-in is measured against."""

import asyncio
import os
import sys
import tempfile
import time

import faust

from guard.topics import Topic


def main() -> None:
    """Count EVENTS events of the requests topic of BOOTSTRAP with stock means; print the processor time per event."""
    bootstrap, events = sys.argv[1], int(sys.argv[2])
    app = faust.App(
        f"stock-{time.time_ns()}", broker=f"kafka://{bootstrap}", store="memory://", web_enabled=False, topic_partitions=8,
        topic_disable_leader=True, datadir=tempfile.mkdtemp(prefix="guard-bench-"),
    )  # fmt: skip
    topic = app.topic(Topic.REQUESTS.value, value_type=bytes, value_serializer="raw", key_type=bytes, key_serializer="raw")
    counts = app.Table("counts", default=int, key_type=bytes, partitions=8)
    meter = {"seen": 0, "began": 0.0}

    async def count(stream: faust.StreamT) -> None:
        async for event in stream.events():
            counts[event.key] += 1
            meter["seen"] += 1
            if meter["seen"] == 1:
                meter["began"] = time.process_time()
            elif meter["seen"] == events:
                print(f"us_per_event={(time.process_time() - meter['began']) / events * 1e6:.1f}", flush=True)
                os._exit(0)

    app.agent(topic)(count)
    loop = asyncio.new_event_loop()
    faust.Worker(app, loglevel="error", redirect_stdouts=False, loop=loop).execute_from_commandline()


if __name__ == "__main__":
    main()
