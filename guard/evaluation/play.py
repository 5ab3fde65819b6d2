"""One source against one judge, seen by the ledger. Closed loop: the gateway obeys. Open loop: it only notes what it would refuse."""

from collections.abc import Callable

from msgspec import Struct

from guard.decisions.decision import Action
from guard.engine.driver import Driver
from guard.evaluation.ablations import ABLATIONS, NOTHING
from guard.evaluation.baselines import BASELINES, baseline
from guard.evaluation.judges import Judge
from guard.evaluation.leakage import Leakage
from guard.evaluation.ledger import Ledger
from guard.evaluation.sources import Source
from guard.events.request import RequestEvent
from guard.gateway.orders import Orders
from guard.policy.labels import LabelBook
from guard.simulation.loop import ObedientGateway
from guard.simulation.world import Exchange, OpenGateway
from guard.topics import PARTITIONS_DEFAULT

FULL = "full"
SHUFFLED = "shuffled"
VARIANTS = (FULL, *ABLATIONS, *BASELINES, SHUFFLED)
"""Every variant there is. `shuffled` is `full` with the truth dealt out anew among the accounts."""


class Played(Struct, frozen=True):
    """What came of one run."""

    ledger: Ledger
    leakage: Leakage


def judge_of(variant: str, labels: LabelBook) -> tuple[Judge, Callable[[RequestEvent], RequestEvent]]:
    """A fresh judge, and what it gets to see of an event."""
    if variant in BASELINES:
        return baseline(variant), NOTHING.withheld
    ablation = ABLATIONS.get(variant, NOTHING)
    return Driver(PARTITIONS_DEFAULT, ablation.control(labels)), ablation.withheld


def play(source: Source, variant: str, *, is_closed: bool, progress: Callable[[int], None] = lambda _: None) -> Played:
    """Play the source to its end; `progress` hears the number of exchanges now and then."""
    judge, seen_of = judge_of(variant, source.labels)
    orders, ledger, leakage = Orders(), Ledger(source.truths), Leakage()
    gateway = ObedientGateway(orders)
    for exchange in source.play(gateway if is_closed else OpenGateway()):
        event = exchange.event
        ledger.exchange(exchange.truth, event.event_time, was_refused=_was_refused(exchange, None if is_closed else gateway))
        leakage.exchange(exchange.truth, event)
        judge.take(seen_of(event), event.append_time or event.event_time)
        _obey(judge, ledger, orders)
        if not ledger.events & 0xFFF:
            progress(ledger.events)
    judge.finish()
    _obey(judge, ledger, orders)
    return Played(ledger, leakage)


def _was_refused(exchange: Exchange, onlooker: ObedientGateway | None) -> bool:
    if onlooker is None or exchange.was_refused:
        return exchange.was_refused
    event = exchange.event
    answer = onlooker.answer(event.account_id, event.payment_fingerprint, event.org_id, event.event_time)
    return answer.action is not Action.ALLOW


def _obey(judge: Judge, ledger: Ledger, orders: Orders) -> None:
    for decision in judge.drained():
        ledger.decision(decision)
        orders.apply(decision)
