"""Writing decisions: mode by policy and cap, members in parts, id over the whole body, the message on the shard's own partition."""

from collections.abc import Sequence
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
from guard.engine.stage import Message
from guard.policy.judge import Sentence
from guard.policy.policy import Policy
from guard.scoring.fusion import Verdict
from guard.scoring.reasons import Reason
from guard.topics import Topic
from guard.units import EventTimeMs

SCORE_DIGITS: Final = 6


class Subject(Struct, frozen=True):
    """Whom an order is about, and whom else it reaches."""

    scope: Scope
    name: str
    members: tuple[str, ...] | None = None
    """Every account it reaches; None for a single account, which needs no list."""
    campaign_id: str = ""
    members_before: int = 0
    """How many members the last decision named: parts that are no longer needed are written once more, empty."""


class Desk:
    """Where one stage of one shard writes its decisions. Holds what is to be sent until the next drain."""

    def __init__(self, partition: int, model_version: str) -> None:
        self._partition = partition
        self.model_version = model_version
        self.messages: list[Message] = []
        self.decided: list[Decision] = []

    def drain(self) -> tuple[list[Decision], list[Message]]:
        """The decisions written since the last drain, and their messages."""
        decided, self.decided = self.decided, []
        messages, self.messages = self.messages, []
        return decided, messages

    def sentence(self, subject: Subject, verdict: Verdict, sentence: Sentence, standing: Standing, policy: Policy, at: int, is_capped: Reason | None) -> None:
        """Write the automatic decision for `sentence` and make it the standing order of its mode."""
        mode = Mode.SHADOW if is_capped is not None else policy.modes[subject.scope]
        reasons = verdict.reasons if is_capped is None else (*verdict.reasons, is_capped)
        rate_rpm = policy.throttle_rate_rpm if sentence.action is Action.THROTTLE else None
        held = standing.order(mode)
        supersedes = held.decision_id if held is not None and held.is_active(at) else None
        self._write(
            subject, standing, mode, sentence.action, rate_rpm, at, sentence.expires_at, verdict.score, reasons, policy, supersedes, Origin.AUTOMATIC
        )

    def order(self, subject: Subject, standing: Standing, action: Action, rate_rpm: int | None, at: int, expires_at: int, why: Reason, origin: Origin, policy: Policy) -> None:
        """Write an operator's order, an exemption or a release. These are obeyed in every mode, so they are always enforced."""
        held = standing.enforce
        supersedes = held.decision_id if held is not None and held.is_active(at) else None
        self._write(subject, standing, Mode.ENFORCE, action, rate_rpm, at, expires_at, 0.0, (why,), policy, supersedes, origin)

    def lift(self, subject: Subject, standing: Standing, mode: Mode, at: int, why: Reason, policy: Policy) -> None:
        """Take back the subject's own decision in `mode`."""
        held = standing.order(mode)
        supersedes = held.decision_id if held is not None else None
        self._write(subject, standing, mode, Action.ALLOW, None, at, at, 0.0, (why,), policy, supersedes, Origin.AUTOMATIC)

    def _write(
        self,
        subject: Subject,
        standing: Standing,
        mode: Mode,
        action: Action,
        rate_rpm: int | None,
        at: int,
        expires_at: int,
        score: float,
        reasons: Sequence[Reason],
        policy: Policy,
        supersedes: str | None,
        origin: Origin,
    ) -> None:
        for part, members in enumerate(_parts(subject.members, subject.members_before)):
            decision = sealed(
                Decision(
                    scope=subject.scope,
                    subject=subject.name,
                    part=part,
                    action=action.word,
                    rate_rpm=UNSET if rate_rpm is None else rate_rpm,
                    issued_at=EventTimeMs(at),
                    expires_at=EventTimeMs(expires_at),
                    score=round(score, SCORE_DIGITS),
                    reasons=tuple(reasons),
                    campaign_id=subject.campaign_id or UNSET,
                    members=UNSET if members is None else members,
                    members_total=UNSET if subject.members is None else len(subject.members),
                    policy_version=policy.version,
                    model_version=self.model_version,
                    supersedes=UNSET if supersedes is None else supersedes,
                    origin=origin,
                    mode=mode,
                )
            )
            topic = Topic.DECISIONS if mode is Mode.ENFORCE else Topic.SHADOW
            self.messages.append(Message(topic, self._partition, decision.key, encode_decision(decision)))
            self.decided.append(decision)
            if part == 0:
                standing.take(decision)


def _parts(members: tuple[str, ...] | None, before: int) -> list[tuple[str, ...] | None]:
    if members is None:
        return [None]
    end = max(1, len(members), before)
    return [members[start : start + MEMBERS_PER_PART_MAX] for start in range(0, end, MEMBERS_PER_PART_MAX)]
