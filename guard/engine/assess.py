"""From an account's memory to a decision: features, evidence, verdict, sentence, cap, and what the models may learn from it."""

from collections.abc import Iterator
from typing import Final

import msgspec
import xxhash

from guard.decisions.decision import Mode, Scope
from guard.engine.account_record import AccountRecord
from guard.engine.caps import CapCount
from guard.engine.contacts import age_of
from guard.engine.control import Control
from guard.engine.exchange_keys import paraphrase_key
from guard.engine.forwards import Report, encode_tip
from guard.engine.issue import Desk, Subject
from guard.engine.learning import Assessment, Learner
from guard.engine.stage import Message
from guard.engine.watchlist import WatchedKey
from guard.features.accounts import ACCOUNT_FEATURES
from guard.features.table import extract
from guard.policy.jitter import offset_of
from guard.policy.judge import judge, weigh
from guard.policy.policy import Policy
from guard.scoring.account_rules import account_evidence, without_what_drifted
from guard.scoring.fusion import Verdict
from guard.scoring.learned.models import ShardModels
from guard.scoring.watch_rules import watch_evidence
from guard.topics import Topic
from guard.units import EventTimeMs

CAPS_KEY: Final = b"k:caps"
REPORTED_MAX: Final = 50_000
"""Reports remembered so as not to be repeated; beyond it all are forgotten, and repeated reports change nothing."""


