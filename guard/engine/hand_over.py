"""Requests that were refused to one account and sent by a stranger's within seconds: evidence that holds by construction.

A pool fails over to a sibling; an honest client waits and tries again, and a house that fails over does it among its own accounts.
A request that many send is no hand-over either: each is counted once, when it is answered for the first time after a refusal.
"""

from typing import Final

from xxhash import xxh3_64_intdigest

from guard.engine.continuity import NOBODY, share_means
from guard.engine.forwards import Request
from guard.engine.link_store import LinkStore
from guard.engine.watchlist import key_hash
from guard.events.partition import stable_hash
from guard.events.request import RequestEvent
from guard.state.link import PREFIX
from guard.units import HOUR_MS, SECOND_MS

TURNED_AWAY: Final = frozenset({403, 429})
"""Refused to this account: by a decision, by its plan's limit. A 5xx is everybody's, and not handed over but waited for."""
WITHIN_MS: Final = 10 * SECOND_MS
"""A failover is tried at once, or when the SDK's own two retries, 8 s apart at most, have failed."""

LATENCY_MS_MAX: Final = HOUR_MS


def request_of(event: RequestEvent, at: int) -> Request | None:
    """The exchange as a request that somebody else may have sent; None when it does not say enough, or not who pays."""
    if event.simhash is None or event.prefix is None:
        return None
    means = f"{event.payment_fingerprint or ''}|{event.org_id or ''}"
    if means == NOBODY:
        return None
    key = key_hash(PREFIX, event.prefix)
    sent = xxh3_64_intdigest(f"{event.simhash}|{event.shape}|{event.conversation}|{event.prompt_chars}".encode(), key)
    is_refused = event.status in TURNED_AWAY
    return Request(key, sent, event.account_id, at if is_refused else at - min(event.latency_ms or 0, LATENCY_MS_MAX), is_refused, means)


def taken_over(store: LinkStore, before: Request | None, sent: Request) -> Request | None:
    """Take in a request that is refused, or was `before`: that refusal, if the sender, of another card and organisation, made it good at once.

    Remembered is only what was refused, until somebody gets an answer to it: whoever sends it after that sends what many send.
    """
    if before is not None and not before.is_refused:
        return None
    store.remember_refused(sent)
    if before is None:
        return None
    is_at_once = not sent.is_refused and 0 <= sent.at - before.at <= WITHIN_MS
    return before if is_at_once and before.account != sent.account and not share_means(before.means, sent.means) else None


def pair_of(one: Request, other: Request) -> int:
    """Their two accounts in 64 bits, whichever comes first."""
    return stable_hash("|".join(sorted((one.account, other.account))))
