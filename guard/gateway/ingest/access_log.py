"""Exchanges as Envoy and nginx tell them: the access log knows how each ended, the request's body was shown before; one id joins them.

The logs of deploy/envoy and deploy/nginx name their fields as the contract does. What would give anybody away is in none of them: addresses, user agents and
texts come with the body, and only hashes and numbers of them are remembered.
"""

import re
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from threading import Lock
from typing import Final

from msgspec import Struct

from guard.errors import DecodeError
from guard.events.clean import family_of
from guard.events.decode import UNKNOWN_MODEL
from guard.events.fingerprint import KeyRing, fingerprint
from guard.events.fingerprint.usage import mapping
from guard.events.identifiers import Identifiers
from guard.events.request import REFUSAL_STATUS_MIN
from guard.events.told import CHARS_A_TOKEN, Told, read_told

REQUEST_ID: Final = "x-request-id"
ADDRESS: Final = "x-envoy-external-address"
"""The client's address, as Envoy believes it. For one of its own network it says nothing, and neither does nginx: the last in this is it:"""
FORWARDED: Final = "x-forwarded-for"
CLIENT: Final = "x-guard-client"
"""A TLS fingerprint, where the gateway takes one."""
BODIES_MAX: Final = 50_000
"""Requests under way whose bodies were seen, about 1 kB each; beyond it the one seen longest ago goes, and its event lacks their evidence."""
BODY_SECONDS_MAX: Final = 3_600.0
"""An answer that takes longer is given up."""
_WHOLE: Final = (
    "event_time", "account_created", "rate_limit_rpm", "status", "latency_ms", "bytes_sent", "input_tokens", "output_tokens",
    "reasoning_tokens", "cached_tokens",
)  # fmt: skip
"""Numbers; gateways write what comes from a header as a text."""
_DIGITS: Final = re.compile(r"\d{1,18}", re.ASCII)
_SECONDS: Final = re.compile(r"\d{1,12}\.\d{3}", re.ASCII)
"""Times as nginx writes them, to the millisecond."""
FAILED_OPEN: Final = "failed_open"
"""Set in the line of a request that passed for want of an enforcer."""


class _Seen(Struct, frozen=True, gc=False):
    at: float
    fields: dict[str, object]


class AccessLog:
    """Joins bodies and lines. `now` gives seconds, for the age of what was seen. Any thread may call."""

    def __init__(self, identifiers: Identifiers, keys: KeyRing, now: Callable[[], float] = time.monotonic) -> None:
        self._identifiers = identifiers
        self._keys = keys
        self._now = now
        self._seen: OrderedDict[str, _Seen] = OrderedDict()
        self._lock = Lock()
        self.unjoined = 0
        """Answered requests whose body nobody has shown."""
        self.failed_open = 0
        """Requests that passed because no enforcer answered the gateway."""

    def __len__(self) -> int:
        return len(self._seen)

    def see(self, headers: Mapping[str, str], body: bytes, body_bytes: int = 0) -> None:
        """A request on its way to the model: keep what its event needs of it, drop the rest. `body_bytes` of a body that was not read."""
        request_id = headers.get(REQUEST_ID, "")
        if not request_id:
            return
        seen = _Seen(self._now(), {**self._from_headers(headers), **self._from_body(body, max(body_bytes, len(body)))})
        with self._lock:
            self._seen.pop(request_id, None)
            self._seen[request_id] = seen
            self._forget()

    def told(self, line: dict[str, object]) -> Told:
        """The event's fields in one line of the log."""
        fields = {name: value for name, value in line.items() if value not in (None, "", "-")}
        for name in _WHOLE:
            if isinstance(value := fields.get(name), str) and (_DIGITS.fullmatch(value) or _SECONDS.fullmatch(value)):
                fields[name] = int(value.replace(".", ""))
        self.failed_open += bool(fields.pop(FAILED_OPEN, None))
        with self._lock:
            seen = self._seen.pop(str(fields.get("event_id", "")), None)
        is_answered = _number(fields, "status", 200) < REFUSAL_STATUS_MIN
        if not is_answered:  # the model was not reached, or gave nothing
            return Told({"model": UNKNOWN_MODEL, **_fields_of(seen), **fields, "input_tokens": 0, "output_tokens": 0}, has_estimate=False)
        self.unjoined += seen is None
        estimates = {"input_tokens": 0, "output_tokens": _number(fields, "bytes_sent", 0) // CHARS_A_TOKEN}
        return Told({"model": UNKNOWN_MODEL, **estimates, **_fields_of(seen), **fields}, has_estimate=not estimates.keys() <= fields.keys())

    def _from_headers(self, headers: Mapping[str, str]) -> dict[str, object]:
        found: dict[str, object] = {}
        if address := headers.get(ADDRESS) or headers.get(FORWARDED, "").rpartition(",")[2].strip():
            found["ip"], prefix = self._identifiers.address(address)
            found |= {} if prefix is None else {"ip_prefix": prefix}
        if agent := headers.get("user-agent"):
            found["user_agent"] = family_of(agent)
        if client := headers.get(CLIENT):
            found["client_fingerprint"] = client[:128]
        return found

    def _from_body(self, body: bytes, body_bytes: int) -> dict[str, object]:
        """The length alone of what is no JSON object: a body that was cut, or none of a chat's."""
        found: dict[str, object] = {"input_tokens": -(-body_bytes // CHARS_A_TOKEN)}
        try:
            request = read_told(body)
        except DecodeError:
            return found
        found = {**fingerprint(request, None, self._keys).known(), **found}
        model = mapping(request).get("model")
        return found | ({"model": model} if isinstance(model, str) and model else {})

    def _forget(self) -> None:
        """Drop what is too old or too much; what is oldest stands first."""
        while self._seen:
            oldest = next(iter(self._seen))
            if len(self._seen) <= BODIES_MAX and self._seen[oldest].at > self._now() - BODY_SECONDS_MAX:
                return
            del self._seen[oldest]


def _fields_of(seen: _Seen | None) -> dict[str, object]:
    return {} if seen is None else seen.fields


def _number(fields: Mapping[str, object], name: str, default: int) -> int:
    value = fields.get(name, default)
    return value if isinstance(value, int) else default
