"""Events played through the whole engine, and who was sanctioned by what it decided."""

from collections.abc import Iterable

from guard.decisions.decision import Decision
from guard.engine.control import Control
from guard.engine.driver import Driver
from guard.events.request import RequestEvent
from tests.support.events import open_control


def judged(events: Iterable[RequestEvent], control: Control | None = None) -> Driver:
    """An engine of four shards, enforcing unless `control` says otherwise, that has taken in the events to the end."""
    driver = Driver(4, control or open_control())
    for one in events:
        driver.take(one, one.event_time)
    driver.finish()
    return driver


def sanctioned(decided: Iterable[Decision]) -> set[str]:
    """Accounts that any decision of account, payment or campaign scope throttles, challenges or blocks."""
    hit: set[str] = set()
    for decision in decided:
        if decision.action != "allow":
            hit.update((decision.subject,) if decision.scope == "account" else decision.members or ())
    return hit
