"""The accounts stage: request events of one shard in, decisions about accounts and contacts for the links stage out.

One event's way: decode, dedupe, observe, note its link keys; now and then features, score, judge. Read `take` first.
"""

from collections.abc import Sequence
from typing import Final

from xxhash import xxh3_64_digest

from guard.decisions.decision import Scope
from guard.decisions.standing import Standing
from guard.engine.account_record import AccountRecord, pack_account, restore_account
from guard.engine.announcements import Announcements
from guard.engine.assess import Assessor
from guard.engine.contacts import Contacts, is_told_at
from guard.engine.control import Control
from guard.engine.hot_records import HotRecords
from guard.engine.issue import Desk
from guard.engine.learning import Assessment
from guard.engine.observe import observe
from guard.engine.onlooker import Onlooker
from guard.engine.stage import Message, Outcome, SourceRecord
from guard.engine.tallies import Tallies
from guard.errors import DecodeError
from guard.events.decode import Decoder, dead_letter
from guard.events.partition import partition_of
from guard.events.request import RequestEvent
from guard.scoring.learned.models import ShardModels
from guard.state.behaviour import Behaviour
from guard.topics import Topic
from guard.units import FUTURE_MS_MAX, MINUTE_MS, EventTimeMs

LATE_MS: Final = 5 * MINUTE_MS
"""An event older than the shard's newest by more than this is counted as late; it is decayed, never dropped."""

SCORE_EVERY: Final = 16
"""From 16 exchanges on an account is scored at every sixteenth; before that at the eighth, before which no rule can speak."""
SCORE_FROM: Final = 8


