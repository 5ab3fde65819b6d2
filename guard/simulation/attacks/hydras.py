"""A2-A11 and A16 but the replays: hydras that differ in what they share, how much they hide, how fast they are and what they are after."""

import random
from typing import Any, Final

from msgspec import Struct

from guard.simulation.attacks.campaign import Fleet, Plan
from guard.simulation.cast import Entries, Size
from guard.simulation.client import Speech
from guard.simulation.draws import hashed, score
from guard.simulation.market import Market
from guard.simulation.pool import STANDBY_AT_SHARE
from guard.simulation.prompts import ELICITING, EXPLAINED, GRADING, UNGRADED, Source, template
from guard.simulation.talk import Style, Talk
from guard.units import DAY_MS, MINUTE_MS

CARD_USERS: Final = 40
"""A3: 500 accounts on 12 cards (reference)."""
PARAPHRASES: Final = 60
PEAK_MS: Final = 20 * MINUTE_MS
"""A16: how long the peak is replayed; the disclosed one lasted a day."""


class Paraphrased(Struct, frozen=True):
    """One request in many wordings: prefixes of a few dozen, no shape twice, a SimHash within eight bits."""

    prefixes: tuple[str, ...]
    simhash: int
    topics: tuple[int, ...]
    elicitation: tuple[float, float]

    def fields(self, dice: random.Random, turn: int) -> dict[str, Any]:
        """The content fields of one wording."""
        del turn
        simhash = self.simhash
        for _ in range(dice.randint(1, 8)):
            simhash ^= 1 << dice.randrange(64)
        scores = {"reasoning_elicitation": score(dice, self.elicitation), "rubric_grading": score(dice, UNGRADED)}
        return {
            "prefix": dice.choice(self.prefixes),
            "shape": hashed(dice),
            "simhash": f"{simhash:016x}",
            "topic": dice.choice(self.topics),
        } | scores


def played(fleet: Fleet, asks: Source, turns_mean: float = 0.0) -> Entries:
    """A fleet whose members all ask with `asks`, each with its own parameters."""

    def made(dice: random.Random) -> Speech:
        turns = turns_mean if dice.random() < 0.5 else 0.0
        return Talk(asks, Style(fleet.lengths, turns, dice.choice((0, 0, 0, 1, 4)), 0.5), fleet.habit())

    return fleet.entries(made)


def low_and_slow(market: Market, size: Size) -> Entries:
    """A2: thousands of accounts, a handful of exchanges a day each (Moonshot's relay: 5.6)."""
    fleet = Fleet(market, Plan("A2", "low and slow", cover_share=0.05, reserve_share=0.1), size)
    return played(fleet, template(market.dice, 4, elicitation=EXPLAINED, free_share=0.1), 1.0)


def shared_card(market: Market, size: Size) -> Entries:
    """A3: forty accounts a card, one template."""
    cards = max(2, round(size.accounts * 1.5 / CARD_USERS))
    fleet = Fleet(market, Plan("A3", "shared-card hydra", cards=cards), size)
    return played(fleet, template(market.dice, 4, elicitation=EXPLAINED, free_share=0.2), 1.0)


def distinct_cards(market: Market, size: Size) -> Entries:
    """A4: a card each, a template for all."""
    fleet = Fleet(market, Plan("A4", "template hydra"), size)
    return played(fleet, template(market.dice, 5, elicitation=EXPLAINED, free_share=0.2), 1.5)


def paraphrased(market: Market, size: Size) -> Entries:
    """A5: every wording different; one client stack and its lines remain."""
    dice = market.dice
    prefixes = [hashed(dice) for _ in range(PARAPHRASES)]
    simhash, topics = dice.getrandbits(64), (dice.randrange(90), dice.randrange(90))
    fleet = Fleet(market, Plan("A5", "paraphrasing hydra", tail_stack=True), size)

    def made(dice: random.Random) -> Speech:
        """Each member keeps to one to three of the wordings of the leading block."""
        asks = Paraphrased(tuple(dice.sample(prefixes, dice.randint(1, 3))), simhash, topics, EXPLAINED)
        return Talk(asks, Style(fleet.lengths), fleet.habit())

    return fleet.entries(made)


def mixed_half(market: Market, size: Size) -> Entries:
    """A6: half of its exchanges are anybody's."""
    fleet = Fleet(market, Plan("A6", "half-mixed hydra", cover_share=0.5), size)
    return played(fleet, template(market.dice, 4, elicitation=EXPLAINED, free_share=0.1), 1.0)


def mixed_mostly(market: Market, size: Size) -> Entries:
    """A7: nine in ten of its exchanges are anybody's."""
    fleet = Fleet(market, Plan("A7", "nine-tenths-mixed hydra", cover_share=0.9), size)
    return played(fleet, template(market.dice, 4, elicitation=EXPLAINED), 1.0)


def churning(market: Market, size: Size) -> Entries:
    """A8: whatever is blocked is replaced within the hour; the standby pool is as large as the first one."""
    fleet = Fleet(market, Plan("A8", "churning hydra", reserve_share=1.0), size)
    fleet.pool.replace_after_ms, fleet.pool.moves_at_share = (0.5 * MINUTE_MS, 50.0 * MINUTE_MS), STANDBY_AT_SHARE
    return played(fleet, template(market.dice, 4, elicitation=EXPLAINED, free_share=0.1), 1.0)


def pivoting(market: Market, size: Size) -> Entries:
    """A9: half of its traffic moves to the new model within a day of the release."""
    fleet = Fleet(market, Plan("A9", "pivoting hydra", pivots=True), size)
    return played(fleet, template(market.dice, 6, elicitation=EXPLAINED, free_share=0.3), 2.0)


def eliciting(market: Market, size: Size) -> Entries:
    """A10: one fixed prompt that makes the model write its reasoning out."""
    fleet = Fleet(market, Plan("A10", "reasoning fleet", has_nights=False), size)
    return played(fleet, template(market.dice, 3, elicitation=ELICITING, wobble_bits=3, free_share=0.1))


def grading(market: Market, size: Size) -> Entries:
    """A11: the model as a reward model: rubrics over other models' answers."""
    fleet = Fleet(market, Plan("A11", "grading fleet", reasons=False), size)
    return played(fleet, template(market.dice, 4, elicitation=EXPLAINED, rubric=GRADING, free_share=0.1))


def peak(market: Market, size: Size) -> Entries:
    """A16: the peak of the largest disclosed pool: 35 exchanges a second over thousands of accounts, for a while."""
    fleet = Fleet(market, Plan("A16", "peak hydra", has_nights=False, reserve_share=0.2), size)
    lasts = min(PEAK_MS, market.span_ms // 4)
    fleet.gap_ms = min(DAY_MS / size.per_day, lasts / 3)
    for at, client in played(fleet, template(market.dice, 8, elicitation=EXPLAINED, free_share=0.3), 1.0):
        client.calls_left = max(1, round(lasts / fleet.gap_ms * 1.3)) + 4
        yield at, client
