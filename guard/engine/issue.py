"""Writing decisions: mode by policy and cap, members in parts, id over the whole body, the message on the shard's own partition."""

from collections.abc import Iterable
from typing import Final

from msgspec import UNSET, Struct

from guard.decisions.decision import (
    MEMBERS_PER_PART_MAX,
    Action,
    Decision,
    Mode,
    Origin,
    Scope,
    encode_decision,
    sealed,
)
from guard.decisions.standing import Standing
from guard.engine.onlooker import Onlooker
from guard.engine.stage import Message
from guard.policy.judge import Sentence
from guard.policy.policy import Policy
from guard.scoring.fusion import Verdict
from guard.scoring.reasons import Reason
from guard.topics import Topic
from guard.units import EventTimeMs

SCORE_DIGITS: Final = 6


class Subject(Struct, frozen=True):
    """Whom an order is about, what stands over it, and whom else it reaches."""

    scope: Scope
    name: str
    standing: Standing
    members: tuple[str, ...] | None = None
    """Every account it reaches; None for a single account, which needs no list."""
    campaign_id: str = ""
    members_before: int = 0
    """How many members the last decision named: parts that are no longer needed are written once more, empty."""


class Order(Struct, frozen=True):
    """What is to be said about a subject, by whom and why."""

    action: Action
    expires_at: int
    reasons: tuple[Reason, ...]
    mode: Mode = Mode.ENFORCE
    """Exemptions and operators' orders are obeyed in every mode."""
    rate_rpm: int | None = None
    score: float = 0.0
    origin: Origin = Origin.AUTOMATIC


class Desk:
    """Where one stage of one shard writes its decisions. Holds what is to be sent until the next drain."""

    def __init__(self, partition: int, model_version: str, onlooker: Onlooker | None = None) -> None:
        self._partition = partition
        self._onlooker = onlooker
        self.model_version = model_version
        self._messages: list[Message] = []
        self._decided: list[Decision] = []

    @property
    def is_empty(self) -> bool:
        """Nothing has been written since the last drain."""
        return not self._messages

    def drain(self) -> tuple[list[Decision], list[Message]]:
        """The decisions written since the last drain, and their messages."""
        decided, self._decided = self._decided, []
        messages, self._messages = self._messages, []
        return decided, messages

    def heard(self, scope: Scope, subject: str, verdict: Verdict, members: Iterable[str] = ()) -> None:
        """Tell the onlooker, if there is one, of a verdict that is not clear."""
        if self._onlooker is not None and verdict.score > 0:
            self._onlooker.verdict(scope, subject, members, verdict.score)

    def sentence(
        self, subject: Subject, verdict: Verdict, sentence: Sentence, policy: Policy, at: int, *, capped: Reason | None = None
    ) -> None:
        """Write the automatic decision for `sentence`; one that exceeds a cap goes to shadow with that as its last reason."""
        mode = Mode.SHADOW if capped is not None else policy.modes[subject.scope]
        reasons = verdict.reasons if capped is None else (*verdict.reasons, capped)
        rate_rpm = policy.throttle_rate_rpm if sentence.action is Action.THROTTLE else None
        self.write(subject, Order(sentence.action, sentence.expires_at, reasons, mode, rate_rpm, verdict.score), policy, at)

    def lift(self, subject: Subject, mode: Mode, why: Reason, policy: Policy, at: int) -> None:
        """Take back the subject's own decision in `mode`."""
        self.write(subject, Order(Action.ALLOW, at, (why,), mode), policy, at)

    def write(self, subject: Subject, order: Order, policy: Policy, at: int) -> None:
        """Write an order at event time `at` and make it the standing one of its mode; one decision for each part."""
        held = subject.standing.order(order.mode)
        supersedes = held.decision_id if held is not None and held.is_active(at) else None
        topic = Topic.DECISIONS if order.mode is Mode.ENFORCE else Topic.SHADOW
        for part, members in enumerate(_parts(subject.members, subject.members_before)):
            decision = self._decision(subject, order, policy, at, part, members, supersedes)
            self._messages.append(Message(topic, self._partition, decision.key, encode_decision(decision)))
            self._decided.append(decision)
            if part == 0:
                subject.standing.take(decision)

    def _decision(  # noqa: PLR0913, PLR0917 - one place where a decision's fields come together
        self, subject: Subject, order: Order, policy: Policy, at: int, part: int, members: tuple[str, ...] | None, supersedes: str | None
    ) -> Decision:
        return sealed(
            Decision(
                scope=subject.scope,
                subject=subject.name,
                part=part,
                action=order.action.word,
                rate_rpm=UNSET if order.rate_rpm is None else order.rate_rpm,
                issued_at=EventTimeMs(at),
                expires_at=EventTimeMs(order.expires_at),
                score=round(order.score, SCORE_DIGITS),
                reasons=order.reasons,
                campaign_id=subject.campaign_id or UNSET,
                members=UNSET if members is None else members,
                members_total=UNSET if subject.members is None else len(subject.members),
                policy_version=policy.version,
                model_version=self.model_version,
                supersedes=UNSET if supersedes is None else supersedes,
                origin=order.origin,
                mode=order.mode,
            )
        )


def _parts(members: tuple[str, ...] | None, before: int) -> list[tuple[str, ...] | None]:
    if members is None:
        return [None]
    end = max(1, len(members), before)
    return [members[start : start + MEMBERS_PER_PART_MAX] for start in range(0, end, MEMBERS_PER_PART_MAX)]
