"""From an event as somebody sent it to one that may be written: the contract's rules, and nothing personal in any field.

Unknown fields end here: only what the contract names is written again.
"""

import re
from collections import Counter
from typing import Final

import msgspec
from msgspec import Struct

from guard.errors import DecodeError
from guard.events.decode import UNKNOWN_MODEL, Decoder
from guard.events.identifiers import Identifiers, key_of
from guard.events.personal import is_opaque
from guard.events.request import RequestEvent

KEYED: Final = ("payment_fingerprint", "conversation", "conversation_after", "prefix", "shape", "reasoning_signature")
"""Fields that the contract wants as keyed hashes; what comes otherwise is hashed here."""
NAMES: Final = ("plan", "operation", "stop_reason", "client_fingerprint", "simhash")
"""Words of the gateway or the caller: whatever is no single opaque word is missing."""
IDENTIFIERS: Final = ("event_id", "org_id", "api_key_id", "decision_id")
_FAMILY: Final = re.compile(r"[A-Za-z][A-Za-z._-]{0,39}\d?(?=/|$)(?:/[A-Za-z]{1,20}(?=/|$))?")
"""`OpenAI/Python`, `python-requests` of `python-requests/2.32`: letters, so that no caller says anything else with it."""
_encode: Final = msgspec.json.Encoder().encode


class CleanEvent(Struct, frozen=True, gc=False):
    """An event that may be written: its account, its id, and its JSON."""

    account_id: str
    event_id: str
    body: bytes

    @property
    def key(self) -> str:
        """What tells it from every other exchange."""
        return f"{self.account_id}\0{self.event_id}"


class Cleaner:
    """Reads, strips and writes events; remembers which fields were wrong, and under which other keys hashes came."""

    def __init__(self, identifiers: Identifiers) -> None:
        self.identifiers = identifiers
        self.decoder = Decoder()
        self.foreign_hashes = 0
        """Hashed fields that came under another key than the current one: while keys are changed, or from a gateway that was forgotten."""

    @property
    def invalid_fields(self) -> Counter[str]:
        """Optional values that were dropped, by field."""
        return self.decoder.invalid_fields

    def clean(self, value: bytes) -> CleanEvent:
        """The event in `value`. Raises DecodeError, whose words repeat nothing of it."""
        event = self.decoder.decode(value)
        if not _may_be_account(event.account_id):
            raise DecodeError("illegal_field", "account_id; it should be opaque or a keyed hash: no address, number of a card, or words")
        fields = {name: value for name, value in msgspec.structs.asdict(event).items() if value is not None}
        fields.pop("append_time", None)
        self._strip_names(fields)
        self._hash_identifiers(event, fields)
        return CleanEvent(event.account_id, str(fields["event_id"]), _encode(fields))

    def _strip_names(self, fields: dict[str, object]) -> None:
        if not is_opaque(str(fields["model"])):
            fields["model"] = UNKNOWN_MODEL
            self.invalid_fields["model"] += 1
        if (agent := fields.get("user_agent")) is not None:
            fields["user_agent"] = family_of(str(agent))
        for name in (*NAMES, "user_agent"):
            if (value := fields.get(name)) is not None and not is_opaque(str(value)):
                del fields[name]
                self.invalid_fields[name] += 1

    def _hash_identifiers(self, event: RequestEvent, fields: dict[str, object]) -> None:
        for name in IDENTIFIERS:
            if (value := fields.get(name)) is not None:
                fields[name] = self.identifiers.opaque(name, str(value))
        for name in KEYED:
            if (value := fields.get(name)) is not None:
                fields[name] = self.identifiers.hashed(name, str(value))
        if event.ip is not None:
            fields["ip"], prefix = self.identifiers.address(event.ip)
            if prefix is not None:
                fields["ip_prefix"] = prefix
        if event.ip_prefix is not None and "ip_prefix" in fields:
            fields["ip_prefix"] = self.identifiers.hashed("ip_prefix", str(fields["ip_prefix"]))
        self.foreign_hashes += sum(
            key_of(str(fields[name])) not in {"", self.identifiers.key_id} for name in (*KEYED, "ip") if name in fields
        )


def family_of(user_agent: str) -> str:
    """The first word of a user agent without its version: one family per SDK. `unknown` for what is none, such as a text."""
    words = user_agent.split()
    found = _FAMILY.match(words[0]) if words else None
    return found.group() if found else UNKNOWN_MODEL


def _may_be_account(account: str) -> bool:
    return bool(key_of(account)) or is_opaque(account)
