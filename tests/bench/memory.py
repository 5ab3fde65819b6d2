"""Bytes of a quiet account in memory: its packed record, its key, its place in the dictionary."""

import random
import tracemalloc

from guard.engine.accounts import AccountsStage
from tests.support.events import T0, event, open_control

ACCOUNTS = 20_000
EXCHANGES = 4
"""Three quarters of the users of a public trace made no more than five requests in 23 days."""


def main() -> None:
    """Print the bytes per quiet account, cold."""
    stage = AccountsStage(0, 1, {}, open_control())
    dice = random.Random(1)
    for number in range(ACCOUNTS):
        for turn in range(EXCHANGES):
            one = event(
                f"account-{number:06d}", T0 + turn * 60_000, account_created=T0 - dice.randrange(10**10), payment_fingerprint=f"k1:{number:016x}",
                prefix=f"k1:{number % 50:016x}", client_fingerprint=f"ja4-{number % 20}", ip_prefix=f"k1:{number % 900:016x}", messages=2,
                reasoning_elicitation=0.1, rate_limit_rpm=60,
            )  # fmt: skip
            stage.take(one, one.event_time)
    cold = {key: value for key, value in stage.drain().changes if value is not None and key.startswith(b"a:")}
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    copied = {bytes(bytearray(key)): bytes(bytearray(value)) for key, value in cold.items()}
    held = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    packed = sum(map(len, copied.values())) / len(copied)
    print(
        f"quiet account ({EXCHANGES} exchanges, 4 link keys): {packed:.0f} bytes packed, {held / len(copied):.0f} bytes in memory (budget 400)"
    )
