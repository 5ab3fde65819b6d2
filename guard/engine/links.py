"""The links stage: contacts of one shard's keys in; payment decisions, and suspicions for the campaigns stage, out."""

from collections.abc import Sequence
from copy import copy
from typing import Final

import msgspec

from guard.decisions.decision import Scope
from guard.engine.announcements import Announcements
from guard.engine.continuity import crossing
from guard.engine.control import Control
from guard.engine.forwards import Age, Contact, Suspicion, decode_contacts, encode_tip
from guard.engine.issue import Desk
from guard.engine.link_record import LinkMemory
from guard.engine.link_store import LinkStore
from guard.engine.paraphrase import Families
from guard.engine.payments import PaymentJudge
from guard.engine.stage import Message, Outcome, SourceRecord
from guard.engine.tallies import Tallies
from guard.engine.watchlist import key_hash
from guard.features.links import LINK_FEATURES
from guard.features.table import extract
from guard.policy.judge import weigh
from guard.scoring.fusion import Verdict, lightened
from guard.scoring.learned.models import ShardModels
from guard.scoring.link_rules import Crowd, link_evidence
from guard.state.link import KINDS, KeyKind
from guard.topics import Topic
from guard.units import EventTimeMs

CROWD_KEY: Final = b"g:crowd"
CROWD_KINDS: Final = frozenset({KeyKind.PAYMENT, KeyKind.PREFIX, KeyKind.CLIENT, KeyKind.NETWORK})
MODELS_KEY: Final = b"m:models"

JUDGE_EVERY: Final = 4
"""Tellings between two judgements of a key; a new account is one at once."""
SUSPICION_GROWTH: Final = 1.2
"""A suspicion is told again when the key's accounts grew by a fifth or its score by `SUSPICION_STEP`."""
SUSPICION_STEP: Final = 0.1
SUSPICION_USES: Final = 2.0
"""Or when its uses doubled, so that the campaign's ledger keeps up."""


