"""ASGI middleware: obeys decisions before the application is asked, and reports each exchange when its answer has ended.

    service = IngestService(IngestConfig(bootstrap="…", spool=Path("…")))
    reading = Reading(HashKey("k1", secret))
    reporter = Reporter(reading, straight_to(service.intake))
    app = GuardMiddleware(app, identify=who, identifiers=reading.identifiers, enforcer=enforcer, reporter=reporter)

The middleware lies next to the application, within whatever authenticates and packs. It never makes an answer wait.
"""

import secrets
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, Final

from guard.events.fingerprint.usage import text
from guard.events.identifiers import Identifiers
from guard.gateway.answers import Refusal
from guard.gateway.enforcer import Caller, Enforcer, Ruling
from guard.gateway.ingest.reporter import Exchange, Reporter
from guard.gateway.watched import Watched
from guard.wall_clock import wall_clock

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Identify = Callable[[Scope], Mapping[str, object] | None]
"""What is known of the caller after authentication, under the contract's names: `account_id`, and as much as there is of `org_id`,
`api_key_id`, `payment_fingerprint`, `ip` …, raw or hashed. None for a caller that nobody knows. It must not believe the caller's headers."""

PATHS: Final = ("/chat/completions", "/completions", "/responses", "/messages", "/embeddings")
"""Ends of the paths that ask a model, in the big SDKs' words."""
_PASSED: Final = Ruling()


class GuardMiddleware:
    """Stands before an ASGI application. Without `enforcer` it only reports, without `reporter` it only enforces."""

    def __init__(
        self,
        app: App,
        *,
        identify: Identify,
        identifiers: Identifiers,
        enforcer: Enforcer | None = None,
        reporter: Reporter | None = None,
        paths: tuple[str, ...] = PATHS,
    ) -> None:
        self._app = app
        self._identify = identify
        self._identifiers = identifiers
        self._enforcer = enforcer
        self._reporter = reporter
        self._paths = paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, or the application's life."""
        if scope["type"] != "http" or scope["method"] != "POST" or not scope["path"].rstrip("/").endswith(self._paths):
            await self._app(scope, receive, send)
            return
        began = time.monotonic()
        known = dict(self._identify(scope) or {})
        ruling = self._ruling(known, scope["path"])
        if ruling.refusal is not None:
            await _refuse(ruling.refusal, send)
            self._report(known, ruling, began, ruling.refusal.status, None)
            return
        watched = Watched(receive, send)
        try:
            await self._app(scope, watched.receive, watched.send)
        finally:
            self._report(known, ruling, began, watched.status, watched)

    def _ruling(self, known: dict[str, object], path: str) -> Ruling:
        if self._enforcer is None:
            return _PASSED
        account, payment, organisation = (text(known.get(name)) for name in ("account_id", "payment_fingerprint", "org_id"))
        return self._enforcer.rule(Caller.under_each_key(self._identifiers, account, payment, organisation, path))

    def _report(self, known: dict[str, object], ruling: Ruling, began: float, status: int, watched: Watched | None) -> None:
        if self._reporter is None:
            return
        known |= {
            # Made here: whoever could choose it could hide an exchange behind an earlier one's.
            "event_id": secrets.token_hex(16),
            "event_time": wall_clock(),
            "latency_ms": int((time.monotonic() - began) * 1_000),
            "status": status,
        }
        if ruling.decision_id:
            known["decision_id"] = ruling.decision_id
        if watched is None:
            known |= {"model": "unknown", "input_tokens": 0, "output_tokens": 0}
            self._reporter.report(Exchange(known, lambda: (None, None), 0))
        else:
            self._reporter.report(Exchange(known, watched.read, watched.size_bytes))


async def _refuse(refusal: Refusal, send: Send) -> None:
    headers = [(name.encode(), value.encode()) for name, value in refusal.headers.items()]
    headers.append((b"content-length", str(len(refusal.body)).encode()))
    await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "http.response.body", "body": refusal.body})
