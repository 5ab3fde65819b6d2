"""`python -m tests.bench bounded`: what it costs a links shard to remember one more conversation once it remembers as many as it may."""

import time

from guard.engine.forwards import Turn
from guard.engine.link_store import OWNERS_MAX, LinkStore
from guard.state.link import CONVERSATION
from tests.support.events import T0

AT_THE_BOUND = 200_000
STEP = 0x9E3779B97F4A7C15
"""Keys are hashes: their places in a table follow no order."""


def _seconds(store: LinkStore, first: int, turns: int) -> float:
    told = [Turn(CONVERSATION, number * STEP & (1 << 64) - 1, "a", T0 + number, True, "card|") for number in range(first, first + turns)]
    began = time.perf_counter()
    for turn in told:
        store.remember_owner(turn)
    return time.perf_counter() - began


def main() -> None:
    """Print the microseconds below and at the bound, and their ratio."""
    store = LinkStore({}, is_journaled=False)
    below = _seconds(store, 0, OWNERS_MAX) / OWNERS_MAX
    full = _seconds(store, OWNERS_MAX, AT_THE_BOUND) / AT_THE_BOUND
    print(f"one more conversation: {below * 1e6:.2f} us below {OWNERS_MAX:,}, {full * 1e6:.2f} us from there on, {full / below:.1f}x")
