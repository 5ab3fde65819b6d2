"""What the online models cost: `python -m tests.bench.models --lessons 3000 --seed 7`."""

import argparse
import random
import time
from collections.abc import Callable

import msgspec

from guard.scoring.learned.crowd import squashed
from guard.scoring.learned.models import ShardModels
from guard.scoring.learned.past import OwnPast

T0 = 1_790_000_000_000


def best_us(work: Callable[[], object], times: int) -> float:
    """Microseconds per call, the best of five rounds: other people's load only ever adds."""
    rounds = []
    for _ in range(5):
        begun = time.perf_counter()
        for _ in range(times):
            work()
        rounds.append((time.perf_counter() - begun) / times)
    return min(rounds) * 1e6


def main() -> None:
    """Teach a model, then time each of its verbs."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--lessons", type=int, default=3_000)
    options.add_argument("--seed", type=int, default=7)
    chosen = options.parse_args()
    dice, models, past = random.Random(chosen.seed), ShardModels(chosen.seed), OwnPast()
    features = {"pace_rpm": 12.0, "elicitation_share": 0.1, "single_turn_share": 0.4, "output_per_input": 1.2, "reasoning_share": 0.5}
    for number in range(chosen.lessons):
        vector = squashed({name: value * dice.uniform(0.2, 2.0) for name, value in features.items()})
        models.learn(vector, tuple(dice.gauss(0.0, spread) for spread in (2.0, 1.0, 0.1, 0.2)))
        past.observe(T0 + number * 60_000, dice.lognormvariate(5.7, 0.8), dice.betavariate(1, 20), float(dice.random() < 0.3))
    packed, moves = models.to_bytes(), past.moves()
    assert moves is not None
    verbs: tuple[tuple[str, Callable[[], object], int], ...] = (
        ("squashed", lambda: squashed(features), 2_000),
        ("crowd.rank", lambda: models.crowd.rank(vector), 2_000),
        ("drift.score", lambda: models.drift.score(moves), 2_000),
        ("past.moves", past.moves, 2_000),
        ("past.observe", lambda: past.observe(past.at + 1_000, 300.0, 0.1, 1.0), 2_000),
        ("learn", lambda: models.learn(vector, moves), 500),
        ("to_bytes", models.to_bytes, 20),
        ("from_bytes", lambda: ShardModels.from_bytes(packed), 5),
    )
    for name, work, times in verbs:
        print(f"{name:13} {best_us(work, times):10.2f} us")
    print(f"snapshot      {len(packed):10} bytes\nown past      {len(msgspec.msgpack.encode(past)):10} bytes")


if __name__ == "__main__":
    main()