class LinksStage:
    """Link keys of shard `shard`. `records` is the recovered state, which the stage owns from now on."""

    def __init__(self, shard: int, shards: int, records: dict[bytes, bytes], control: Control, *, is_journaled: bool = True) -> None:
        self._shard, self._shards = shard, shards
        self._is_journaled = is_journaled
        crowd = records.pop(CROWD_KEY, None)
        self._crowd = msgspec.msgpack.decode(crowd, type=Crowd) if crowd is not None else Crowd()
        self._crowd_changed = False
        models = records.pop(MODELS_KEY, None)
        self._models = ShardModels.from_bytes(models) if models is not None else ShardModels(seed=shard)
        self._desk = Desk(shard, self._models.version)
        self._announcements = [
            Announcements(Scope.PAYMENT, records, lambda name: self._owns(KeyKind.PAYMENT, name), self._desk, self._members),
            Announcements(Scope.ORGANISATION, records, lambda name: self._owns(KeyKind.ORGANISATION, name), self._desk, lambda _: ()),
        ]
        self._payments = PaymentJudge(self._models, self._desk, records)
        self._store = LinkStore(records, is_journaled=is_journaled)
        self._families = Families(shard, shards, self._store)
        self._tips: list[Message] = []
        self._tallies = Tallies()
        self._newest_at = 0
        self.follow(control)

    @property
    def newest_at(self) -> int:
        """Newest event time taken in, milliseconds; 0 before the first."""
        return self._newest_at

    @property
    def subjects(self) -> int:
        """Keys remembered, shared or not."""
        return len(self._store)

    def follow(self, control: Control) -> None:
        """Work by this policy and these labels from the next contact on."""
        self._control = control
        self._payments.follow(control)
        for announcements in self._announcements:
            announcements.follow(control)

    def step(self, records: Sequence[SourceRecord]) -> None:
        """Take in records of contacts in their order."""
        for record in records:
            for contact in decode_contacts(record.value or b"\x90"):
                self.take(contact)

    def take(self, contact: Contact) -> None:
        """Take in one contact."""
        self._newest_at = max(self._newest_at, contact.at)
        self._tallies.add("links.contacts")
        kind = KINDS[contact.kind]
        if kind in (KeyKind.CONVERSATION, KeyKind.SIGNATURE):
            found = crossing(self._store, contact)
            if found is not None:
                self._tips.append(Message(Topic.SUSPICIONS, 0, None, encode_tip(found)))
            return
        if contact.is_first and kind in CROWD_KINDS:
            self._see(contact)
        values = self._families.of(contact) if kind is KeyKind.PARAPHRASE else (contact.value,)
        for value in values:
            told = copy(contact)
            memory, is_new = self._remember(kind, value, told)
            if memory is not None:
                self._judge(memory, told, is_new=is_new)

    def _see(self, contact: Contact) -> None:
        if contact.age != Age.UNKNOWN:
            self._crowd.known += 1
            self._crowd.new += contact.age == Age.NEW
            self._crowd.trusted += contact.age == Age.TRUSTED
            self._crowd_changed = True

    def _remember(self, kind: KeyKind, value: str, contact: Contact) -> tuple[LinkMemory | None, bool]:
        memory = self._store.shared(kind, value)
        if memory is None and kind is not KeyKind.PAYMENT:
            first = self._store.first(kind, value)
            if first is None or first.account == contact.account:
                self._store.remember_first(_joined(first, contact), value)
                return None, False
            memory = self._store.create(kind, value)
            memory.observe(first)
            self._store.forget_first(kind, value)
            contact.is_first = True
        if memory is None:
            memory = self._store.create(kind, value)
        is_new = memory.observe(contact)
        self._store.touch(memory)
        return memory, is_new

    def _judge(self, memory: LinkMemory, contact: Contact, *, is_new: bool) -> None:
        link, numbers = memory.link, self._payments.policy_at(EventTimeMs(contact.at)).thresholds
        if link.kind == KeyKind.PAYMENT:
            self._payments.observe(memory, contact)
        if not (is_new or link.tellings % JUDGE_EVERY == 0):
            return
        features = extract(LINK_FEATURES, link, contact.at)
        evidence, speaks_for = link_evidence(KINDS[link.kind], features, self._crowd, numbers)
        if link.kind == KeyKind.PAYMENT:
            verdict = self._payments.judge(memory, evidence, speaks_for, contact.at, is_new=is_new)
        elif evidence:
            verdict = weigh(evidence, self._payments.policy, speaks_for)
        else:
            return
        self._suspect(memory, verdict, contact.at)

    def _suspect(self, memory: LinkMemory, verdict: Verdict, at: int) -> None:
        link = memory.link
        numbers = self._payments.policy.thresholds
        was_told = link.suspected_score >= numbers["suspicion_score"]
        if verdict.score < numbers["suspicion_score"] and not was_told:
            return
        if link.accounts < numbers["key_accounts_min"]:
            return
        is_news = link.accounts >= link.suspected_accounts * SUSPICION_GROWTH or link.uses >= link.suspected_uses * SUSPICION_USES
        if was_told and not is_news and abs(verdict.score - link.suspected_score) < SUSPICION_STEP:
            return
        link.suspected_uses, link.suspected_accounts, link.suspected_score = link.uses, link.accounts, verdict.score
        left = 1.0 - verdict.relief
        tip = Suspicion(
            link.kind, link.value, at, link.first_at, verdict.score, tuple(lightened(reason, left) for reason in verdict.reasons),
            link.accounts, round(link.uses), round(link.tokens), tuple(memory.members), verdict.families,
        )  # fmt: skip
        self._tips.append(Message(Topic.SUSPICIONS, 0, link.value.encode(), encode_tip(tip)))
        self._tallies.add("links.suspicions")

    def _owns(self, kind: KeyKind, value: str) -> bool:
        return key_hash(kind, value) % self._shards == self._shard

    def _members(self, value: str) -> tuple[str, ...]:
        memory = self._store.shared(KeyKind.PAYMENT, value)
        return tuple(memory.members) if memory is not None else ()

    def drain(self) -> Outcome:
        """Everything that came of the contacts since the last drain."""
        changes: list[tuple[bytes, bytes | None]] = []
        for announcements in self._announcements:
            changes.extend(announcements.drain(self._newest_at))
        changes.extend(self._store.drain())
        changes.extend(self._families.drain())
        changes.extend(self._payments.drain())
        if self._crowd_changed:
            self._crowd_changed = False
            changes.append((CROWD_KEY, msgspec.msgpack.encode(self._crowd)))
        if self._is_journaled and self._models.due_snapshot:
            changes.append((MODELS_KEY, self._models.to_bytes()))
        self._tallies.add("state.subjects.links", len(self._store))
        decided, written = self._desk.drain()
        tips, self._tips = self._tips, []
        return Outcome(changes, [*written, *tips], decided, self._tallies.drain())


def _joined(first: Contact | None, contact: Contact) -> Contact:
    if first is None:
        return contact
    contact.uses += first.uses
    contact.square += first.square
    contact.is_first = True
    contact.at = max(contact.at, first.at)
    return contact
