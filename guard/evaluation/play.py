"""One source against one judge, seen by the ledger. Closed loop: the gateway obeys. Open loop: it only notes what it would refuse."""

from collections.abc import Callable
from typing import Final

from guard.decisions.decision import Action
from guard.evaluation.leakage import Leakage
from guard.evaluation.ledger import Ledger
from guard.evaluation.peaks import Peaks
from guard.evaluation.sources import Source
from guard.evaluation.variants import has_scores, judge_of, source_of
from guard.gateway.orders import Orders
from guard.simulation.loop import ObedientGateway
from guard.simulation.world import Exchange, OpenGateway

LOOKED_AT_EVERY: Final = 4_096
"""Exchanges between two looks at the clock."""


class Play:
    """A run as far as it has been played: everything that the rest depends on, so that it can be laid aside between two exchanges."""

    def __init__(self, source: Source, variant: str, *, is_closed: bool) -> None:
        self._source = source_of(variant, source)
        self._is_closed = is_closed
        self._orders = Orders()
        self._gateway = ObedientGateway(self._orders)
        self.ledger, self.leakage = Ledger(self._source.truths), Leakage()
        self._peaks = Peaks(self._source.truths)
        self._judge, self._seen_of = judge_of(variant, self._source.labels, self._peaks)
        self.peaks = self._peaks if has_scores(variant) else None
        """None where the judge has no scores."""
        self.seconds = 0.0
        """That it was played before it was laid aside."""
        self.at = 0
        """Event time, milliseconds, of the newest exchange."""

    @property
    def share(self) -> float | None:
        """How much of the source's time has been played, 0-1; None where its span is not known."""
        span = self._source.span
        return None if span is None else min(1.0, max(0.0, (self.at - span[0]) / (span[1] - span[0])))

    def to_end(self, looked: Callable[["Play"], None] = lambda _: None) -> "Play":
        """Play what is left; `looked` is called now and then, between two exchanges."""
        for exchange in self._source.play(self._gateway if self._is_closed else OpenGateway()):
            self._take(exchange)
            if not self.ledger.events % LOOKED_AT_EVERY:
                looked(self)
        self._judge.finish()
        self._obey()
        return self

    def _take(self, exchange: Exchange) -> None:
        event = exchange.event
        self.at = event.event_time
        self.ledger.exchange(exchange.truth, event.event_time, was_refused=self._was_refused(exchange), was_answered=exchange.was_answered)
        self.leakage.exchange(exchange.truth, event)
        self._judge.take(self._seen_of(event), event.append_time or event.event_time)
        self._obey()

    def _was_refused(self, exchange: Exchange) -> bool:
        if self._is_closed or exchange.was_refused:
            return exchange.was_refused
        event = exchange.event
        answer = self._gateway.answer(event.account_id, event.payment_fingerprint, event.org_id, event.event_time)
        return answer.action is not Action.ALLOW

    def _obey(self) -> None:
        for decision in self._judge.drained():
            self.ledger.decision(decision)
            self._orders.apply(decision)
