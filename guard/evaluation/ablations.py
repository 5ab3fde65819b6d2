"""One kind of evidence taken away, whole: its rules are switched off and the fields that carry it are withheld from the judge.

Rules alone would not do: a card that no rule weighs still links accounts.
"""

import json
from collections.abc import Mapping
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
    """What is taken away, or asked for."""

    what: str
    """For readers of a report."""
    rules_off: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    """Fields of the request event that the judge does not get to see."""
    is_labelled: bool = True
    """The judge hears the world's labels."""
    ladder: Mapping[str, object] = {}
    """What the policy document says about the ladder; nothing: as the built-in policy."""

    def withheld(self, event: RequestEvent) -> RequestEvent:
        """The event as the judge sees it."""
        return msgspec.structs.replace(event, **{name: UNKNOWN[name] for name in self.fields}) if self.fields else event

    def control(self, labels: LabelBook) -> Control:
        """The built-in policy, enforcing, without these rules; with the labels, unless they are what is taken away."""
        opening = opening_control(enforce=True)
        book = labels if self.is_labelled else opening.labels
        if not (self.rules_off or self.ladder):
            return Control(opening.policies, book, opening.watch)
        document = {"version": 1, "author": "evaluate", "effective_at": 0, "mode": "enforce", "rules_off": self.rules_off}
        document |= {"ladder": self.ladder}
        return Control(opening.policies.with_document(json.dumps(document).encode()), book, opening.watch)


def _of(*families: Family) -> tuple[str, ...]:
    return tuple(code for code in RULE_CODES if REASONS[code].family in families)


UNKNOWN: Final = {
    field.name: field.default for field in msgspec.structs.fields(RequestEvent) if not field.required and field.name != "append_time"
}
"""Every optional field of the contract and what it is when nobody sends it; the append time is the log's, no gateway's."""

NOTHING: Final = Ablation("the guard as it is installed, enforcing")
ABLATIONS: Final = {
    "no-payment": Ablation("no payment fingerprints", tuple(code for code in RULE_CODES if "payment" in code), ("payment_fingerprint",)),
    "no-template": Ablation("no prompt prefixes, shapes or SimHashes", _of(Family.TEMPLATE), ("prefix", "shape", "simhash")),
    "required-only": Ablation("nothing but the six fields that the contract requires", fields=tuple(UNKNOWN)),
    "no-timing": Ablation("no rules about timing", _of(Family.TIMING)),
    "no-network": Ablation(
        "no addresses, networks or client fingerprints", _of(Family.NETWORK), ("ip", "ip_prefix", "asn", "client_fingerprint")
    ),
    "no-continuity": Ablation(
        "no conversations or signatures to follow", _of(Family.REPLAY), ("conversation", "conversation_after", "reasoning_signature")
    ),
    "no-learning": Ablation("no learnt model at all", _of(Family.DRIFT)),
    "no-drift": Ablation("without the model of a subject's own past", ("drift_toward_extraction",)),
    "no-crowd": Ablation("without the model of the crowd", ("unlike_the_crowd",)),
    "no-supervised": Ablation("without the model that labels and settled campaigns teach", ("like_known_extraction",)),
    "no-labels": Ablation("no analysts, no appeals", is_labelled=False),
    "jitter": Ablation(
        "rungs raised by up to a third of their doubt, elsewhere for each subject and day (a policy's choice, off by default)",
        ladder={"jitter": {"share_max": 0.33, "key": "the key of an evaluation"}},
    ),
}
"""The six of the protocol, each model alone, worlds that tell less, and what a policy may ask for; by the name of their variant."""

LESS_TOLD: Final = ("no-payment", "no-template", "required-only")
"""Worlds whose gateways tell less; what is still caught in them is asked for by the issue."""
