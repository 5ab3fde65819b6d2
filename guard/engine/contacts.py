"""What an account tells the links stage: first contacts at once, later uses in geometric steps, conversations per exchange.

Edges travel, not events: sharing is rare, and the second contact is the event (streaming prototype: 1.6 % of events). A prompt
becomes a template only when the account itself repeats it: what people type is different each time and is never told.
"""

from collections import defaultdict
from typing import Final, NamedTuple

from guard.engine.account_record import AccountRecord
from guard.engine.exchange_keys import IDENTITY_KINDS, Key, content_keys, identity_keys, identity_of, known_content, shards_of
from guard.engine.forwards import CONTACTS_PER_RECORD_MAX, Contact, Request, Told, Turn, encode_told
from guard.engine.hand_over import request_of
from guard.engine.stage import Message
from guard.engine.watchlist import key_hash
from guard.events.request import REFUSAL_STATUS_MIN, RequestEvent
from guard.state import behaviour as columns
from guard.state.behaviour import LIKES_MIN, Behaviour, KeyUse
from guard.state.link import (
    AGE_AGED,
    AGE_NEW,
    AGE_TRUSTED,
    AGE_UNKNOWN,
    CONVERSATION,
    PARAPHRASE,
    PAYMENT,
    PREFIX,
    SHAPE,
    SIGNATURE,
    Age,
)
from guard.topics import Topic
from guard.units import DAY_MS, DAY_S, HOUR_MS

STEP_BITS_MAX: Final = 4
"""Uses are told 1, 2, 3, 4, 6, 8, 12, 16, 24, 32 exchanges after a card or template was new, and from then on at every sixteenth."""

_STEP_MASK: Final = (1 << STEP_BITS_MAX) - 1
_SLOT_MASK: Final = 255
_STEPS_FROM: Final = 1 << STEP_BITS_MAX + 1
"""From here on every step is the largest."""

LAG_SHARE: Final = 0.5
LAG_MAX: Final = 1 << STEP_BITS_MAX
"""A key that comes and goes among others is told of when its own uses have grown by half since last told, by sixteen at most: at the account's own
steps it is seldom the one at hand, and how often a pool's cover of other prompts lets it be would look like how unevenly the pool works."""
FRESH_KINDS: Final = frozenset({PAYMENT, PREFIX})
"""A new one of these is told of as closely as a new account's: bought accounts have a past when they join a pool."""
USES_AT_FIRST: Final = {SHAPE: 2, PARAPHRASE: 1 + LIKES_MIN}
CONTENT_KINDS: Final = frozenset({SHAPE, PARAPHRASE})
"""These are what is asked: that all ask alike is no news about those who do."""
_LINKS: Final = Topic.LINKS


class _Speaker(NamedTuple):
    """What every contact of one exchange says alike of its account: the fields of `Contact` from `age` on, ready to be put in."""

    age: Age
    created_day: int
    of_identity: tuple[str, str, int, float, float, float, float, float, float, float, float, float]
    """`card` to `pace`: what the exchange at hand asks for, and where it does not say, the account's mean."""
    of_content: tuple[str, str, int, float, float, float, float, float, float, float, float, float]
    """The same with the account's means alone."""


def is_told_at(exchanges: int) -> bool:
    """Uses are told after so many exchanges with nothing new: in geometric steps, so that counts lag by a third at most."""
    if exchanges >= _STEPS_FROM:
        return not exchanges & _STEP_MASK
    return not exchanges & (1 << max(0, min(STEP_BITS_MAX, exchanges.bit_length() - 2))) - 1


def age_of(record: AccountRecord, at: int, young_days: float, trusted_days: float) -> Age:
    """Whether the account is new, old, or old enough to vouch for what it shares."""
    created_s = record.behaviour.created_s
    if not created_s:
        return AGE_UNKNOWN
    days = (at - created_s * 1_000) / DAY_MS
    if days < young_days:
        return AGE_NEW
    return AGE_TRUSTED if days >= trusted_days and not record.standing.was_sanctioned else AGE_AGED


