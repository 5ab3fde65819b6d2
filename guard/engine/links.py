"""The links stage: contacts of one shard's keys in; payment decisions, and suspicions for the campaigns stage, out."""

from collections.abc import Sequence
from copy import copy
from functools import partial
from typing import Final

from guard.decisions.decision import Scope
from guard.engine.announcements import Announcements, unlisted
from guard.engine.continuity import crossing
from guard.engine.control import Control
from guard.engine.first_record import First
from guard.engine.forwards import Contact, Request, Suspicion, Turn, decode_told, encode_tip
from guard.engine.ground import Ground
from guard.engine.hand_over import pair_of, taken_over
from guard.engine.issue import Desk
from guard.engine.link_record import LinkMemory
from guard.engine.link_store import LinkStore
from guard.engine.onlooker import Onlooker
from guard.engine.paraphrase import Families
from guard.engine.payments import PAST_AFTER, PaymentJudge
from guard.engine.stage import Message, Outcome, SourceRecord
from guard.engine.tallies import Tallies
from guard.engine.watchlist import key_hash, let_go
from guard.events.partition import stable_hash
from guard.features.links import LINK_FEATURES
from guard.features.table import extract
from guard.policy.judge import weigh
from guard.scoring.fusion import CLEAR, Verdict, lightened
from guard.scoring.learned.models import ShardModels
from guard.scoring.links.judge import link_evidence
from guard.state.link import KINDS, PARAPHRASE, PAYMENT, KeyKind
from guard.topics import Topic
from guard.units import MINUTE_MS, EventTimeMs

MODELS_KEY: Final = b"m:models"

JUDGE_ACCOUNTS: Final = 1.05
JUDGE_USES: Final = 1.1
"""A key is judged again when its accounts grew by a twentieth or its uses by a tenth: work in the logarithm of both."""
JUDGE_EVERY_MS: Final = MINUTE_MS
"""Or a minute of event time after the last judgement, so that orders are renewed in time."""
SUSPICION_GROWTH: Final = 1.2
"""A suspicion is told again when the key's accounts grew by a fifth or its score moved by `SUSPICION_STEP` or over a rung."""
SUSPICION_STEP: Final = 0.1
SUSPICION_USES: Final = 2.0
"""Or when its uses doubled, so that the campaign's ledger keeps up, or a further family of evidence spoke up."""


