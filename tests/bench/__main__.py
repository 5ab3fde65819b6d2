"""`python -m tests.bench [NAME ...]`: the figures of this machine, each named with its unit."""

import sys
from collections.abc import Callable

from tests.bench import (
    bounded,
    enforcer,
    fingerprint,
    gateway,
    herd,
    hostile,
    latency,
    memory,
    pause,
    precedence,
    recovery,
    stream,
    whole_step,
    worlds,
)
from tests.bench import replay as replay_bench

BENCHES: dict[str, Callable[[], None]] = {
    "memory": memory.main,
    "bounded": bounded.main,
    "replay": replay_bench.main,
    "fingerprint": fingerprint.main,
    "stream": stream.main,
    "latency": latency.main,
    "pause": pause.main,
    "recovery": recovery.main,
    "enforcer": enforcer.main,
    "precedence": precedence.main,
    "herd": herd.main,
    "gateway": gateway.main,
    "hostile": lambda: hostile.show(1_000_000, 7),
    "worlds": worlds.main,
    "whole-step": lambda: whole_step.main(100_000),
}


def main(names: list[str]) -> None:
    """Run the named benches, or all."""
    unknown = sorted(set(names) - BENCHES.keys())
    if unknown:
        sys.exit(f"bench: no {', '.join(unknown)}; there are {', '.join(BENCHES)}")
    for name in names or BENCHES:
        print(f"== {name}", flush=True)
        BENCHES[name]()


if __name__ == "__main__":
    main(sys.argv[1:])
