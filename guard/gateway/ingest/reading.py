"""What each path of ingest makes of an item: contract events as they are, exchanges and LiteLLM's payloads by way of the fingerprint."""

from collections.abc import Callable, Iterable
from typing import Final

from msgspec import Struct

from guard.convert.litellm import LITELLM_LOG
from guard.errors import DecodeError
from guard.events.clean import Cleaner, CleanEvent
from guard.events.fingerprint import HashKey, KeyRing
from guard.events.fingerprint.usage import mapping
from guard.events.identifiers import Identifiers
from guard.events.items import items_of
from guard.events.told import Told, read_told, told
from guard.gateway.ingest.access_log import AccessLog
from guard.gateway.ingest.refused import REFUSALS_NAMED_MAX, Refused, refused
from guard.wall_clock import wall_clock

KNOWN: Final = (
    "event_id", "event_time", "account_id", "org_id", "api_key_id", "payment_fingerprint", "account_created", "plan", "rate_limit_rpm", "ip",
    "ip_prefix", "asn", "country", "client_fingerprint", "user_agent", "model", "operation", "input_tokens", "cached_tokens", "output_tokens",
    "reasoning_tokens", "topic", "reasoning_elicitation", "rubric_grading", "status",
    "decision_id", "latency_ms",
)  # fmt: skip
"""What an exchange may say about itself, by the contract's names; `ip`, `ip_prefix` and `payment_fingerprint` raw or hashed."""


class Read(Struct):
    """A body, read."""

    events: list[CleanEvent] = []
    refused: list[Refused] = []
    """The first `REFUSALS_NAMED_MAX`."""
    refusals: dict[str, int] = {}
    """Refused items by reason."""


class Reading:
    """Reads bodies under the keys in use. `now` gives UTC milliseconds, for exchanges that do not tell when they ended."""

    def __init__(self, current: HashKey, previous: HashKey | None = None, now: Callable[[], int] = wall_clock) -> None:
        self.identifiers = Identifiers(current, previous)
        self.cleaner = Cleaner(self.identifiers)
        self.estimates = 0
        """Exchanges whose tokens were estimated."""
        self._keys = KeyRing(current, previous)
        self.access_log = AccessLog(self.identifiers, self._keys)
        self._now = now
        self._paths: dict[str, Callable[[bytes], CleanEvent]] = {
            "/events": self.cleaner.clean,
            "/exchanges": lambda item: self.exchange(read_told(item)),
            "/litellm": lambda item: self._told(LITELLM_LOG.told(read_told(item), self.identifiers, self._keys)),
            "/access-log": lambda item: self._told(self.access_log.told(read_told(item))),
        }

    @property
    def paths(self) -> list[str]:
        """Where something can be sent."""
        return list(self._paths)

    def read(self, path: str, body: bytes) -> Read:
        """The events in a body sent to one of `paths`. Raises DecodeError for a body that cannot be divided into items."""
        return self.read_items(path, items_of(body))

    def read_items(self, path: str, items: Iterable[bytes]) -> Read:
        """The events in items for one of `paths`, each as its JSON, readable or not."""
        found, take = Read(), self._paths[path]
        for index, item in enumerate(items):
            try:
                found.events.append(take(item))
            except DecodeError as error:
                _refuse(found, index, error)
            except RecursionError:
                _refuse(found, index, DecodeError("illegal_field", "nested without end; it should be flat"))
        return found

    def exchange(self, exchange: dict[str, object]) -> CleanEvent:
        """One exchange: fields of `KNOWN`, a `request` and a `reply` in an SDK's format. Raises DecodeError."""
        request, reply = exchange.get("request"), exchange.get("reply")
        known = {name: exchange.get(name) for name in KNOWN}
        known["event_id"] = known["event_id"] or mapping(reply).get("id")
        known["event_time"] = known["event_time"] or self._now()
        return self._told(told(known, request, reply, self.identifiers, self._keys))

    def _told(self, exchange: Told) -> CleanEvent:
        self.estimates += exchange.has_estimate
        return self.cleaner.clean(exchange.encoded())


def _refuse(read: Read, index: int, error: DecodeError) -> None:
    read.refusals[error.reason] = read.refusals.get(error.reason, 0) + 1
    if len(read.refused) < REFUSALS_NAMED_MAX:
        read.refused.append(refused(index, error))
