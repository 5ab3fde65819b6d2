"""One account in numbers: means, shares of missing fields, counts of distinct values, timing. What a lazy judge would look at."""

from collections.abc import Callable, Iterator
from typing import Final

from msgspec import Struct

from guard.events.request import RequestEvent
from guard.units import HOUR_MS

NUMBERS: Final = (
    "input_tokens",
    "cached_tokens",
    "output_tokens",
    "reasoning_tokens",
    "max_tokens",
    "temperature",
    "n",
    "messages",
    "tools",
    "tool_results",
    "prompt_chars",
    "topic",
    "reasoning_elicitation",
    "rubric_grading",
    "latency_ms",
    "logprobs",
    "refused",
    "rate_limit_rpm",
    "asn",
)
OPTIONAL: Final = (
    "org_id",
    "conversation",
    "reasoning_signature",
    "prefix",
    "simhash",
    "temperature",
    "max_tokens",
    "logprobs",
    "client_fingerprint",
    "payment_fingerprint",
    "ip_prefix",
)
DISTINCT: Final = (
    "model",
    "operation",
    "prefix",
    "shape",
    "ip_prefix",
    "ip",
    "client_fingerprint",
    "topic",
    "stop_reason",
    "status",
    "user_agent",
)
DISTINCT_MAX: Final = 64
"""Distinct values counted for an account; beyond it more are no news."""


def _one(field: str) -> Callable[[RequestEvent], Iterator[str]]:
    def values(event: RequestEvent) -> Iterator[str]:
        value = getattr(event, field)
        if value is not None:
            yield value

    return values


def _bands(event: RequestEvent) -> Iterator[str]:
    """Four bands of sixteen bits: SimHashes that differ in three bits share one of them."""
    if event.simhash is not None:
        for place in range(0, 16, 4):
            yield f"{place}:{event.simhash[place : place + 4]}:{event.topic}"


KEYS: Final[dict[str, Callable[[RequestEvent], Iterator[str]]]] = {
    "card": _one("payment_fingerprint"),
    "organisation": _one("org_id"),
    "prefix": _one("prefix"),
    "shape": _one("shape"),
    "simhash band": _bands,
    "client": _one("client_fingerprint"),
    "network": _one("ip_prefix"),
    "address": _one("ip"),
    "conversation": _one("conversation"),
    "reasoning signature": _one("reasoning_signature"),
}
"""Kinds of keys that accounts can share."""


class Account(Struct):
    """Sums over one account's events. Bounded: some seventy numbers, distinct values up to a limit, hours of the week."""

    events: int = 0
    sums: dict[str, float] = {}
    counts: dict[str, int] = {}
    present: dict[str, int] = {}
    distinct: dict[str, set[str]] = {}
    hours: set[int] = set()
    first: int = 0
    last: int = 0
    gaps: float = 0.0
    gap_squares: float = 0.0
    created: int | None = None
    failures: int = 0

    def take(self, event: RequestEvent) -> None:
        """One of its events."""
        for name in NUMBERS:
            value = getattr(event, name)
            if value is not None:
                self.sums[name] = self.sums.get(name, 0.0) + value
                self.counts[name] = self.counts.get(name, 0) + 1
        for name in OPTIONAL:
            if getattr(event, name) is not None:
                self.present[name] = self.present.get(name, 0) + 1
        for name in DISTINCT:
            values = self.distinct.setdefault(name, set())
            if len(values) < DISTINCT_MAX:
                values.add(str(getattr(event, name)))
        self._time(event)

    def _time(self, event: RequestEvent) -> None:
        at = event.event_time
        if self.events:
            gap = float(at - self.last)
            self.gaps += gap
            self.gap_squares += gap * gap
        else:
            self.first, self.created = at, event.account_created
        self.events += 1
        self.last = at
        self.hours.add(at // HOUR_MS % 24)
        self.failures += event.status >= 400

    def facts(self) -> dict[str, float]:
        """Its numbers by name; what it never showed is left out."""
        found = {f"mean {name}": self.sums[name] / count for name, count in self.counts.items()}
        found |= {f"share with {name}": self.present.get(name, 0) / self.events for name in OPTIONAL}
        found |= {f"distinct {name}": float(len(values)) for name, values in self.distinct.items()}
        found |= {"events": float(self.events), "hours of the day": float(len(self.hours)), "share failed": self.failures / self.events}
        answered = self.sums.get("input_tokens", 0.0)
        if answered:
            found["output per input"] = self.sums.get("output_tokens", 0.0) / answered
            found["cached per input"] = self.sums.get("cached_tokens", 0.0) / answered
        if self.created is not None:
            found["age at first call"] = float(self.first - self.created)
        return found | self._gap_facts()

    def _gap_facts(self) -> dict[str, float]:
        if self.events < 4:
            return {}
        mean = self.gaps / (self.events - 1)
        spread = max(0.0, self.gap_squares / (self.events - 1) - mean * mean) ** 0.5
        return {"mean gap": mean, "gap variation": spread / mean if mean else 0.0}
