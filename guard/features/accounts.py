"""The features of an account, read from its behaviour."""

from collections.abc import Callable
from math import sqrt
from typing import Final

from guard.features.table import Feature
from guard.state import behaviour as b
from guard.state.behaviour import Behaviour
from guard.state.windows import DAY_INPUT, DAY_OUTPUT, DAY_REASONING, DAY_REQUESTS, HOUR_REQUESTS, MINUTE_REQUESTS
from guard.units import DAY_MS, MINUTE_MS

GAPS_MIN: Final = 8
"""Gaps before pace and burstiness say anything."""

SHARES_MIN: Final = 4
"""Exchanges before a share says anything."""


def _minute_requests(memory: Behaviour, at: int) -> float | None:
    return memory.windows.past(at, MINUTE_REQUESTS)


def _hour_requests(memory: Behaviour, at: int) -> float | None:
    return memory.windows.past(at, HOUR_REQUESTS)


def _day_requests(memory: Behaviour, at: int) -> float | None:
    return memory.windows.past(at, DAY_REQUESTS)


def _pace_rpm(memory: Behaviour, at: int) -> float | None:
    if memory.counts[b.GAP_MS] < GAPS_MIN:
        return None
    return MINUTE_MS / max(memory.means[b.GAP_MS], 1.0)


def _limit_share(memory: Behaviour, at: int) -> float | None:
    pace = _pace_rpm(memory, at)
    return None if pace is None or not memory.limit_rpm else pace / memory.limit_rpm


def _burstiness(memory: Behaviour, at: int) -> float | None:
    if memory.counts[b.GAP_MS] < GAPS_MIN:
        return None
    mean = memory.means[b.GAP_MS]
    deviation = sqrt(max(memory.means[b.GAP_SQUARE] - mean * mean, 0.0))
    return (deviation - mean) / (deviation + mean) if deviation + mean > 0 else -1.0


def _share(column: int) -> Callable[[Behaviour, int], float | None]:
    def read(memory: Behaviour, at: int) -> float | None:
        return float(memory.means[column]) if memory.counts[column] >= SHARES_MIN else None

    return read


def _output_per_input(memory: Behaviour, at: int) -> float | None:
    sums = memory.windows.sums
    return float(sums[DAY_OUTPUT] / sums[DAY_INPUT]) if sums[DAY_INPUT] > 0 else None


def _reasoning_share(memory: Behaviour, at: int) -> float | None:
    sums = memory.windows.sums
    return float(min(1.0, sums[DAY_REASONING] / sums[DAY_OUTPUT])) if sums[DAY_OUTPUT] > 0 else None


def _age_days(memory: Behaviour, at: int) -> float | None:
    return max(0.0, (at - memory.created_s * 1_000) / DAY_MS) if memory.created_s else None


def _use_days(memory: Behaviour, at: int) -> float:
    return max(0.0, (at - memory.first_s * 1_000) / DAY_MS)


_CISA: Final = "CISA AA26-251A"


ACCOUNT_FEATURES: Final = (
    Feature("minute_requests", "requests, half-life 1 min", 0.0, 1e9, "burst of a harvest", "Windows", 0.3, _minute_requests),
    Feature("hour_requests", "requests, half-life 1 h", 0.0, 1e9, "sustained throughput", "Windows", 0.3, _hour_requests),
    Feature("day_requests", "requests, half-life 1 d", 0.0, 1e9, "volume over a day and night", "Windows", 0.3, _day_requests),
    Feature(
        "pace_rpm", "requests per minute over the last 64 gaps", 0.0, 6e4, "pace before a window has filled", "gap mean", 0.2, _pace_rpm
    ),
    Feature("limit_share", "pace / plan limit", 0.0, 1e4, "limit hugging, no ramp", _CISA, 0.3, _limit_share),
    Feature(
        "burstiness",
        "(sd - mean) / (sd + mean) of gaps",
        -1.0,
        1.0,
        "schedulers are regular, people bursty",
        "Goh and Barabasi 2008",
        0.3,
        _burstiness,
    ),
    Feature(
        "elicitation_share",
        "mean classifier score",
        0.0,
        1.0,
        "direct target of distillation",
        "arXiv 2603.07835",
        0.1,
        _share(b.ELICITATION),
    ),
    Feature(
        "rubric_share", "mean classifier score", 0.0, 1.0, "the model used as reward model", "Anthropic, 23 Feb 2026", 0.1, _share(b.RUBRIC)
    ),
    Feature(
        "single_turn_share",
        "share of exchanges",
        0.0,
        1.0,
        "data-set generation is one turn deep",
        "pipelines' own code",
        0.1,
        _share(b.SINGLE_TURN),
    ),
    Feature(
        "same_parameters_share",
        "share of exchanges",
        0.0,
        1.0,
        "pipelines are constant",
        "pipelines' own code",
        0.1,
        _share(b.SAME_PARAMETERS),
    ),
    Feature(
        "output_per_input",
        "output tokens / input tokens, half-life 1 d",
        0.0,
        1e6,
        "long answers to short questions",
        "ServeGen: p95 14.9",
        0.2,
        _output_per_input,
    ),
    Feature(
        "reasoning_share",
        "reasoning tokens / output tokens",
        0.0,
        1.0,
        "harvest of reasoning",
        "ServeGen: median 0.76",
        0.2,
        _reasoning_share,
    ),
    Feature("age_days", "days since the account was opened", 0.0, 1e5, "fresh accounts at once at their limit", _CISA, 0.1, _age_days),
    Feature("use_days", "days since its first exchange seen", 0.0, 1e5, "no ramp since it came to use", _CISA, 0.1, _use_days),
)
"""Read at most once per scoring, not per event; about 3 us together."""
