"""An exchange as others tell it: what is known around it, the request and the reply in an SDK's format; made into an event's fields.

The text ends here: what comes out are hashes and numbers. No caller escapes judgement by asking for a stream without usage: tokens
that nobody told of are estimated from the lengths of the texts.
"""

import json
from collections.abc import Mapping
from typing import Final

import msgspec
from msgspec import Struct

from guard.errors import DecodeError
from guard.events.decode import UNKNOWN_MODEL, read_object
from guard.events.fingerprint import KeyRing, fingerprint
from guard.events.fingerprint.exchange import read_exchange
from guard.events.fingerprint.turns import Conversation
from guard.events.fingerprint.usage import mapping
from guard.events.identifiers import Identifiers
from guard.events.request import REFUSAL_STATUS_MIN

CHARS_A_TOKEN: Final = 4
"""English text in the vocabularies of the large models; only for exchanges without usage."""


class Told(Struct, frozen=True):
    """An event's fields, not checked yet."""

    fields: dict[str, object]
    has_estimate: bool
    """Whether its tokens are estimated."""

    def encoded(self) -> bytes:
        """The fields as the decoder reads them; whatever is no scalar is left out, and an ugly one is the decoder's to judge."""
        return json.dumps({name: value for name, value in self.fields.items() if isinstance(value, str | int | float)}).encode()


def read_told(value: bytes) -> dict[str, object]:
    """What others tell, as an object. Raises DecodeError.

    Read leniently, as events are: a lone surrogate or endless nesting that a caller put into a prompt must not hide the exchange. What
    is nested without end is emptied.
    """
    try:
        found = msgspec.json.decode(value)
    except (ValueError, RecursionError):
        return read_object(value)
    if not isinstance(found, dict):
        raise DecodeError("not_an_object", "it should be one JSON object")
    return found


def told(known: Mapping[str, object], request: object, reply: object, identifiers: Identifiers, keys: KeyRing) -> Told:
    """The fields of an exchange. `known` wins over what the texts say; None in it is missing."""
    fields: dict[str, object] = dict(fingerprint(request, reply, keys).known())
    fields |= {name: value for name, value in known.items() if value is not None}
    if isinstance(account := fields.get("account_id"), str) and account:
        fields["account_id"] = identifiers.account(account)
    if fields.get("model") is None:
        fields["model"] = _model(request, reply)
    return Told(fields, _count_tokens(fields, request, reply))


def _model(request: object, reply: object) -> str | None:
    """The model asked for. Unknown is one too: no caller escapes judgement by asking for none, or in a form that nobody can read."""
    named = (mapping(request).get("model"), mapping(reply).get("model"))
    return next((name for name in named if isinstance(name, str) and name), UNKNOWN_MODEL if isinstance(request, dict) else None)


def _count_tokens(fields: dict[str, object], request: object, reply: object) -> bool:
    """Fill in tokens that nobody told of: none for a refused request, an estimate for an answered one. Whether something was estimated.

    Without the texts they stay missing.
    """
    lacking = [name for name in ("input_tokens", "output_tokens") if fields.get(name) is None]
    if not lacking:
        return False
    status = fields.get("status", 200)
    if not mapping(reply).get("usage") and isinstance(status, int) and status >= REFUSAL_STATUS_MIN:
        fields |= dict.fromkeys(lacking, 0)
        return False
    if not isinstance(request, dict):
        return False
    exchange = read_exchange(request, reply)
    estimates = {"input_tokens": _tokens(exchange.asked), "output_tokens": _tokens(exchange.answered)}
    fields |= {name: estimates[name] for name in lacking}
    return True


def _tokens(conversation: Conversation) -> int:
    chars = sum(map(len, conversation.system)) + sum(len(piece) for turn in conversation.turns for piece in turn.pieces)
    return -(-chars // CHARS_A_TOKEN)
