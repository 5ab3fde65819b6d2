"""What an account tells the links stage: first contacts at once, later uses now and then, continuity per exchange.

Edges travel, not events: a first contact happens in 1.6 % of events (streaming prototype). Only a payment fingerprint is told
in every flush, because it has windows of its own.
"""

from typing import Final

from msgspec import Struct

from guard.engine.account_record import AccountRecord
from guard.engine.forwards import CONTACTS_PER_RECORD_MAX, Age, Contact, encode_contacts
from guard.engine.stage import Message
from guard.engine.watchlist import key_hash
from guard.events.partition import stable_hash
from guard.events.request import RequestEvent
from guard.state import behaviour as columns
from guard.state.behaviour import Behaviour, KeyUse
from guard.state.link import KeyKind
from guard.topics import Topic
from guard.units import DAY_MS

TEMPLATES: Final = frozenset({KeyKind.PREFIX, KeyKind.SHAPE})
PLACES: Final = frozenset({KeyKind.CLIENT, KeyKind.NETWORK})

SIMHASH_BANDS: Final = 4
"""Bands of 16 bits: two SimHashes within 3 bits share at least one (Manku, Jain, Das Sarma 2007)."""

SIMHASH_CHARS: Final = 16
BAND_CHARS: Final = SIMHASH_CHARS // SIMHASH_BANDS


class _Paid(Struct):
    """What one account spent on one payment fingerprint since the last flush."""

    record: AccountRecord
    key: int
    at: int = 0
    uses: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0


def band_hash(band: int, simhash: str) -> int:
    """Where the sharers of one 16-bit band of a SimHash meet."""
    return key_hash(KeyKind.PARAPHRASE, f"{band}:{simhash[band * BAND_CHARS : (band + 1) * BAND_CHARS]}")


def age_of(record: AccountRecord, at: int, young_days: float, trusted_days: float) -> Age:
    """Whether the account is new, old, or old enough to vouch for what it shares."""
    created_s = record.behaviour.created_s
    if not created_s:
        return Age.UNKNOWN
    days = (at - created_s * 1_000) / DAY_MS
    if days < young_days:
        return Age.NEW
    return Age.TRUSTED if days >= trusted_days and not record.standing.was_sanctioned else Age.AGED


