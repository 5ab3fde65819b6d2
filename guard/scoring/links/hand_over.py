"""Hand-over after a refusal: what one account is refused, a stranger's account sends within seconds. A pool conserves its work."""

from math import exp
from typing import Final

from guard.scoring.account_rules import Features, Numbers, reason
from guard.scoring.links.crowd import Crowd
from guard.scoring.links.surprise import surprise
from guard.scoring.ramp import ramp
from guard.scoring.reasons import Reason
from guard.state.link import KeyKind

TAKERS_MIN: Final = 8.0
"""Pairs of accounts, as many as crossings of conversations: people with two accounts change from one to the other, too."""
CHANCE: Final = 0.05
"""Share of refused requests that a stranger may be the first to get answered within seconds by accident: words that many send at once."""
WEIGHT_MAX: Final = 0.65
HANDS_SHARE_MIN: Final = 0.7
HANDS_SHARE_ENOUGH: Final = 0.9
"""Share of the key's accounts that had a part in it, from which it says something of the key, and from which it does in full: a pool may hide
behind a public prompt that as many honest people use."""
NOVELTY_MIN: Final = 0.5
NOVELTY_ENOUGH: Final = 0.75
"""Different pairs, as a share of those that siblings at random give, from which a pool speaks, and from which it does in full. Where everybody
has one spare account, as many hand-overs as accounts give 0.43 (coupon collector); the sketch errs by 26 %."""


def hand_over(kind: KeyKind, features: Features, crowd: Crowd, numbers: Numbers) -> Reason | None:
    """More refused requests are taken over than accident explains, and by a good part of the accounts."""
    weight = WEIGHT_MAX * conservation(features, numbers)
    return reason("hand_over", features["takers"], TAKERS_MIN, CHANCE * features["refused"], weight) if weight > 0 else None


def conservation(features: Features, numbers: Numbers) -> float:
    """0-1: how surely the key's accounts take over what others of them are refused, and how many have a part in it."""
    refused, taken_over, takers = features.get("refused"), features.get("taken_over", 0.0), features.get("takers", 0.0)
    if refused is None or takers < TAKERS_MIN or taken_over <= CHANCE * refused:
        return 0.0
    accounts = features["accounts"]
    extent = ramp(features.get("hands", 0.0) / accounts, HANDS_SHARE_MIN, HANDS_SHARE_ENOUGH)
    novelty = takers / _pairs_at_random(taken_over, accounts)
    surety = ramp(novelty, NOVELTY_MIN, NOVELTY_ENOUGH)
    return extent * surety * surprise(taken_over / refused, CHANCE, refused, numbers["surprise_nats"])


def _pairs_at_random(taken_over: float, accounts: float) -> float:
    """Different pairs after so many hand-overs to siblings drawn at random."""
    pairs = accounts * (accounts - 1.0) / 2.0
    return pairs * (1.0 - exp(-taken_over / pairs))
