"""One source against one judge, seen by the ledger. Closed loop: the gateway obeys. Open loop: it only notes what it would refuse."""

from collections.abc import Callable

from msgspec import Struct

from guard.decisions.decision import Action
from guard.evaluation.judges import Judge
from guard.evaluation.leakage import Leakage
from guard.evaluation.ledger import Ledger
from guard.evaluation.peaks import Peaks
from guard.evaluation.sources import Source
from guard.evaluation.variants import has_scores, judge_of, source_of
from guard.gateway.orders import Orders
from guard.simulation.loop import ObedientGateway
from guard.simulation.world import Exchange, OpenGateway


class Played(Struct, frozen=True):
    """What came of one run. No peaks where the judge has no scores."""

    ledger: Ledger
    leakage: Leakage
    peaks: Peaks | None


def play(source: Source, variant: str, *, is_closed: bool, progress: Callable[[int], None] = lambda _: None) -> Played:
    """Play the source to its end; `progress` hears the number of exchanges now and then."""
    source = source_of(variant, source)
    orders, ledger, leakage, peaks = Orders(), Ledger(source.truths), Leakage(), Peaks(source.truths)
    judge, seen_of = judge_of(variant, source.labels, peaks)
    gateway = ObedientGateway(orders)
    for exchange in source.play(gateway if is_closed else OpenGateway()):
        event = exchange.event
        was_refused = _was_refused(exchange, None if is_closed else gateway)
        ledger.exchange(exchange.truth, event.event_time, was_refused=was_refused, was_answered=exchange.was_answered)
        leakage.exchange(exchange.truth, event)
        judge.take(seen_of(event), event.append_time or event.event_time)
        _obey(judge, ledger, orders)
        if not ledger.events & 0xFFF:
            progress(ledger.events)
    judge.finish()
    _obey(judge, ledger, orders)
    return Played(ledger, leakage, peaks if has_scores(variant) else None)


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