class LinksStage:
    """Link keys of shard `shard`. `records` is the recovered state, which the stage owns from now on."""

    def __init__(
        self,
        shard: int,
        shards: int,
        records: dict[bytes, bytes],
        control: Control,
        *,
        is_journaled: bool = True,
        onlooker: Onlooker | None = None,
    ) -> None:
        self._shard, self._shards = shard, shards
        self._is_journaled = is_journaled
        self._ground = Ground(records)
        models = records.pop(MODELS_KEY, None)
        self._models = ShardModels.from_bytes(models) if models is not None else ShardModels(seed=shard)
        self._desk = Desk(shard, self._models.version, onlooker)
        self._announcements = [
            Announcements(Scope.PAYMENT, records, partial(self._owns, KeyKind.PAYMENT), self._desk, self._members),
            Announcements(Scope.ORGANISATION, records, partial(self._owns, KeyKind.ORGANISATION), self._desk, unlisted),
        ]
        self._payments = PaymentJudge(self._models, self._desk, records)
        self._store = LinkStore(records, is_journaled=is_journaled)
        self._families = Families(shard, shards, self._store)
        self._tips: list[Message] = []
        self._tallies = Tallies()
        self._newest_at = 0
        self._control = control
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
        for key in let_go(self._control.watch, control.watch, self._newest_at):
            self._count_anew(key)
        self._control = control
        self._payments.follow(control)
        for announcements in self._announcements:
            announcements.follow(control)

    def _count_anew(self, key: int) -> None:
        memory = self._store.shared(key)
        if memory is not None:
            memory.count_anew(max(self._newest_at, memory.link.at))
            self._store.touch(memory)

    def step(self, records: Sequence[SourceRecord]) -> None:
        """Take in records of contacts in their order."""
        for record in records:
            if record.value is None:
                continue
            told = decode_told(record.value)
            for turn in told.turns:
                self._follow_turn(turn)
            self._tallies.add("links.contacts", len(told.contacts) + len(told.turns))
            for contact in told.contacts:
                self.take(contact)
            for request in told.requests:
                self._follow_request(request)

    def _follow_turn(self, turn: Turn) -> None:
        self._newest_at = max(self._newest_at, turn.at)
        found = crossing(self._store, turn)
        if found is not None:
            self._tips.append(Message(Topic.SUSPICIONS, 0, None, encode_tip(found)))

    def _follow_request(self, sent: Request) -> None:
        self._newest_at = max(self._newest_at, sent.at)
        before = self._store.refused(sent.request)
        if before is None and not sent.is_refused:
            return  # nearly all
        memory = self._store.shared(sent.key)
        if memory is None:
            return
        memory.link.refused += before is None
        refused = taken_over(self._store, before, sent)
        self._store.touch(memory)
        if refused is not None:
            memory.link.take_over(pair_of(refused, sent), (stable_hash(refused.account), stable_hash(sent.account)))
            self._judge(memory, sent.at, is_due=True)

    def take(self, contact: Contact) -> None:
        """Take in one contact."""
        self._newest_at = max(self._newest_at, contact.at)
        if contact.kind == PARAPHRASE:
            for representative in self._families.of(int(contact.value, 16)):
                self._remember(_of_family(contact, f"{representative:016x}"))
            return
        self._ground.see(contact, self._payments.policy_at(EventTimeMs(contact.at)))
        self._remember(contact)

    def _remember(self, contact: Contact) -> None:
        """Into the key's memory, and judge; what only one account uses is only kept in mind."""
        memory = self._store.shared(contact.key) or self._begin(contact)
        if memory is None:
            return
        self._ground.follow_release(memory, contact)
        is_new = memory.observe(contact)
        self._store.touch(memory)
        if contact.kind == PAYMENT:
            self._payments.observe(memory, contact)
        self._judge(memory, contact.at, is_new=is_new)

    def _begin(self, contact: Contact) -> LinkMemory | None:
        """The memory of a key that has just become shared, or of a card that has been used for a while; None for all others."""
        first = self._store.first(contact.kind, contact.key, contact.value)
        if first is None or first.contact.account == contact.account:
            uses = contact.uses + (first.contact.uses if first is not None else 0)
            if contact.kind != PAYMENT or uses <= PAST_AFTER:
                self._store.remember_first(First(contact) if first is None else self._gone_on(first, contact))
                return None
        memory = self._store.create(contact)
        if first is not None:
            memory.begin(first)
            self._store.forget_first(contact.kind, contact.key)
        contact.is_first = True
        return memory

    def _gone_on(self, first: First, contact: Contact) -> First:
        if contact.kind == PAYMENT:
            self._ground.follow_release(first, contact)
        return first.followed_by(contact)

    @staticmethod
    def _is_due(memory: LinkMemory, at: int, accounts_min: float) -> bool:
        """Enough accounts to say anything (a card's own past may speak for itself), and news since the last judgement."""
        link = memory.link
        if link.accounts < (2 if link.kind == PAYMENT else accounts_min) and memory.past is None:
            return False
        has_grown = link.accounts >= link.judged_accounts * JUDGE_ACCOUNTS or link.uses >= link.judged_uses * JUDGE_USES
        return has_grown or at - link.judged_at >= JUDGE_EVERY_MS

    def _judge(self, memory: LinkMemory, at: int, *, is_new: bool = False, is_due: bool = False) -> None:
        link = memory.link
        numbers = self._payments.policy_at(EventTimeMs(at)).thresholds
        is_due = is_due or (is_new and memory.standing.is_sanctioned(at))
        if not is_due and not self._is_due(memory, at, numbers["key_accounts_min"]):
            return
        link.judged_at, link.judged_accounts, link.judged_uses = at, link.accounts, link.uses
        features = extract(LINK_FEATURES, link, at)
        evidence, speaks_for = link_evidence(KINDS[link.kind], features, self._ground.crowd, numbers)
        if link.kind == PAYMENT:
            verdict = self._payments.judge(memory, evidence, speaks_for, at, is_new=is_new)
        elif evidence:
            verdict = weigh(evidence, self._payments.policy, speaks_for)
        else:
            verdict = CLEAR
        self._suspect(memory, verdict, at)

    def _suspect(self, memory: LinkMemory, verdict: Verdict, at: int) -> None:
        link = memory.link
        numbers = self._payments.policy.thresholds
        was_told = link.suspected_score >= numbers["suspicion_score"]
        if verdict.score < numbers["suspicion_score"] and not was_told:
            return
        if link.accounts < numbers["key_accounts_min"]:
            return
        is_news = link.accounts >= link.suspected_accounts * SUSPICION_GROWTH or link.uses >= link.suspected_uses * SUSPICION_USES
        is_news = is_news or verdict.families > link.suspected_families
        if was_told and not is_news and not self._has_moved(link.suspected_score, verdict.score):
            return
        link.suspected_uses, link.suspected_accounts, link.suspected_score = link.uses, link.accounts, verdict.score
        link.suspected_families = verdict.families
        left = 1.0 - verdict.relief
        tip = Suspicion(
            link.kind, link.value, at, link.first_at, verdict.score, tuple(lightened(reason, left) for reason in verdict.reasons),
            link.accounts, round(link.uses), round(link.tokens), memory.adherents(), verdict.families,
        )  # fmt: skip
        self._tips.append(Message(Topic.SUSPICIONS, 0, link.value.encode(), encode_tip(tip)))
        self._tallies.add("links.suspicions")

    def _has_moved(self, before: float, score: float) -> bool:
        """Far, or over a rung: what a step less would leave untold until the next one decides whether there is a campaign."""
        low, high = sorted((before, score))
        return high - low >= SUSPICION_STEP or any(low < rung.score <= high for rung in self._payments.policy.rungs)

    def _owns(self, kind: KeyKind, value: str) -> bool:
        return key_hash(kind, value) % self._shards == self._shard

    def _members(self, value: str) -> tuple[str, ...]:
        key = key_hash(KeyKind.PAYMENT, value)
        memory, first = self._store.shared(key), self._store.first(KeyKind.PAYMENT, key, value)
        return tuple(memory.members) if memory is not None else () if first is None else (first.contact.account,)

    @property
    def is_quiet(self) -> bool:
        """Nothing waits to be told, no order is due, and the hot records keep their bound."""
        if self._tips or self._store.is_full or not self._desk.is_empty:
            return False
        payments, organisations = self._announcements
        return not (payments.is_due(self._newest_at) or organisations.is_due(self._newest_at))

    def drain(self) -> Outcome:
        """Everything that came of the contacts since the last drain."""
        changes: list[tuple[bytes, bytes | None]] = []
        for announcements in self._announcements:
            changes.extend(announcements.drain(self._newest_at))
        changes.extend(self._store.drain())
        changes.extend(self._payments.drain())
        changes.extend(self._ground.drain())
        if self._is_journaled and self._models.due_snapshot:
            changes.append((MODELS_KEY, self._models.to_bytes()))
        self._tallies.add("state.subjects.links", len(self._store))
        decided, written = self._desk.drain()
        tips, self._tips = self._tips, []
        return Outcome(changes, [*written, *tips], decided, self._tallies.drain())


def _of_family(contact: Contact, value: str) -> Contact:
    """The same contact as one with the family's representative."""
    told = copy(contact)
    told.value, told.key = value, key_hash(KeyKind.PARAPHRASE, value)
    return told
