"""A million random questions to the enforcer's orders against a simple model, and a blocked client that hammers a million times."""

import time
from typing import Final

from tests.gateway.test_precedence import differences
from tests.gateway.test_throttle import hammered

CASES: Final = 1_000_000
SEED: Final = 12


def main() -> None:
    """Print how many answers differ, and by how much the block was lengthened."""
    began = time.perf_counter()
    found = differences(CASES, SEED)
    print(f"precedence: {len(found)} of {CASES:,} random cases answered differently from the model, {time.perf_counter() - began:.0f} s")
    print("".join(f"  {one}\n" for one in found[:5]), end="")
    refused, longer_ms = hammered(CASES)
    print(
        f"hammering: a blocked client was refused {refused:,} times of {CASES:,} within its block, which lasted {longer_ms} ms longer for it"
    )
