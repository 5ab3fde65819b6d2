"""Does one raw field give the hostile side away? Then the simulator leaks, and every other figure flatters."""

from collections.abc import Callable, Sequence
from typing import Final

from guard.events.request import RequestEvent
from guard.simulation.client import Truth
from guard.simulation.leakage import auc
from guard.units import DAY_MS

FIELDS: Final[dict[str, Callable[[RequestEvent], float | None]]] = {
    "input_tokens": lambda event: float(event.input_tokens),
    "output_tokens": lambda event: float(event.output_tokens),
    "cached_tokens": lambda event: event.cached_tokens,
    "max_tokens": lambda event: event.max_tokens,
    "temperature": lambda event: event.temperature,
    "messages": lambda event: event.messages,
    "tools": lambda event: event.tools,
    "prompt_chars": lambda event: event.prompt_chars,
    "reasoning_elicitation": lambda event: event.reasoning_elicitation,
    "rubric_grading": lambda event: event.rubric_grading,
    "account_age_days": lambda event: None if event.account_created is None else (event.event_time - event.account_created) / DAY_MS,
    "rate_limit_rpm": lambda event: event.rate_limit_rpm,
    "has_conversation": lambda event: float(event.conversation is not None),
    "has_prefix": lambda event: float(event.prefix is not None),
    "has_organisation": lambda event: float(event.org_id is not None),
}
"""Raw fields, and what of an event is averaged over an account; None where the event does not say."""


class Leakage:
    """Averages of raw fields by account. Memory: two numbers a field an account."""

    def __init__(self) -> None:
        self._sums: dict[str, list[float]] = {}
        self._honest: dict[str, bool] = {}

    def exchange(self, truth: Truth, event: RequestEvent) -> None:
        """One exchange, answered or not."""
        sums = self._sums.get(truth.account_id)
        if sums is None:
            sums = self._sums[truth.account_id] = [0.0] * (2 * len(FIELDS) + 1)
            self._honest[truth.account_id] = truth.honest
        sums[-1] += 1
        for place, value in enumerate(of(event) for of in FIELDS.values()):
            if value is not None:
                sums[2 * place] += value
                sums[2 * place + 1] += 1

    def aucs(self) -> dict[str, float]:
        """Field -> AUC between hostile and honest accounts, folded to 0.5-1; a field that one side lacks is left out."""
        found = {"requests": self._auc(lambda sums: sums[-1])}
        for place, name in enumerate(FIELDS):
            found[name] = self._auc(lambda sums, at=2 * place: sums[at] / sums[at + 1] if sums[at + 1] else None)  # type: ignore[misc]
        return {name: round(value, 4) for name, value in found.items() if value is not None}

    def _auc(self, feature: Callable[[list[float]], float | None]) -> float | None:
        sides: dict[bool, list[float]] = {True: [], False: []}
        for account, sums in self._sums.items():
            value = feature(sums)
            if value is not None:
                sides[self._honest[account]].append(value)
        return folded_auc(sides[False], sides[True])


def folded_auc(hostile: Sequence[float], honest: Sequence[float]) -> float | None:
    """How often a hostile value exceeds an honest one, ties halved, in whichever direction is better; None without both sides."""
    if not hostile or not honest:
        return None
    chance = auc(sorted(honest), hostile)
    return max(chance, 1.0 - chance)
