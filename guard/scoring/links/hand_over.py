"""Hand-over after a refusal: what one account is refused, a stranger's account sends within seconds. A pool conserves its work."""

from typing import Final

from guard.scoring.account_rules import Features, Numbers, reason
from guard.scoring.links.crowd import Crowd
from guard.scoring.links.surprise import surprise
from guard.scoring.reasons import Reason
from guard.state.link import KeyKind

TAKERS_MIN: Final = 8.0
"""Pairs of accounts, as many as crossings of conversations: people with two accounts change from one to the other, too."""
CHANCE: Final = 0.05
"""Share of refused requests that a stranger may be the first to get answered within seconds by accident: words that many send at once."""
WEIGHT_MAX: Final = 0.65
TAKERS_PER_ACCOUNT: Final = 1.0
"""Pairs for each account of the key from which they count in full: where everybody has one spare account there is half a pair for each."""


def hand_over(kind: KeyKind, features: Features, crowd: Crowd, numbers: Numbers) -> Reason | None:
    """More refused requests are taken over than accident explains, and by a good part of the accounts."""
    weight = WEIGHT_MAX * conservation(features, numbers)
    return reason("hand_over", features["takers"], TAKERS_MIN, CHANCE * features["refused"], weight) if weight > 0 else None


def conservation(features: Features, numbers: Numbers) -> float:
    """0-1: how surely the key's accounts take over what others of them are refused, and how many have a part in it."""
    refused, taken_over, takers = features.get("refused"), features.get("taken_over", 0.0), features.get("takers", 0.0)
    if refused is None or takers < TAKERS_MIN or taken_over <= CHANCE * refused:
        return 0.0
    extent = min(1.0, takers / (TAKERS_PER_ACCOUNT * features["accounts"]))
    return extent * surprise(taken_over / refused, CHANCE, refused, numbers["surprise_nats"])
