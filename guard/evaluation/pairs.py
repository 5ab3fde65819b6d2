"""Figures that take two runs of one world: with and without the poisoning, with and without a guard.

Campaigns are compared with themselves. A campaign's accounts stand or fall together, so every interval is over campaigns, never over accounts.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from guard.evaluation.intervals import NOTHING_MEASURED, Measured, bootstrap, difference
from guard.evaluation.result import AccountRow, CampaignRow, RunResult
from guard.evaluation.variants import NO_POISONING, UNGUARDED
from guard.simulation.labels import POISONER

Results = Sequence[RunResult]
World = tuple[str, int]


class Caught(NamedTuple):
    """One campaign in one run: its accounts that were caught, of how many."""

    caught: int
    accounts: int


def poisoning_drop(results: Results, families: Sequence[str]) -> Measured:
    """By how much the share of accounts caught, of all campaigns but the poisoning ones, is lower for the poisoning; 0-1, negative for more.

    `results` hold runs of the guard and of its variant `no-poisoning`; worlds that have both and a poisoning fleet are compared.
    """
    del families
    poisoned, clean = _sides(results, NO_POISONING)
    pairs = []
    for world in poisoned.keys() & clean.keys():
        if not any(row.family == POISONER and not row.is_honest for row in poisoned[world].accounts):
            continue
        with_it, without_it = _by_campaign(poisoned[world].accounts), _by_campaign(clean[world].accounts)
        pairs += [(without_it[name], with_it[name]) for name in sorted(with_it.keys() & without_it.keys())]
    return difference(pairs)


def _by_campaign(rows: Iterable[AccountRow]) -> dict[str, Caught]:
    found: dict[str, Caught] = {}
    for row in rows:
        if not row.is_honest and row.family != POISONER:
            caught, accounts = found.get(row.campaign, Caught(0, 0))
            found[row.campaign] = Caught(caught + (row.caught_at is not None), accounts + 1)
    return found


class Harvest(NamedTuple):
    """One campaign without and with the guard: answers it got, and accounts that it called with."""

    free: int
    free_accounts: int
    guarded: int
    guarded_accounts: int


def adaptive_cost(results: Results, families: Sequence[str]) -> Measured:
    """How many times the accounts a fleet needs for the same harvest: answers an account without a guard, over answers an account with it.

    `results` hold runs of the guard and of its variant `unguarded`. Infinite when the guard leaves no answer at all.
    """
    guarded, free = _sides(results, UNGUARDED)
    pairs = []
    for world in guarded.keys() & free.keys():
        left, whole = (_named(side[world].campaigns, families) for side in (guarded, free))
        pairs += [
            Harvest(whole[name].harvest, whole[name].accounts, left[name].harvest, left[name].accounts)
            for name in sorted(left.keys() & whole.keys())
        ]
    return bootstrap(pairs, _times) if pairs else NOTHING_MEASURED


def _named(rows: Iterable[CampaignRow], families: Sequence[str]) -> dict[str, CampaignRow]:
    return {row.name: row for row in rows if row.family in families}


def _times(pairs: Sequence[Harvest]) -> float:
    free = sum(pair.free for pair in pairs) / sum(pair.free_accounts for pair in pairs)
    guarded = sum(pair.guarded for pair in pairs) / sum(pair.guarded_accounts for pair in pairs)
    return free / guarded if guarded else float("inf")


def _sides(results: Results, variant: str) -> tuple[dict[World, RunResult], dict[World, RunResult]]:
    """Runs of any other variant and runs of this one, by world and seed."""
    here: dict[World, RunResult] = {}
    there: dict[World, RunResult] = {}
    for result in results:
        (there if result.variant == variant else here)[result.world, result.seed] = result
    return here, there