class AccountsStage:
    """Accounts of shard `shard` of `shards`. `records` is the recovered state, which the stage owns from now on."""

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
        models = records.pop(MODELS_KEY, None)
        self._models = ShardModels.from_bytes(models) if models is not None else ShardModels(seed=shard)
        self._desk = Desk(shard, self._models.version, onlooker)
        self._announcements = Announcements(Scope.ACCOUNT, records, self._owns, self._desk)
        self._records = HotRecords(records, account_key, pack_account, restore_account, is_journaled=is_journaled)
        self._contacts = Contacts(shards)
        self._assessor = Assessor(self._models, self._desk, records)
        self._decoder = Decoder()
        self._letters: list[Message] = []
        self._tallies = Tallies()
        self._judged = 0
        self._newest_at = 0
        self.follow(control)

    @property
    def models(self) -> ShardModels:
        """The models of this shard, as far as they have learned."""
        return self._models

    @property
    def newest_at(self) -> int:
        """Newest event time taken in, milliseconds; 0 before the first."""
        return self._newest_at

    @property
    def subjects(self) -> int:
        """Accounts remembered, hot and cold."""
        return len(self._records)

    def follow(self, control: Control) -> None:
        """Work by this policy, these labels and this watch-list from the next event on."""
        self._assessor.follow(control)
        self._contacts.young_days = self._assessor.policy.thresholds["young_account_days"]
        self._contacts.trusted_days = self._assessor.policy.thresholds["trusted_account_days"]
        self._announcements.follow(control)

    def step(self, records: Sequence[SourceRecord]) -> None:
        """Take in raw records in their order. Unreadable ones become dead letters; none stops the rest."""
        decode = self._decoder.decode
        for record in records:
            try:
                event = decode(record.value or b"")
            except DecodeError as error:
                self._tallies.add("events.dead_letter")
                self._letters.append(Message(Topic.DEAD_LETTERS, self._shard, record.key, dead_letter(record, error)))
            else:
                self.take(event, record.timestamp)

    def take(self, event: RequestEvent, appended_at: int) -> None:
        """Take in one exchange that was appended at `appended_at` (milliseconds)."""
        record = self._records.get(event.account_id) or self._newcomer(event)
        b = record.behaviour
        at = self._clock(event, b, appended_at)
        if b.is_duplicate(xxh3_64_digest(event.event_id.encode()), at):
            self._tallies.add("events.duplicate")
            return
        self._records.touch(event.account_id, record)
        if record.is_misrouted:
            self._tallies.add("events.misrouted")
        if event.was_refused_by_guard:
            self._tallies.add("events.refused")
            b.exchanges += 1
            b.refused += 1
            self._contacts.note(record, event, at, is_refused=True)
            return
        self._judged += 1
        observe(record, event, at)
        met = self._contacts.note(record, event, at, is_refused=False)
        exchanges = b.exchanges
        is_due = exchanges % SCORE_EVERY == 0 or exchanges == SCORE_FROM
        if b.since_new > 1 and is_told_at(b.since_new):
            self._contacts.tell(record, event, at)
        is_due = is_due or self._assessor.is_labelled(event.account_id)
        if is_due or record.stamp != self._assessor.stamp or self._assessor.is_watched(record, met):
            self._judge(record, event, at, is_due=is_due)

    def _judge(self, record: AccountRecord, event: RequestEvent, at: int, *, is_due: bool) -> None:
        record.stamp = self._assessor.stamp
        hits = self._assessor.hits(record)
        if not (is_due or hits):
            return
        assessment = Assessment(record, event.account_id, EventTimeMs(at), hits)
        self._assessor.judge(assessment)
        self._letters.extend(self._assessor.reports(assessment))

    def _clock(self, event: RequestEvent, b: Behaviour, appended_at: int) -> int:
        at = event.event_time
        if at > appended_at + FUTURE_MS_MAX:
            self._tallies.add("events.future")
            return b.windows.at or appended_at
        if at > self._newest_at:
            self._newest_at = at
        elif at < self._newest_at - LATE_MS:
            self._tallies.add("events.late")
        return at

    def _newcomer(self, event: RequestEvent) -> AccountRecord:
        record = AccountRecord(event.account_id, Behaviour(), Standing())
        record.is_misrouted = not self._owns(event.account_id)
        self._records.put(event.account_id, record)
        return record

    def _owns(self, account: str) -> bool:
        return partition_of(account, self._shards) == self._shard

    @property
    def is_quiet(self) -> bool:
        """Nothing waits to be told, no order is due, and the hot records keep their bound."""
        return self._contacts.is_empty and self.has_contacts_at_most

    @property
    def has_contacts_at_most(self) -> bool:
        """Quiet, but for contacts: `drain_contacts` would hand over all that a drain does, but for changed records and tallies."""
        if self._records.is_full:
            return False
        return self._desk.is_empty and not self._letters and not self._announcements.is_due(self._newest_at)

    def drain_contacts(self) -> list[Message]:
        """The contacts since the last drain, for who keeps no journal; all else waits for a drain."""
        return self._contacts.drain()

    def drain(self) -> Outcome:
        """Everything that came of the events since the last drain."""
        changes: list[tuple[bytes, bytes | None]] = []
        changes.extend(self._announcements.drain(self._newest_at))
        contacts = self._contacts.drain()
        changes.extend(self._records.drain())
        changes.extend(self._assessor.drain())
        if self._is_journaled and self._models.due_snapshot:
            changes.append((MODELS_KEY, self._models.to_bytes()))
        messages, self._letters = self._letters, []
        decided, written = self._desk.drain()
        if self._judged:
            self._tallies.add("events.judged", self._judged)
            self._judged = 0
        for field, count in self._decoder.invalid_fields.items():
            self._tallies.add(f"invalid.{field}", count)
        self._decoder.invalid_fields.clear()
        self._tallies.add("models.learned", self._models.drain_learned())
        self._tallies.add("models.changed", self._models.change.drain())
        self._tallies.add("state.subjects.accounts", len(self._records))
        return Outcome(changes, [*written, *messages, *contacts], decided, self._tallies.drain())


ACCOUNT_PREFIX: Final = b"a:"
MODELS_KEY: Final = b"m:models"


def account_key(account: str) -> bytes:
    """The key under which an account's record is kept."""
    return ACCOUNT_PREFIX + account.encode()