class Contacts:
    """What waits to be told at the next drain, by the shard that owns the key."""

    def __init__(self, shards: int) -> None:
        self._shards = shards
        self._contacts: defaultdict[int, list[Contact]] = defaultdict(list)
        self._turns: defaultdict[int, list[Turn]] = defaultdict(list)
        self._requests: defaultdict[int, list[Request]] = defaultdict(list)
        self._speaker: _Speaker | None = None
        """The account behind the exchange at hand, once something is told of it."""
        self.young_days = 0.0
        self.trusted_days = 0.0

    def note(self, record: AccountRecord, event: RequestEvent, at: int, *, is_refused: bool) -> list[int]:
        """Take in the keys of one exchange; those that the account did not know are returned."""
        b = record.behaviour
        self._speaker = None
        uses = 0 if is_refused else 1
        b.since_new += 1
        identity = identity_of(event)
        met: list[int] = []
        if b.is_new_slot(at):
            _turn_slot(b, at)
        if identity != record.identity:
            met = self._meet(record, event, identity, at, uses)
        else:
            b.same_uses += uses
        if event.shape is not None or event.simhash is not None:
            met += self._repeat(record, event, at, uses)
        if event.conversation_after is not None or event.conversation is not None or event.reasoning_signature is not None:
            self._continue(record, event, at)
        if event.simhash is not None and event.prefix is not None:
            self._send(record, event, at)
        if uses and event.payment_fingerprint is not None:
            untold = b.untold_tokens
            untold[0] += event.input_tokens
            untold[1] += event.output_tokens
            untold[2] += event.reasoning_tokens or 0
        return met

    def _meet(self, record: AccountRecord, event: RequestEvent, identity: tuple[str | None, ...], at: int, uses: int) -> list[int]:
        b = record.behaviour
        settle(b)
        record.identity = identity
        current, met = [], []
        for key in identity_keys(identity):
            current.append(key[1])
            if self._use(record, key, at, uses, event):
                met.append(key[1])
                if key[0] in FRESH_KINDS:
                    b.since_new = 1
                    b.forget_gaps()
        b.current_keys = [hashed for hashed in current if hashed in b.keys]
        return met

    def _repeat(self, record: AccountRecord, event: RequestEvent, at: int, uses: int) -> list[int]:
        """Count shape and paraphrase family, if the account has used them before."""
        met = []
        for key in content_keys(record.behaviour, event):
            is_known = key[1] in record.behaviour.keys
            # The uses that went before were not counted: nobody knew yet that there would be another.
            if self._use(record, key, at, uses if is_known else USES_AT_FIRST[key[0]] * uses, event):
                met.append(key[1])
        return met

    def _use(self, record: AccountRecord, key: Key, at: int, uses: int, event: RequestEvent) -> bool:
        """Count one use; True for a key that the account did not know, which is told at once. One used in between is told by its own steps."""
        use = record.behaviour.keys.get(key[1])
        is_first = use is None
        if use is None:
            use = record.behaviour.remember_key(key[1])
        if uses:
            use.count(uses, record.behaviour.slot)
        if is_first or (uses and use.uses - use.told >= min(LAG_MAX, use.told * LAG_SHARE)):
            self._tell(record, key, use, at, event, is_first=is_first)
        return is_first

    def tell(self, record: AccountRecord, event: RequestEvent, at: int) -> None:
        """Tell of the keys of the exchange that was noted last, as far as their uses have grown since last told."""
        b = record.behaviour
        self._speaker = None
        settle(b)
        for key in (*_current_keys(b, event), *known_content(b, event)):
            use = b.keys.get(key[1])
            if use is not None and use.uses > use.told:
                self._tell(record, key, use, at, event, is_first=False)

    def _tell(self, record: AccountRecord, key: Key, use: KeyUse, at: int, event: RequestEvent, *, is_first: bool) -> None:
        contact = self._contact(record, key, use, at, event, is_first=is_first)
        kind, hashed, value = key
        if kind is PARAPHRASE:
            for shard in shards_of(int(value, 16), self._shards):
                self._contacts[shard].append(contact)
        else:
            self._contacts[hashed % self._shards].append(contact)

    def _contact(self, record: AccountRecord, key: Key, use: KeyUse, at: int, event: RequestEvent, *, is_first: bool) -> Contact:
        b = record.behaviour
        speaker = self._speaker
        if speaker is None:
            speaker = self._speaker = self._speaker_of(record, event, at)
        hours, pairs = use.grown()
        told, use.told = use.told, use.uses
        slots, use.untold_slots = use.untold_slots, 0
        use.untold_hours = use.untold_pairs = 0
        rest = speaker.of_content if key[0] in CONTENT_KINDS else speaker.of_identity
        contact = Contact(
            key[0], key[1], key[2], record.account, at, use.uses - told, use.uses * use.uses - told * told, hours, pairs, slots, is_first, speaker.age, speaker.created_day,
            b.devotion(use.uses, use.met), *rest,
        )  # fmt: skip
        if event.status < REFUSAL_STATUS_MIN:
            contact.model = event.model
            contact.declined = -1 if event.refused is None else int(event.refused)
        if key[0] is PAYMENT:
            contact.input_tokens, contact.output_tokens, contact.reasoning_tokens = b.untold_tokens
            b.untold_tokens = [0, 0, 0]
        return contact

    def _speaker_of(self, record: AccountRecord, event: RequestEvent, at: int) -> _Speaker:
        b = record.behaviour
        voice, rubric, single_turn = b.means[columns.ELICITATION], b.means[columns.RUBRIC], b.means[columns.SINGLE_TURN]
        card = record.identity[0] or "" if record.identity is not None else ""
        means = (voice, rubric, single_turn, b.timed, b.windows.tokens_per_request, b.spread, b.pace)
        asks, grades = _said(event.reasoning_elicitation, voice), _said(event.rubric_grading, rubric)
        account = (card, record.organisation, b.limit_rpm)
        return _Speaker(
            age_of(record, at, self.young_days, self.trusted_days), b.created_s // DAY_S,
            (*account, asks, grades, *means), (*account, voice, rubric, *means),
        )  # fmt: skip

    def _continue(self, record: AccountRecord, event: RequestEvent, at: int) -> None:
        """Ask about a conversation that is not the account's own, and register the one that it leaves behind."""
        own = record.behaviour.conversations
        for kind, value, is_own in (
            (CONVERSATION, event.conversation, False),
            (CONVERSATION, event.conversation_after, True),
            (SIGNATURE, event.reasoning_signature, True),
        ):
            if value is None or (key := key_hash(kind, value)) in own:
                continue
            if is_own:
                record.behaviour.remember_conversation(key)
            means = f"{event.payment_fingerprint or ''}|{event.org_id or ''}"
            self._turns[key % self._shards].append(Turn(kind, key, record.account, at, is_own, means))

    def _send(self, record: AccountRecord, event: RequestEvent, at: int) -> None:
        """Ask whether this request was somebody else's; never for one that goes on with the account's own conversation."""
        if event.conversation is not None and key_hash(CONVERSATION, event.conversation) in record.behaviour.conversations:
            return
        sent = request_of(event, at)
        if sent is not None:
            self._requests[sent.key % self._shards].append(sent)

    @property
    def is_empty(self) -> bool:
        """Nothing waits to be told."""
        return not self._contacts and not self._turns and not self._requests

    def drain(self) -> list[Message]:
        """Everything told since the last drain, one record per target shard (more only beyond 500 contacts)."""
        if self.is_empty:
            return []
        contacts, self._contacts = self._contacts, defaultdict(list)
        turns, self._turns = self._turns, defaultdict(list)
        requests, self._requests = self._requests, defaultdict(list)
        messages = []
        for shard in sorted(contacts.keys() | turns.keys() | requests.keys()):
            some, more, sent = contacts.get(shard, []), turns.get(shard, []), requests.get(shard, [])
            for start in range(0, max(len(some), len(more), len(sent)), CONTACTS_PER_RECORD_MAX):
                end = start + CONTACTS_PER_RECORD_MAX
                messages.append(Message(_LINKS, shard, None, encode_told(Told(some[start:end], more[start:end], sent[start:end]))))
        return messages


