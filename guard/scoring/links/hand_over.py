"""Hand-over after a refusal: what one account is refused, a stranger's account sends within seconds. A pool conserves its work."""

from typing import Final

from guard.scoring.account_rules import Features, Numbers, reason
from guard.scoring.links.crowd import Crowd
from guard.scoring.links.surprise import surprise
from guard.scoring.reasons import Reason
from guard.state.link import KeyKind

TAKEN_OVER_MIN: Final = 8.0
"""As many as crossings of conversations: people with two accounts change from one to the other, too."""
CHANCE: Final = 0.05
"""Share of refused requests that a stranger may be the first to get answered within seconds by accident: words that many send at once."""
WEIGHT_MAX: Final = 0.65
PER_ACCOUNT: Final = 0.5
"""Hand-overs for each account of the key from which they count in full: each has two ends, so that every account had a part in one. A few among
many are somebody's spare account."""


def hand_over(kind: KeyKind, features: Features, crowd: Crowd, numbers: Numbers) -> Reason | None:
    """More refused requests are taken over than accident explains, and by a good part of the accounts."""
    refused, taken_over = features.get("refused"), features.get("taken_over", 0.0)
    if refused is None or taken_over < TAKEN_OVER_MIN or taken_over <= CHANCE * refused:
        return None
    extent = min(1.0, taken_over / (PER_ACCOUNT * features["accounts"]))
    weight = WEIGHT_MAX * extent * surprise(taken_over / refused, CHANCE, refused, numbers["surprise_nats"])
    return reason("hand_over", taken_over, TAKEN_OVER_MIN, CHANCE * refused, weight) if weight > 0 else None