class Assessor:
    """Judges accounts of one shard. Bounded: one policy, one cap count, and the reports already sent."""

    def __init__(self, models: ShardModels, desk: Desk, records: dict[bytes, bytes]) -> None:
        self._learner = Learner(models)
        self._desk = desk
        caps = records.pop(CAPS_KEY, None)
        self._caps = msgspec.msgpack.decode(caps, type=CapCount) if caps is not None else CapCount()
        self._caps_changed = False
        self._reported: set[tuple[str, str, tuple[tuple[int, bool], ...]]] = set()
        self._from = self._until = 0
        self.stamp = 0

    def follow(self, control: Control) -> None:
        """Work by this control from now on. `stamp` changes only when the watched keys did."""
        self._learner.follow(control)
        self._control = control
        self._from = self._until = 0
        self._take_policy(EventTimeMs(max(0, getattr(self, "_at", 0))))
        watch = control.watch
        keys = [f"{key}:{watched}" for key, watched in (*sorted(watch.by_key.items()), *watch.paraphrases)]
        self.stamp = xxhash.xxh32_intdigest("|".join(keys).encode()) if keys else 0

    def _take_policy(self, at: EventTimeMs) -> None:
        self.policy, self._from, self._until = self._control.policies.span_at(at)

    def policy_at(self, at: EventTimeMs) -> Policy:
        """The policy in force at `at`; held on to for as long as it stays right."""
        if not self._from <= at < self._until:
            self._take_policy(at)
        return self.policy

    def hits(self, record: AccountRecord) -> tuple[WatchedKey, ...]:
        """Keys of known campaigns among the account's own."""
        return () if self._control.watch.is_empty else tuple(watched for _, watched in self._carried(record))

    def _carried(self, record: AccountRecord) -> Iterator[tuple[int, WatchedKey]]:
        watch, own = self._control.watch, record.behaviour.keys
        for key in own:
            for watched in watch.by_key.get(key, ()):
                yield key, watched
        for family in record.behaviour.families if watch.paraphrases else ():
            _, key, _ = paraphrase_key(family)
            if key in own:  # of an account with many keys a family may outlive its own
                yield from ((key, watched) for watched in watch.of_paraphrase(family))

    def is_watched(self, record: AccountRecord, met: list[int]) -> bool:
        """Some of the keys that the account has just met are a known campaign's."""
        watch = self._control.watch
        if not met or watch.is_empty:
            return False
        return not watch.by_key.keys().isdisjoint(met) or any(any(watch.of_paraphrase(family)) for family in record.behaviour.families[-1:])

    def is_labelled(self, account: str) -> bool:
        """Some analyst has said something about this account."""
        labels = self._control.labels.labels
        return bool(labels) and (Scope.ACCOUNT, account) in labels

    def judge(self, assessment: Assessment) -> None:
        """Score the account and decide, if anything is to be decided; then let the models learn, if they may."""
        record, at = assessment.record, assessment.at
        policy = self.policy_at(at)
        self._learner.rebaseline(policy.rebaseline_at, at)
        features = extract(ACCOUNT_FEATURES, record.behaviour, at)
        evidence = watch_evidence(assessment.hits)
        learnt = self._learner.evidence(record, features, policy.thresholds)
        evidence += [*without_what_drifted(account_evidence(features, policy.thresholds), learnt), *learnt]
        said, relief = self._control.label_says(Scope.ACCOUNT, assessment.account, at)
        evidence += said
        evidence += self._learner.likeness(features, evidence)
        verdict = weigh(evidence, policy, relief)
        self._desk.heard(Scope.ACCOUNT, assessment.account, verdict)
        if verdict.score > 0:
            self._decide(assessment, verdict, policy)
        self._learner.learn(assessment, features, verdict)

    def _decide(self, assessment: Assessment, verdict: Verdict, policy: Policy) -> None:
        record, at = assessment.record, assessment.at
        mode = policy.modes[Scope.ACCOUNT]
        offset = offset_of(policy.jitter, Scope.ACCOUNT, assessment.account, at)
        sentence = judge(verdict, record.standing.order(mode), policy, at, offset)
        if sentence is None or self._control.is_settled(Scope.ACCOUNT, assessment.account, at, policy):
            return
        campaign_id = min((hit.campaign_id for hit in assessment.hits), default="")
        capped = None
        held = record.standing.order(mode)
        if mode is Mode.ENFORCE and not campaign_id and not (held is not None and held.is_active(at)):
            capped = self._caps.exceeded(at, 1, policy.caps.accounts)
            self._caps_changed = self._caps_changed or capped is None
        if capped is not None and judge(verdict, record.standing.shadow, policy, at, offset) is None:
            return
        subject = Subject(Scope.ACCOUNT, assessment.account, record.standing, campaign_id=campaign_id)
        self._desk.sentence(subject, verdict, sentence, policy, at, capped=capped)

    def reports(self, assessment: Assessment) -> list[Message]:
        """What the campaigns stage is to be told: this account carries these kinds of keys of that campaign. Once each."""
        carried: dict[str, set[tuple[int, bool]]] = {}
        for key, watched in self._carried(assessment.record) if assessment.hits else ():
            carried.setdefault(watched.campaign_id, set()).add((watched.kind, assessment.record.behaviour.is_devoted(key)))
        messages = []
        for campaign_id, found in sorted(carried.items()):
            token = (assessment.account, campaign_id, tuple(sorted(found)))
            if token not in self._reported:
                if len(self._reported) >= REPORTED_MAX:
                    self._reported.clear()
                self._reported.add(token)
                messages.append(
                    Message(Topic.SUSPICIONS, 0, campaign_id.encode(), encode_tip(self._report(assessment, campaign_id, found)))
                )
        return messages

    def _report(self, assessment: Assessment, campaign_id: str, carried: set[tuple[int, bool]]) -> Report:
        numbers = self.policy.thresholds
        age = age_of(assessment.record, assessment.at, numbers["young_account_days"], numbers["trusted_account_days"])
        exchanges = assessment.record.behaviour.exchanges
        kinds = tuple(sorted({kind for kind, _ in carried}))
        devoted = tuple(sorted({kind for kind, is_devoted in carried if is_devoted}))
        return Report(assessment.account, campaign_id, assessment.at, kinds, age, exchanges, exchanges == 1, devoted)

    def drain(self) -> list[tuple[bytes, bytes]]:
        """The cap count, if it has changed."""
        if not self._caps_changed:
            return []
        self._caps_changed = False
        return [(CAPS_KEY, msgspec.msgpack.encode(self._caps))]
