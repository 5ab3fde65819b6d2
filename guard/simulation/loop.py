"""A world against the engine in one process: the gateway obeys the driver's decisions at once. For tests and quick looks."""

from collections.abc import Iterator

from guard.decisions.decision import Action
from guard.engine.driver import Driver
from guard.gateway.orders import PASS, Answer, Orders
from guard.gateway.throttle import Throttles
from guard.simulation.score import Scorer
from guard.simulation.world import Exchange, World


class ObedientGateway:
    """Answers by the decisions in force; a throttled request within its rate passes."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self._throttles = Throttles()

    def answer(self, account: str, payment: str | None, organisation: str | None, at: int) -> Answer:
        """What becomes of a request at `at`."""
        answer = self._orders.answer(account, payment, organisation, at)
        if answer.action is Action.THROTTLE and self._throttles.passes(account, answer.rate_rpm or 1, at):
            return PASS
        return answer


def play_closed(world: World, driver: Driver, scorer: Scorer) -> Iterator[Exchange]:
    """Play the world with the engine in the loop; every exchange and decision goes to the scorer."""
    orders = Orders()
    for exchange in world.play(ObedientGateway(orders)):
        event = exchange.event
        scorer.exchange(event.account_id, event.event_time, was_refused=exchange.was_refused, was_answered=exchange.was_answered)
        driver.take(event, event.event_time)
        for decision in driver.drained():
            scorer.decision(decision)
            orders.apply(decision)
        yield exchange
    driver.finish()
    for decision in driver.drained():
        scorer.decision(decision)
