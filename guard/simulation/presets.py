"""The worlds one can ask for by name: how many of whom, for how long."""

import random
from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from guard.errors import UsageError
from guard.simulation import families
from guard.simulation.cast import Entry
from guard.simulation.client import Truth
from guard.simulation.families import CROWD, FAMILIES
from guard.simulation.labels import LabelLine, labels
from guard.simulation.market import Market
from guard.simulation.mass import Mass
from guard.simulation.merged import Merged
from guard.simulation.sizes import PRESETS, Preset
from guard.simulation.world import Outage, World
from guard.units import MINUTE_MS

ATTACKS: Final = families.ATTACKS
NEGATIVES: Final = families.NEGATIVES
OUTAGE_SHARE: Final = 0.6
"""Requests that fail while the service is disturbed; two short spells in each world (assumption)."""


class Built(Struct):
    """A world ready to play, the truth about everybody in it, and the labels that analysts and appeals give."""

    world: World
    truths: list[Truth]
    start: int
    end: int
    labels: list[LabelLine] = []


def build(name: str, seed: int, end: int, attacks: tuple[str, ...] | None = None, negatives: tuple[str, ...] | None = None) -> Built:
    """The world `name` that ends at `end` (epoch milliseconds), with the families named or else those of the preset.

    Raises UsageError for a name that is none.
    """
    preset = PRESETS.get(name)
    if preset is None:
        raise UsageError(f"world {name!a}: it should be one of {', '.join(PRESETS)}")
    start = end - preset.span_ms
    market = Market(random.Random(f"{seed}:market"), start, end, preset.young_share)
    crowd = tuple(kind for kind in CROWD if kind in preset.sizes)
    entries: list[Entry] = []
    for family in (*crowd, *_chosen(negatives, preset.negatives, NEGATIVES), *_chosen(attacks, preset.attacks, ATTACKS)):
        market.dice = random.Random(f"{seed}:{family}")
        entries += FAMILIES[family].builder(market, preset.size(family))
    return _assembled(market, preset, entries, seed)


def _assembled(market: Market, preset: Preset, entries: list[Entry], seed: int) -> Built:
    start, end = market.start, market.end
    truths = [client.truth for _, client in entries]
    calls: Iterable[Entry] = sorted((entry for entry in entries if entry[0] >= 0), key=lambda entry: entry[0])
    if preset.mass:
        mass = Mass(market, seed, preset.mass, preset.mass_exchanges)
        truths += mass.truths()
        calls = Merged(calls, mass)
    random.Random(f"{seed}:order").shuffle(truths)
    world = World(calls, start, end, seed, _outages(market, random.Random(f"{seed}:outages")))
    return Built(world, truths, start, end, labels(truths, start, end, seed))


def _chosen(given: tuple[str, ...] | None, usual: tuple[str, ...], known: tuple[str, ...]) -> tuple[str, ...]:
    unknown = sorted(set(given or ()) - set(known))
    if unknown:
        raise UsageError(f"{', '.join(unknown)}: it should be among {', '.join(known)}")
    return usual if given is None else tuple(name for name in known if name in given)


def _outages(market: Market, dice: random.Random) -> tuple[Outage, ...]:
    lasts = min(12 * MINUTE_MS, market.span_ms // 60)
    moments = [market.start + int(share * market.span_ms) for share in (dice.uniform(0.15, 0.4), dice.uniform(0.6, 0.9))]
    return tuple(Outage(at, at + lasts, OUTAGE_SHARE) for at in moments)