class Contacts:
    """Contacts waiting for the next drain, by the shard that owns their key."""

    def __init__(self, shards: int) -> None:
        self._shards = shards
        self._waiting: list[list[Contact]] = [[] for _ in range(shards)]
        self._paid: dict[tuple[str, str], _Paid] = {}
        self.young_days = 0.0
        self.trusted_days = 0.0

    def note(self, record: AccountRecord, event: RequestEvent, at: int, *, is_refused: bool) -> list[int]:
        """Take in the keys of one exchange; those that the account did not know are returned."""
        b = record.behaviour
        seen = stable_hash(
            f"{event.payment_fingerprint}|{event.prefix}|{event.shape}|{event.simhash}|{event.client_fingerprint}|{event.ip_prefix}|{event.org_id}"
        )
        met: list[int] = []
        if seen != b.links_hash:
            met = self._meet(record, event, at, seen, uses=0 if is_refused else 1)
        elif not is_refused:
            b.same_uses += 1
        if event.payment_fingerprint is not None and not is_refused:
            self._pay(record, event, event.payment_fingerprint, at)
        self._continue(record, event, at)
        return met

    def _meet(self, record: AccountRecord, event: RequestEvent, at: int, seen: int, uses: int) -> list[int]:
        b = record.behaviour
        settle(b)
        b.links_hash = seen
        current, met = [], []
        for kind, value in keys_of(event):
            key = key_hash(kind, value)
            use = b.keys.get(key)
            is_first = use is None
            if use is None:
                use = b.remember_key(key)
                met.append(key)
            use.uses += uses
            current.append(key)
            if is_first and (kind is not KeyKind.PAYMENT or not uses):
                self._tell(kind, key, self._contact(record, kind, value, at, use, is_first=True))
        b.current_keys = [key for key in current if key in b.keys]
        return met

    def tell(self, record: AccountRecord, event: RequestEvent, at: int, *, is_full: bool) -> None:
        """Tell of the exchange's keys whose uses have grown since last told: all of them, or only its templates."""
        b = record.behaviour
        settle(b)
        for kind, value in keys_of(event):
            key = key_hash(kind, value)
            use = b.keys.get(key)
            is_wanted = kind in TEMPLATES or (is_full and kind in PLACES)
            if use is not None and is_wanted and use.uses > use.told:
                self._tell(kind, key, self._contact(record, kind, value, at, use, is_first=False))

    def _tell(self, kind: KeyKind, key: int, contact: Contact) -> None:
        if kind is KeyKind.PARAPHRASE:
            for shard in sorted({band_hash(band, contact.value) % self._shards for band in range(SIMHASH_BANDS)}):
                self._waiting[shard].append(contact)
        else:
            self._waiting[key % self._shards].append(contact)

    def _contact(self, record: AccountRecord, kind: KeyKind, value: str, at: int, use: KeyUse, *, is_first: bool) -> Contact:
        b = record.behaviour
        told, use.told = use.told, use.uses
        means = b.means
        age = age_of(record, at, self.young_days, self.trusted_days)
        return Contact(
            kind, value, record.account, at, use.uses - told, use.uses * use.uses - told * told, is_first, age,
            record.principal, b.limit_rpm, means[columns.ELICITATION], means[columns.RUBRIC], means[columns.SINGLE_TURN],
            b.windows.tokens_per_request,
        )  # fmt: skip

    def _pay(self, record: AccountRecord, event: RequestEvent, payment: str, at: int) -> None:
        paid = self._paid.get((payment, record.account))
        if paid is None:
            paid = self._paid[(payment, record.account)] = _Paid(record, key_hash(KeyKind.PAYMENT, payment))
        paid.at = max(paid.at, at)
        paid.uses += 1
        paid.input_tokens += event.input_tokens
        paid.output_tokens += event.output_tokens
        paid.reasoning_tokens += event.reasoning_tokens or 0

    def _continue(self, record: AccountRecord, event: RequestEvent, at: int) -> None:
        """Ask about a conversation that is not the account's own, and register the one that it leaves behind."""
        if event.conversation is None and event.conversation_after is None and event.reasoning_signature is None:
            return
        own = record.behaviour.conversations
        means = f"{event.payment_fingerprint or ''}|{event.org_id or ''}"
        continued = ((KeyKind.CONVERSATION, event.conversation, False), (KeyKind.CONVERSATION, event.conversation_after, True))
        for kind, value, is_first in (*continued, (KeyKind.SIGNATURE, event.reasoning_signature, True)):
            if value is None:
                continue
            key = key_hash(kind, value)
            if key in own:
                continue
            if is_first:
                record.behaviour.remember_conversation(key)
            contact = Contact(kind, value, record.account, at, 1, 1, is_first, Age.UNKNOWN, means, 0, 0.0, 0.0, 0.0)
            self._waiting[key % self._shards].append(contact)

    def drain(self) -> list[Message]:
        """Everything told since the last drain, one record per target shard (more only beyond 500 contacts)."""
        for (payment, _), paid in self._paid.items():
            settle(paid.record.behaviour)
            use = paid.record.behaviour.keys.get(paid.key) or KeyUse()
            contact = self._contact(paid.record, KeyKind.PAYMENT, payment, paid.at, use, is_first=use.told == 0)
            contact.uses, contact.input_tokens = paid.uses, paid.input_tokens
            contact.output_tokens, contact.reasoning_tokens = paid.output_tokens, paid.reasoning_tokens
            self._waiting[paid.key % self._shards].append(contact)
        self._paid = {}
        messages = [
            Message(Topic.LINKS, shard, None, encode_contacts(waiting[start : start + CONTACTS_PER_RECORD_MAX]))
            for shard, waiting in enumerate(self._waiting)
            for start in range(0, len(waiting), CONTACTS_PER_RECORD_MAX)
        ]
        self._waiting = [[] for _ in range(self._shards)]
        return messages


def settle(b: Behaviour) -> None:
    """Credit the exchanges that carried the same keys as the one before them to those keys."""
    if b.same_uses:
        for key in b.current_keys:
            b.keys[key].uses += b.same_uses
        b.same_uses = 0


def keys_of(event: RequestEvent) -> list[tuple[KeyKind, str]]:
    """The link keys of one exchange; at most seven. A paraphrase counts on first turns only: later ones quote the dialogue."""
    keys = []
    if event.payment_fingerprint is not None:
        keys.append((KeyKind.PAYMENT, event.payment_fingerprint))
    if event.prefix is not None:
        keys.append((KeyKind.PREFIX, event.prefix))
    if event.shape is not None:
        keys.append((KeyKind.SHAPE, event.shape))
    if event.simhash is not None and event.conversation is None:
        keys.append((KeyKind.PARAPHRASE, event.simhash))
    if event.client_fingerprint is not None:
        keys.append((KeyKind.CLIENT, event.client_fingerprint))
    if event.ip_prefix is not None:
        keys.append((KeyKind.NETWORK, event.ip_prefix))
    return keys
