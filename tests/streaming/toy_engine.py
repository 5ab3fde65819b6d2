"""Three stages that only count: small enough to know by heart what must come out, real enough to exercise the whole shell.

Per account the events and tokens are counted, with a decision at every `DECIDE_EVERY`-th event; every event goes on to the
links stage as part of an aggregate, and every `SUSPECT_EVERY`-th event of a link as a suspicion to the campaigns stage.
"""

from collections.abc import Sequence

import msgspec
import xxhash

from guard.engine.control import Control
from guard.engine.stage import Message, Outcome, SourceRecord
from guard.streaming.stages import StageKind, StageTable
from guard.topics import Topic
from guard.units import DAY_MS

DECIDE_EVERY = 10
SUSPECT_EVERY = 100
LINKS = 16


class ToyEvent(msgspec.Struct):
    """What the toy reads of a request event."""

    event_id: str
    event_time: int
    account_id: str
    input_tokens: int
    output_tokens: int


class Tally(msgspec.Struct, array_like=True):
    """How much was counted under one key, and the time of the newest event (milliseconds)."""

    count: int = 0
    tokens: int = 0
    newest_at: int = 0


_event = msgspec.json.Decoder(ToyEvent).decode
_encode = msgspec.msgpack.Encoder().encode
_tally = msgspec.msgpack.Decoder(Tally).decode
_tallies = msgspec.msgpack.Decoder(dict[str, Tally]).decode
_json = msgspec.json.Encoder().encode


class Tallies:
    """Tallies by name over the recovered records, with what has changed since the last drain."""

    def __init__(self, records: dict[bytes, bytes]) -> None:
        self._records = records
        self._hot: dict[str, Tally] = {}
        self._changed: dict[str, Tally] = {}

    def add(self, name: str, count: int, tokens: int, at: int) -> Tally:
        """Count under a name; returns the tally."""
        tally = self._hot.get(name)
        if tally is None:
            packed = self._records.get(name.encode())
            tally = self._hot[name] = _tally(packed) if packed is not None else Tally()
        tally.count += count
        tally.tokens += tokens
        tally.newest_at = max(tally.newest_at, at)
        self._changed[name] = tally
        return tally

    def drain(self) -> list[tuple[bytes, bytes | None]]:
        """The changed records."""
        changed, self._changed = self._changed, {}
        return [(name.encode(), _encode(tally)) for name, tally in changed.items()]


class ToyStage:
    """What the three have in common: tallies, messages, a clock."""

    def __init__(self, shard: int, shards: int, records: dict[bytes, bytes], control: Control) -> None:
        self._shard, self._shards = shard, shards
        self._tallies = Tallies(records)
        self._messages: list[Message] = []
        self.newest_at = 0
        self.follow(control)

    def follow(self, control: Control) -> None:
        """The toy obeys nobody."""

    def drain(self) -> Outcome:
        """Everything since the last drain."""
        messages, self._messages = self._messages, []
        return Outcome(self._tallies.drain(), [*messages, *self._forwards()], [], {})

    def _forwards(self) -> list[Message]:
        return []

    def _decide(self, partition: int, subject: str, tally: Tally) -> None:
        body = {"decision_id": f"{subject}/{tally.count}", "subject": subject, "count": tally.count, "tokens": tally.tokens}
        body["issued_at"] = tally.newest_at
        self._messages.append(Message(Topic.DECISIONS, partition, f"account:{subject}".encode(), _json(body)))


class ToyAccounts(ToyStage):
    """Counts events per account, decides now and then, forwards aggregates."""

    def __init__(self, shard: int, shards: int, records: dict[bytes, bytes], control: Control) -> None:
        super().__init__(shard, shards, records, control)
        self._links: dict[str, Tally] = {}

    def step(self, records: Sequence[SourceRecord]) -> None:
        """Count; what is no event becomes a dead letter."""
        for record in records:
            try:
                event = _event(record.value or b"")
            except msgspec.DecodeError:
                self._messages.append(Message(Topic.DEAD_LETTERS, self._shard, record.key, b"{}"))
                continue
            tokens = event.input_tokens + event.output_tokens
            tally = self._tallies.add(event.account_id, 1, tokens, event.event_time)
            self.newest_at = max(self.newest_at, event.event_time)
            if tally.count % DECIDE_EVERY == 0:
                self._decide(self._shard, event.account_id, tally)
            link = self._links.setdefault(link_of(event.account_id), Tally())
            link.count += 1
            link.tokens += tokens

    def _forwards(self) -> list[Message]:
        links, self._links = self._links, {}
        by_shard: dict[int, dict[str, Tally]] = {}
        for name, tally in links.items():
            by_shard.setdefault(int(name) % self._shards, {})[name] = tally
        return [Message(Topic.LINKS, shard, None, _encode(part)) for shard, part in by_shard.items()]


class ToyLinks(ToyStage):
    """Counts what was forwarded per link, and raises suspicions."""

    def step(self, records: Sequence[SourceRecord]) -> None:
        """Count."""
        for record in records:
            for name, part in _tallies(record.value or b"").items():
                before = self._tallies.add(name, 0, 0, 0).count
                after = self._tallies.add(name, part.count, part.tokens, 0).count
                for _ in range(before // SUSPECT_EVERY, after // SUSPECT_EVERY):
                    self._messages.append(Message(Topic.SUSPICIONS, 0, None, name.encode()))


class ToyCampaigns(ToyStage):
    """Counts suspicions per link, and publishes a campaign record and a decision for each."""

    def step(self, records: Sequence[SourceRecord]) -> None:
        """Count."""
        for record in records:
            name = f"link-{(record.value or b'').decode()}"
            tally = self._tallies.add(name, 1, 0, 0)
            self._decide(self._shard, name, tally)
            self._messages.append(Message(Topic.CAMPAIGNS, 0, name.encode(), _json({"campaign_id": name, "accounts_total": tally.count})))


def link_of(account: str) -> str:
    """The toy's only link key of an account."""
    return str(xxhash.xxh32_intdigest(account.encode()) % LINKS)


TOY_STAGES: StageTable = {StageKind.ACCOUNTS: ToyAccounts, StageKind.LINKS: ToyLinks, StageKind.CAMPAIGNS: ToyCampaigns}


def toy_event(number: int, account: str, at: int) -> bytes:
    """An event as it lies on the requests topic: about 400 bytes, like a real one, and suspicious to the guard's own engine."""
    return _json(
        {
            "event_id": f"e-{number:09d}",
            "event_time": at,
            "account_id": account,
            "account_created": at - 2 * DAY_MS,
            "payment_fingerprint": f"k1:card-{link_of(account)}",
            "reasoning_elicitation": 0.95,
            "plan": "pay-as-you-go",
            "model": "frontier-1",
            "operation": "chat",
            "input_tokens": 100 + number % 900,
            "output_tokens": 10 + number % 90,
            "messages": 3,
            "temperature": 0.7,
            "client_fingerprint": "k1:0123456789abcdef",
            "ip_prefix": "k1:fedcba9876543210",
            "prefix": "k1:00112233445566778899",
            "status": 200,
        }
    )
