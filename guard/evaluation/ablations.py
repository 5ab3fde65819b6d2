"""One kind of evidence taken away, whole: its rules are switched off and the fields that carry it are withheld from the judge.

Rules alone would not do: a card that no rule weighs still links accounts.
"""

import json
from typing import Final

import msgspec
from msgspec import Struct

from guard.control.board import opening_control
from guard.engine.control import Control
from guard.events.request import RequestEvent
from guard.policy.document import RULE_CODES
from guard.policy.labels import LabelBook
from guard.scoring.reasons import REASONS, Family


class Ablation(Struct, frozen=True):
    """What is taken away."""

    rules_off: tuple[str, ...]
    fields: tuple[str, ...] = ()
    """Fields of the request event that the judge does not get to see."""
    is_labelled: bool = True
    """The judge hears the world's labels."""

    def withheld(self, event: RequestEvent) -> RequestEvent:
        """The event as the judge sees it."""
        return msgspec.structs.replace(event, **dict.fromkeys(self.fields)) if self.fields else event

    def control(self, labels: LabelBook) -> Control:
        """The built-in policy, enforcing, without these rules; with the labels, unless they are what is taken away."""
        opening = opening_control(enforce=True)
        book = labels if self.is_labelled else opening.labels
        if not self.rules_off:
            return Control(opening.policies, book, opening.watch)
        document = {"version": 1, "author": "evaluate", "effective_at": 0, "mode": "enforce", "rules_off": self.rules_off}
        return Control(opening.policies.with_document(json.dumps(document).encode()), book, opening.watch)


def _of(*families: Family) -> tuple[str, ...]:
    return tuple(code for code in RULE_CODES if REASONS[code].family in families)


NOTHING: Final = Ablation(())
ABLATIONS: Final = {
    "no-payment": Ablation(tuple(code for code in RULE_CODES if "payment" in code), ("payment_fingerprint",)),
    "no-template": Ablation(_of(Family.TEMPLATE), ("prefix", "shape", "simhash")),
    "no-timing": Ablation(_of(Family.TIMING)),
    "no-network": Ablation(_of(Family.NETWORK), ("ip", "ip_prefix", "asn", "client_fingerprint")),
    "no-continuity": Ablation(_of(Family.REPLAY), ("conversation", "conversation_after", "reasoning_signature")),
    "no-learning": Ablation(_of(Family.DRIFT)),
    "no-drift": Ablation(("drift_toward_extraction",)),
    "no-crowd": Ablation(("unlike_the_crowd",)),
    "no-supervised": Ablation(("like_known_extraction",)),
    "no-labels": Ablation((), is_labelled=False),
}
"""The six of the protocol, each model alone, and a world without analysts and appeals, by the name of their variant."""
