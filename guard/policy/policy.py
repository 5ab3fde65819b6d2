"""A policy as the engine reads it: frozen, every default filled in, made once per accepted document."""

from typing import Final

from msgspec import Struct

from guard.decisions.decision import Action, Mode, Scope
from guard.units import DAY_MS, HOUR_MS, MINUTE_MS, EventTimeMs

TTL_MS_MIN: Final = MINUTE_MS
TTL_MS_MAX: Final = 7 * DAY_MS
"""No decision lasts longer: the decision topics keep one day more than this (contract)."""

FOREVER_AT: Final = EventTimeMs(253_402_300_799_999)
"""The last millisecond of the year 9999: stands for an entry without an end."""

LADDER_DEFAULT: Final = ((Action.THROTTLE, 0.70), (Action.CHALLENGE, 0.85), (Action.BLOCK, 0.95))
"""A throttle may rest on one strong family; 0.95 by noisy-or takes two families of about 0.78 each."""

TTL_MS_DEFAULT: Final = {Action.THROTTLE: 15 * MINUTE_MS, Action.CHALLENGE: HOUR_MS, Action.BLOCK: 6 * HOUR_MS}
"""A mistaken throttle is over before most people write to support; a block lasts about one working shift of a fleet."""

THROTTLE_RATE_RPM_DEFAULT: Final = 6
"""One request in ten seconds: a person keeps working, a harvest of 667 answers per account takes two hours instead of minutes."""

THROTTLE_PATIENCE_MS: Final = HOUR_MS
"""Four throttles in a row: time for an operator to look, before a throttle that takes nothing from a campaign gives way to a challenge."""

BLOCK_FAMILIES_MIN: Final = 2
"""Independent evidence families under every block; a policy may ask for more, never for fewer."""


class Rung(Struct, frozen=True):
    """One step of the ladder: from `score` (0-1) on, `action` for `ttl_ms`."""

    action: Action
    score: float
    ttl_ms: int


class Jitter(Struct, frozen=True):
    """By how much, and how often anew, the point where a subject crosses a rung differs from subject to subject. None by default."""

    share_max: float = 0.0
    """Of a rung's remaining doubt (1 - score), 0-0.5. 0: a fresh install has no secret, and an offset that anybody can compute hides
    nothing; what it costs is told by `guard evaluate` (variant `jitter`).
    """
    period_ms: int = DAY_MS
    """Within it a subject's offset stays: new ones at each judgement would soon offer the lowest."""
    key: str = ""
    """The operators' secret; whoever reads policies knows it."""


class Caps(Struct, frozen=True):
    """New sanctions per hour of event time; what exceeds a cap goes to shadow with reason `cap`.

    The first two count per shard, organisations with payment fingerprints. The third counts members over all campaigns.
    """

    accounts: int = 200
    """At 8 shards 1,600 an hour: a fleet of 5,000 falls within a working morning, a broken rule touches few before someone looks."""
    payment_fingerprints: int = 50
    """One fingerprint reaches a dozen accounts or hundreds, so a quarter of the accounts' number bounds about the same harm."""
    campaign_members: int = 25_000
    """The largest pool reported held more than 20,000 accounts at once: one campaign that size must fit, two must not."""


class Allowed(Struct, frozen=True):
    """One entry of the allow-list: no sanction reaches the subject before `expires_at`."""

    scope: Scope
    subject: str
    expires_at: EventTimeMs
    author: str
    note: str


class OperatorOrder(Struct, frozen=True):
    """An operator's own decision. A decision written for it lasts at most `TTL_MS_MAX` and is renewed until `expires_at`."""

    scope: Scope
    subject: str
    action: Action
    rate_rpm: int | None
    """Requests per minute still allowed; only with `throttle`."""
    expires_at: EventTimeMs
    note: str


class Release(Struct, frozen=True):
    """A model that opens at `at`: a rush toward it is expected then."""

    model: str
    at: EventTimeMs


class Policy(Struct, frozen=True):
    """All that operators decide about judging, as one value."""

    version: int
    author: str
    effective_at: EventTimeMs
    hash: str
    """SHA-256 of the document's bytes, hex; `builtin-…` for the built-in ones."""
    modes: dict[str, Mode]
    """Mode by scope; every scope but `all` is there."""
    rungs: tuple[Rung, ...]
    """Throttle, challenge, block: scores strictly rising."""
    throttle_rate_rpm: int
    block_families_min: int
    caps: Caps
    thresholds: dict[str, float]
    """Every threshold of guard.scoring.thresholds by name."""
    rules_off: frozenset[str]
    """Reason codes that are neither weighed nor reported."""
    rules_shadow: frozenset[str]
    """Reason codes that are reported with weight 0."""
    allowed: dict[tuple[str, str], Allowed]
    """Allow-list by (scope, subject)."""
    orders: dict[tuple[str, str], OperatorOrder]
    """Operators' own decisions by (scope, subject)."""
    releases: tuple[Release, ...]
    """Release calendar, earliest first."""
    rebaseline_at: EventTimeMs = EventTimeMs(0)
    """Event time from which the models of the crowd begin anew; 0 for never."""
    jitter: Jitter = Jitter()
    throttle_patience_ms: int | None = THROTTLE_PATIENCE_MS
    """How long a campaign may go on under a throttle that takes nothing from it; None for ever."""

    def rung(self, action: Action) -> Rung:
        """The step of the ladder that leads to `action`."""
        return next(rung for rung in self.rungs if rung.action == action)
