"""The payment fingerprint as a subject of its own: its windows, rate rules, drift, and decisions that name every member."""

from typing import Final

import msgspec

from guard.decisions.decision import Mode, Scope
from guard.engine.caps import CapCount
from guard.engine.control import Control
from guard.engine.forwards import Contact
from guard.engine.issue import Desk, Subject
from guard.engine.learning import drift_evidence
from guard.engine.link_record import LinkMemory
from guard.policy.jitter import offset_of
from guard.policy.judge import judge, rewritten, weigh
from guard.policy.policy import Policy
from guard.scoring.fusion import CLEAR, Verdict
from guard.scoring.learned.models import ShardModels
from guard.scoring.learned.past import OwnPast
from guard.scoring.links.shared_payment import payment_rate
from guard.scoring.reasons import Reason
from guard.state.windows import HOUR_REQUESTS
from guard.units import EventTimeMs

CAPS_KEY: Final = b"k:caps"
PAST_AFTER: Final = 16
"""Exchanges before a card gets a past of its own."""


class PaymentJudge:
    """Judges payment fingerprints of one shard."""

    def __init__(self, models: ShardModels, desk: Desk, records: dict[bytes, bytes]) -> None:
        self._models = models
        self._desk = desk
        caps = records.pop(CAPS_KEY, None)
        self._caps = msgspec.msgpack.decode(caps, type=CapCount) if caps is not None else CapCount()
        self._caps_changed = False
        self._from = self._until = 0

    def follow(self, control: Control) -> None:
        """Work by this control from now on."""
        self._control = control
        self._take_policy(EventTimeMs(0))

    def _take_policy(self, at: EventTimeMs) -> None:
        self.policy, self._from, self._until = self._control.policies.span_at(at)

    def policy_at(self, at: EventTimeMs) -> Policy:
        """The policy in force at `at`."""
        if not self._from <= at < self._until:
            self._take_policy(at)
        return self.policy

    def observe(self, memory: LinkMemory, contact: Contact) -> None:
        """Take the contact's exchanges into the card's own past."""
        if not contact.uses or memory.link.uses <= PAST_AFTER:
            return
        if memory.past is None:
            memory.past = OwnPast()
        memory.past.observe(
            contact.at, contact.output_tokens / contact.uses, max(contact.voice, contact.rubric), contact.single_turn, contact.uses
        )

    def judge(self, memory: LinkMemory, evidence: list[Reason], speaks_for: float, at: int, *, is_new: bool) -> Verdict:
        """The verdict over a card; decides when it asks for more than stands, or when a member joined what stands."""
        link = memory.link
        policy = self.policy_at(EventTimeMs(at))
        evidence = [*evidence, *self._own_evidence(memory, policy)]
        said, label_relief = self._control.label_says(Scope.PAYMENT, link.value, EventTimeMs(at))
        evidence += said
        speaks_for = max(speaks_for, label_relief)
        verdict = weigh(evidence, policy, speaks_for) if evidence else CLEAR
        self._desk.heard(Scope.PAYMENT, link.value, verdict, memory.members)
        if verdict.score > 0 or is_new:
            self._decide(memory, verdict, policy, EventTimeMs(at), is_new=is_new)
        return verdict

    def _own_evidence(self, memory: LinkMemory, policy: Policy) -> list[Reason]:
        link, found = memory.link, []
        if memory.windows is not None:
            rate = payment_rate(memory.windows.steady_per_minute(HOUR_REQUESTS), link.limit_rpm, link.accounts, policy.thresholds)
            if rate is not None:
                found.append(rate)
        drift = drift_evidence(memory.past, self._models, policy.thresholds["drift_score"])
        return found if drift is None else [*found, drift]

    def _decide(self, memory: LinkMemory, verdict: Verdict, policy: Policy, at: EventTimeMs, *, is_new: bool) -> None:
        link, mode = memory.link, policy.modes[Scope.PAYMENT]
        standing = memory.standing.order(mode)
        offset = offset_of(policy.jitter, Scope.PAYMENT, link.value, at)
        sentence = judge(verdict, standing, policy, at, offset)
        if sentence is None and is_new:
            sentence = rewritten(standing, at)
        if sentence is None or self._control.is_settled(Scope.PAYMENT, link.value, at, policy):
            return
        capped = None
        is_standing = standing is not None and standing.is_active(at)
        if mode is Mode.ENFORCE and not is_standing:
            capped = self._caps.exceeded(at, 1, policy.caps.payment_fingerprints)
            self._caps_changed = True
        if capped is not None and judge(verdict, memory.standing.shadow, policy, at, offset) is None:
            return
        subject = Subject(Scope.PAYMENT, link.value, memory.standing, members=tuple(memory.members))
        self._desk.sentence(subject, verdict, sentence, policy, at, capped=capped)

    def drain(self) -> list[tuple[bytes, bytes | None]]:
        """The cap count, if it has changed."""
        if not self._caps_changed:
            return []
        self._caps_changed = False
        return [(CAPS_KEY, msgspec.msgpack.encode(self._caps))]
