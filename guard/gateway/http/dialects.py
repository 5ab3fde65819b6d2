"""How gateways ask, and what they can make of an answer.

Envoy's ext_authz and the forward-auth of Traefik, Caddy, APISIX and Kong pass on whatever is not 2xx as it is. nginx's `auth_request`
knows 2xx, 401 and 403 only and makes a 500 of all else (nginx 1.22.1): it gets a 403, and the true status and the body in headers.
"""

from collections.abc import Callable, Mapping
from posixpath import normpath
from typing import Final
from urllib.parse import unquote

from msgspec import Struct

from guard.gateway.answers import Refusal
from guard.gateway.enforcer import Caller, Ruling

ACCOUNT: Final = "x-guard-account"
PAYMENT: Final = "x-guard-payment"
ORGANISATION: Final = "x-guard-organisation"
"""What the gateway says about the caller after authentication. It must take these headers off what comes from outside."""
DECISION: Final = "x-guard-decision"
"""The decision that the request was refused under, or counted against; the gateway writes it into the request event."""
STATUS: Final = "x-guard-status"
PROBLEM: Final = "x-guard-problem"
"""The body of the refusal: nginx drops that of whom it asks."""


class Reply(Struct, frozen=True, gc=False):
    """What the gateway gets."""

    status: int
    headers: dict[str, str]
    body: bytes = b""


class Dialect(Struct, frozen=True):
    """One way to ask: where the client's target stands, and how a refusal is put."""

    target_of: Callable[[str, Mapping[str, str]], str]
    """The target as the client wrote it, from the one behind the dialect's prefix, and the headers."""
    refused: Callable[[Refusal], Reply]


def caller_of(target: str, headers: Mapping[str, str]) -> Caller:
    """Who asks; an account that is missing or no identifier is an empty one."""
    account, payment, organisation = (headers.get(name, "") for name in (ACCOUNT, PAYMENT, ORGANISATION))
    return Caller(_identifier(account), _identifier(payment) or None, _identifier(organisation) or None, path_in(target))


def path_in(target: str) -> str:
    """The path that a model server may read in a request target: decoded, without dots and doubled slashes.

    Takes any text: what cannot be read here would be a question without an answer, and those pass.
    """
    written = unquote(target.partition("?")[0])
    if not written.startswith("/"):
        written = f"/{written.partition('://')[2].partition('/')[2]}"
    end = "/" if written.endswith(("/", "/.", "/..")) else ""
    return f"/{normpath(written).strip('/')}{end}".replace("//", "/")


def reply_of(ruling: Ruling, dialect: Dialect) -> Reply:
    """The answer in the gateway's words."""
    if ruling.refusal is None:
        return Reply(200, {DECISION: ruling.decision_id} if ruling.decision_id else {})
    reply = dialect.refused(ruling.refusal)
    return Reply(reply.status, {**reply.headers, DECISION: ruling.decision_id}, reply.body) if ruling.decision_id else reply


def _identifier(text: str) -> str:
    return text if text.isprintable() else ""


def _plain(refusal: Refusal) -> Reply:
    return Reply(refusal.status, refusal.headers, refusal.body)


def _for_nginx(refusal: Refusal) -> Reply:
    return Reply(403, {**refusal.headers, STATUS: str(refusal.status), PROBLEM: refusal.body.decode()}, refusal.body)


DIALECTS: Final = {
    "envoy": Dialect(lambda target, _: target, _plain),
    "forward": Dialect(lambda target, headers: headers.get("x-forwarded-uri", target), _plain),
    "nginx": Dialect(lambda target, headers: headers.get("x-original-uri", target), _for_nginx),
}
"""By the first part of the path that the gateway asks."""
