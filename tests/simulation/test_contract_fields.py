"""No field of the contract belongs to one side: whoever is judged by a field must be judged by how it is used."""

import msgspec
import pytest

from guard.decisions.decision import Action
from guard.events.request import RequestEvent
from guard.gateway.orders import Answer
from guard.simulation.families import ATTACKS, NEGATIVES
from guard.simulation.presets import build
from guard.simulation.world import OpenGateway

END = 1_790_000_000_000
REFUSALS_ONLY = {"decision_id"}
"""Present when the guard refused; whom it refuses is its own doing."""
REPLAYS_ONLY = {"append_time"}
CLOSED_VALUES = (
    "model",
    "operation",
    "n",
    "logprobs",
    "plan",
    "status",
    "stop_reason",
    "max_tokens",
    "temperature",
    "refused",
    "user_agent",
)

Sides = tuple[dict[bool, set[str]], dict[bool, dict[str, set[object]]]]


@pytest.fixture(scope="module")
def sides() -> Sides:
    """Fields and closed values seen, by honesty."""
    fields: dict[bool, set[str]] = {True: set(), False: set()}
    values: dict[bool, dict[str, set[object]]] = {side: {name: set() for name in CLOSED_VALUES} for side in (True, False)}
    for seed in (1, 2, 3):
        for exchange in build("small", seed, END, ATTACKS, NEGATIVES).world.play(OpenGateway()):
            for name, value in msgspec.structs.asdict(exchange.event).items():
                if value is not None:
                    fields[exchange.truth.honest].add(name)
                    if name in CLOSED_VALUES:
                        values[exchange.truth.honest][name].add(value)
    return fields, values


def test_every_contract_field_occurs_on_both_sides(sides: Sides) -> None:
    """One that is missing on a side would give it away."""
    fields, _ = sides
    every = {field.name for field in msgspec.structs.fields(RequestEvent)} - REFUSALS_ONLY - REPLAYS_ONLY

    assert fields[True] == every
    assert fields[False] == every


@pytest.mark.parametrize("name", CLOSED_VALUES)
def test_no_closed_value_is_only_the_fleets(sides: Sides, name: str) -> None:
    """A temperature, ceiling or model that only fleets use would be a rule by itself."""
    _, values = sides

    assert values[False][name] <= values[True][name]


class _Throttling:
    """Refuses everybody every third time."""

    turn = 0

    def answer(self, account: str, payment: str | None, organisation: str | None, at: int) -> Answer:
        """A throttle now and then."""
        self.turn += 1
        return Answer(Action.ALLOW) if self.turn % 3 else Answer(Action.THROTTLE, "d-1", 6)


def test_plan_limits_hold_and_say_so_without_a_decision() -> None:
    """The gateway's own limit answers 429 by itself; nobody gets more answers in a minute than the plan allows."""
    answered: dict[tuple[str, int], int] = {}
    limits: dict[str, int] = {}
    own = 0
    for exchange in build("small", 5, END, ("A1",), ("N9",)).world.play(OpenGateway()):
        event = exchange.event
        own += event.status == 429
        assert event.decision_id is None
        if event.rate_limit_rpm is None or event.latency_ms is None:
            continue
        limits[event.account_id] = event.rate_limit_rpm
        if event.status == 200:
            key = (event.account_id, (event.event_time - event.latency_ms) // 60_000)
            answered[key] = answered.get(key, 0) + 1

    assert own >= 1
    assert all(count <= limits[account] for (account, _), count in answered.items())


def test_the_queue_is_bounded_by_the_clients_whatever_is_refused() -> None:
    """A refused request may be handed on, but never breeds others."""
    built = build("small", 5, END, ATTACKS, NEGATIVES)
    refused = sum(exchange.was_refused for exchange in built.world.play(_Throttling()))

    assert refused > 1_000
    assert built.world.in_queue_max <= 2 * len(built.truths)