def _current_keys(b: Behaviour, event: RequestEvent) -> list[Key]:
    """`identity_keys` of the exchange that was noted last, with the hashes that the account remembers: hashing costs more."""
    identity = identity_of(event)
    shown = [(kind, value) for kind, value in zip(IDENTITY_KINDS, identity, strict=True) if value is not None]
    if len(shown) != len(b.current_keys):  # an account of too many keys forgot one as soon as it met it
        return identity_keys(identity)
    return [(kind, hashed, value) for (kind, value), hashed in zip(shown, b.current_keys, strict=True)]


def settle(b: Behaviour) -> None:
    """Credit the exchanges that carried the same identity as the one before them to its keys."""
    if b.same_uses:
        for key in b.current_keys:
            use = b.keys[key]
            use.count(b.same_uses, b.slot)
        b.same_uses = 0


def _turn_slot(b: Behaviour, at: int) -> None:
    """Begin another slot of the account with this exchange, and another hour when that is over: its own, so that no clock's full hour cuts a session."""
    settle(b)
    b.slot, b.slot_s = b.slot + 1 & _SLOT_MASK, at // 1_000
    if at < b.hour_s * 1_000 + HOUR_MS:
        return
    for use in b.keys.values():
        use.close_hour()
    b.hour_s = at // 1_000


def _said(of_exchange: float | None, of_account: float) -> float:
    """What the exchange with the key says, not what the account says with other keys; the account's mean where it says nothing."""
    return of_account if of_exchange is None else of_exchange
