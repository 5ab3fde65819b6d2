"""The worlds one can ask for by name: how many of whom, for how long."""

import random
from typing import Final

from msgspec import Struct

from guard.errors import UsageError
from guard.simulation import fleets, honest
from guard.simulation.client import Client, Truth
from guard.simulation.fleets import Plan
from guard.simulation.market import Market
from guard.simulation.world import World
from guard.units import DAY_MS, HOUR_MS, MINUTE_MS

ATTACKS: Final = ("A1", "A3", "A4", "A10")
NEGATIVES: Final = ("N1", "N4", "N8", "N11")


class Preset(Struct, frozen=True):
    """Sizes of a world."""

    span_ms: int
    people: int
    steady: int
    bursty: int
    agents: int
    harness: int
    lab: int
    seats: int
    evaluator_per_s: float
    plans: tuple[Plan, ...]


def _plans(accounts: int, gap_s: float) -> tuple[Plan, ...]:
    return (
        Plan("A3", "shared-card hydra", accounts, max(2, accounts // 20), gap_s),
        Plan("A4", "template hydra", round(accounts * 4 / 3), 0, gap_s * 1.25),
        Plan("A10", "reasoning fleet", max(12, accounts * 2 // 3), 0, gap_s, elicitation=(9.0, 2.5)),
    )


PRESETS: Final = {
    "small": Preset(20 * MINUTE_MS, 150, 8, 8, 10, 40, 20, 30, 0.2, _plans(24, 12.0)),
    "demo": Preset(HOUR_MS, 1_200, 30, 30, 60, 300, 60, 150, 0.5, _plans(60, 25.0)),
    "day": Preset(DAY_MS, 3_000, 60, 60, 120, 600, 60, 400, 0.3, _plans(90, 240.0)),
}
"""`demo` is an hour of about 60,000 exchanges."""


class Built(Struct):
    """A world ready to play, and the truth about everybody in it."""

    world: World
    truths: list[Truth]
    start: int
    end: int


def build(name: str, seed: int, end: int, attacks: tuple[str, ...] = ATTACKS, negatives: tuple[str, ...] = NEGATIVES) -> Built:
    """The world `name` that ends at `end` (epoch milliseconds). Raises UsageError for a name that is none."""
    preset = PRESETS.get(name)
    if preset is None:
        raise UsageError(f"world {name!a}: it should be one of {', '.join(PRESETS)}")
    for given, known in ((attacks, ATTACKS), (negatives, NEGATIVES)):
        unknown = sorted(set(given) - set(known))
        if unknown:
            raise UsageError(f"{', '.join(unknown)}: it should be among {', '.join(known)}")
    start = end - preset.span_ms
    dice = random.Random(f"{seed}:cast")
    market = Market(dice, start)
    clients = [*_honest(market, dice, preset, negatives), *_hostile(market, dice, preset, attacks)]
    pools = {id(client.pool): client.pool for client in clients if client.pool is not None}
    everybody = [*clients, *(reserve for pool in pools.values() for reserve in pool.reserve)]
    missing = {client.account: market.missing() for client in everybody}
    calls = [(_first_call(client, dice, preset.span_ms), client) for client in clients]
    return Built(World(calls, missing, start, end, seed), [client.truth for client in everybody], start, end)


def _honest(market: Market, dice: random.Random, preset: Preset, negatives: tuple[str, ...]) -> list[Client]:
    crowd = list(honest.people(market, dice, preset.people))
    honest.couple_cards(crowd, dice, 0.02)
    crowd += honest.pipelines(market, dice, preset.steady, is_bursty=False)
    crowd += honest.pipelines(market, dice, preset.bursty, is_bursty=True)
    crowd += honest.agents(market, dice, preset.agents)
    if "N8" in negatives:
        crowd += honest.harness_users(market, dice, preset.harness)
    if "N4" in negatives:
        crowd += honest.lab(market, dice, preset.lab)
    if "N11" in negatives:
        crowd += honest.enterprise(market, dice, preset.seats)
    if "N1" in negatives:
        crowd += honest.evaluator(market, dice, preset.evaluator_per_s)
    return crowd


def _hostile(market: Market, dice: random.Random, preset: Preset, attacks: tuple[str, ...]) -> list[Client]:
    found: list[Client] = []
    for plan in preset.plans:
        if plan.family in attacks:
            found += fleets.fleet(market, dice, plan)
    if "A1" in attacks:
        found += fleets.burst(market, dice, 0.05)
    return found


def _first_call(client: Client, dice: random.Random, span_ms: int) -> float:
    if client.truth.honest:
        return honest.first_call(client, dice, span_ms)
    return span_ms / 6 + dice.random() * span_ms / 6
