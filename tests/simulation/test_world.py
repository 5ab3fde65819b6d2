"""Simulated worlds: repeatable, with both sides drawn from one market, and judged by their truth."""

import itertools

import msgspec

from guard.control.board import opening_control
from guard.decisions.decision import Action
from guard.engine.driver import Driver
from guard.events.decode import decode
from guard.gateway.orders import Answer
from guard.simulation.loop import play_closed
from guard.simulation.presets import build
from guard.simulation.score import Scorer
from guard.simulation.world import OpenGateway

END = 1_790_000_000_000
FLEETS = ("A3", "A4", "A10")


def _bytes(seed: int, count: int) -> list[bytes]:
    exchanges = build("small", seed, END).world.play(OpenGateway())
    return [msgspec.json.encode(exchange.event) for exchange in itertools.islice(exchanges, count)]


def test_the_same_seed_gives_the_same_bytes_and_another_one_other_bytes() -> None:
    """A figure that cannot be repeated is no figure."""
    assert _bytes(1, 500) == _bytes(1, 500)
    assert _bytes(1, 500) != _bytes(2, 500)


def test_every_event_is_a_good_event_in_the_order_of_time() -> None:
    """What we generate ourselves must pass our own reader."""
    last = 0
    for exchange in itertools.islice(build("small", 3, END).world.play(OpenGateway()), 2_000):
        fields = {name: value for name, value in msgspec.structs.asdict(exchange.event).items() if value is not None}
        event = decode(msgspec.json.encode(fields))
        assert event.account_id == exchange.event.account_id
        assert last <= event.event_time <= END
        last = event.event_time


def test_no_field_is_only_one_sides() -> None:
    """A world in which one field gives the fleet away is no judge."""
    seen: dict[bool, set[str]] = {True: set(), False: set()}
    for exchange in build("small", 4, END).world.play(OpenGateway()):
        fields = msgspec.structs.asdict(exchange.event)
        seen[exchange.truth.honest] |= {name for name, value in fields.items() if value is not None}

    assert seen[False] <= seen[True] | {"reasoning_tokens"}


class _BlockingGateway:
    """Blocks whoever belongs to a fleet."""

    def __init__(self, fleet: set[str]) -> None:
        self._fleet = fleet

    def answer(self, account: str, payment: str | None, organisation: str | None, at: int) -> Answer:
        """Block the fleet."""
        return Answer(Action.BLOCK, "d-1") if account in self._fleet else Answer(Action.ALLOW)


def test_blocked_fleet_accounts_are_replaced_from_the_reserve_and_give_up_themselves() -> None:
    """Churn is what makes a ban of single accounts useless."""
    built = build("small", 5, END, ("A3",))
    first = {truth.account_id for truth in built.truths if truth.family == "A3"}
    exchanges = [one for one in built.world.play(_BlockingGateway(first)) if one.truth.family == "A3"]

    assert all(one.was_refused and one.event.status == 403 and one.event.output_tokens == 0 for one in exchanges)
    assert len(exchanges) == len({one.event.account_id for one in exchanges}) > 24


def test_fleets_are_caught_in_a_closed_loop_and_no_hard_negative_is_blocked() -> None:
    """The demonstration: whoever sees refusals reacts, and some are caught all the same."""
    built = build("demo", 1, END)
    scorer = Scorer(built.truths)
    for _ in play_closed(built.world, Driver(4, opening_control(enforce=True)), scorer):
        pass
    report = scorer.report()

    assert {one.family for one in report.campaigns} >= set(FLEETS)
    assert all(one.caught for one in report.campaigns if one.family in FLEETS)
    assert not {"N1", "N4", "N8", "N11"} & report.honest_blocked.keys()
