"""Request events for tests: one builder, sensible defaults, every field can be overridden."""

import itertools
import random
from collections.abc import Iterator
from typing import Any

from guard.engine.control import Control
from guard.engine.watchlist import WatchList
from guard.events.request import RequestEvent
from guard.policy.labels import LabelBook
from guard.policy.schedule import PolicySchedule
from guard.units import DAY_MS, HOUR_MS, SECOND_MS

T0 = 1_790_000_000_000
_numbers = itertools.count()


def event(account: str = "alice", at: int = T0, **fields: Any) -> RequestEvent:
    """One exchange of `account` at `at`."""
    named = {"event_id": f"e{next(_numbers)}", "model": "m-1", "input_tokens": 400, "output_tokens": 300, **fields}
    return RequestEvent(event_time=at, account_id=account, **named)


def open_control(*, enforce: bool = True) -> Control:
    """The built-in policy, no labels, nobody watched for."""
    return Control(PolicySchedule.builtin(enforce=enforce), LabelBook.empty(), WatchList.empty())


def crowd(dice: random.Random, people: int, start: int = T0, span_ms: int = HOUR_MS) -> Iterator[RequestEvent]:
    """Ordinary people: own cards, common clients, public prompts, conversations of their own, ages from days to years."""
    for person in range(people):
        created = start - int(dice.choice([dice.uniform(1, 14), dice.uniform(14, 60), dice.uniform(60, 900)]) * DAY_MS)
        prompt = f"public-{int(dice.paretovariate(1))}" if dice.random() < 0.6 else None
        at, before = start + int(dice.random() * span_ms), None
        for turn in range(1 + int(dice.expovariate(0.25))):
            after = f"c{dice.getrandbits(60):x}"
            yield event(
                f"person-{person}", int(at), account_created=created, payment_fingerprint=f"k1:card-{person}", prefix=prompt,
                shape=f"s{dice.getrandbits(50):x}", simhash=f"{dice.getrandbits(64):016x}", client_fingerprint=dice.choice("abc"),
                ip_prefix=f"net-{person % 300}", messages=1 + 2 * turn, conversation=before, conversation_after=after,
                reasoning_elicitation=dice.betavariate(1, 20), rubric_grading=dice.betavariate(1, 30), rate_limit_rpm=60,
            )  # fmt: skip
            before = after
            at += dice.lognormvariate(10.5, 1)


def fleet(dice: random.Random, name: str, accounts: int, cards: int, every_s: float, **fields: Any) -> Iterator[RequestEvent]:
    """A pool behind an even balancer: accounts share `cards` cards and one template; new unless said otherwise."""
    days = fields.pop("age_days", (0.5, 9.0))
    elicitation = fields.pop("elicitation", (1, 20))
    span_ms = fields.pop("span_ms", HOUR_MS)
    for member in range(accounts):
        created = T0 - int(dice.uniform(*days) * DAY_MS)
        at = T0 + dice.random() * span_ms / 6
        while at < T0 + span_ms:
            shared = {
                "account_created": created, "payment_fingerprint": f"k1:{name}-card-{member % cards}", "prefix": f"{name}-prompt",
                "shape": f"{name}-shape-{dice.randrange(3)}", "client_fingerprint": dice.choice("ab"), "ip_prefix": f"home-{name}-{member}",
                "messages": 2, "reasoning_elicitation": dice.betavariate(*elicitation), "rate_limit_rpm": 60,
            }  # fmt: skip
            yield event(f"{name}-{member}", int(at), **{**shared, **fields})
            at += dice.expovariate(1 / every_s) * SECOND_MS


def in_order(*streams: Iterator[RequestEvent]) -> list[RequestEvent]:
    """All events by event time; the id breaks ties."""
    return sorted(itertools.chain(*streams), key=lambda one: (one.event_time, one.event_id))
