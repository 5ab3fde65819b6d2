"""Strangers on one prompt: old accounts with cards and lines of their own, as evenly busy as a story wants them."""

import random
from collections.abc import Callable, Iterator
from math import exp
from statistics import NormalDist
from typing import Any

from guard.events.request import RequestEvent
from guard.units import DAY_MS, HOUR_MS, SECOND_MS
from tests.support.events import T0, event

EVERY_S = 150.0
"""Between two exchanges of the middle one."""


def strangers(
    dice: random.Random, accounts: int, ends_at: int, spread: float, asks: Callable[[float], dict[str, Any]], **fields: Any
) -> Iterator[RequestEvent]:
    """`caller-N`, a new wording each time, at rates whose logarithms spread so far; `asks` says what an exchange at some time carries besides."""
    for number in range(accounts):
        created = T0 - int(dice.uniform(1, 900) * DAY_MS)
        every_s = EVERY_S * exp(spread * NormalDist().inv_cdf((number + 0.5) / accounts))
        at = T0 + dice.random() * HOUR_MS / 4
        while at < ends_at:
            own = {"payment_fingerprint": f"k1:card-caller-{number}", "ip_prefix": f"home-{number}", "account_created": created}
            shared = {
                "prefix": "their-prompt",
                "shape": f"s{dice.getrandbits(50):x}",
                "client_fingerprint": dice.choice("ab"),
                "messages": 2,
            }
            yield event(f"caller-{number}", int(at), **own | shared | asks(at) | fields)
            at += dice.expovariate(1 / every_s) * SECOND_MS
