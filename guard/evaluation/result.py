"""What one run leaves behind: one row per account, campaign and cluster, and every false positive with its reasons."""

from msgspec import Struct

from guard.scoring.reasons import Reason


class AccountRow(Struct, array_like=True, frozen=True, gc=False):
    """One account that called. Times are epoch milliseconds; None stands for never."""

    account_id: str
    kind: str
    is_honest: bool
    family: str
    campaign: str
    requests: int
    refused: int
    first_at: int
    sanctioned_at: int | None
    """First decision that named it: throttle, challenge or block."""
    caught_at: int | None
    """First challenge or block, or first request that a throttle refused: a throttle that refuses nothing catches nobody."""
    blocked_at: int | None
    leaked: int
    """Answered exchanges up to `sanctioned_at`; all of them without one. 0 for honest accounts, of which no times are kept."""
    score: float | None = None
    """The highest score that it, its card or a campaign of it ever reached, 0-1; None from a judge that has no scores."""


class CurvePoint(Struct, array_like=True, frozen=True, gc=False):
    """Where a campaign stood: milliseconds since its first exchange, pooled answers until then, share (0-1) of its accounts caught."""

    after_ms: int
    answered: int
    caught: float


class CampaignRow(Struct, frozen=True):
    """One true campaign that called."""

    name: str
    family: str
    accounts: int
    requests: int
    answered: int
    first_at: int
    throttled_at: int | None
    """First sanction of any of its accounts."""
    blocked_at: int | None
    leaked_to_throttle: int | None
    """Answered exchanges, pooled, up to the first sanction's `issued_at`."""
    leaked_to_block: int | None
    largest_cluster_share: float
    """Most of its accounts that one cluster ever held at once, 0-1."""
    replacement_leaks: tuple[int, ...]
    """Answers to each account that began after the campaign's first challenge or block, up to that account's own sanction."""
    curve: tuple[CurvePoint, ...]
    harvest: int = 0
    """Exchanges since it began that the model answered: neither refused by a decision nor by a plan's limit, nor failed."""
    leaked_to_stop: int | None = None
    """Answered exchanges, pooled, up to the first challenge or block: what a gateway answers with 403."""


class ClusterRow(Struct, frozen=True):
    """One campaign that the judge announced, at its largest."""

    subject: str
    members: int
    campaign: str
    """The true campaign of most members; empty when all are honest."""
    hits: int
    """Members of that campaign."""


class Candidate(Struct, array_like=True, frozen=True):
    """One campaign that the judge considered, whether or not it announced it, at its highest score."""

    subject: str
    score: float
    members: int
    hits: int
    """Members of the true campaign that most of them belong to."""


class FalsePositive(Struct, frozen=True):
    """An honest account that was sanctioned: the severest decision about it, and why."""

    account_id: str
    kind: str
    family: str
    action: str
    scope: str
    issued_at: int
    reasons: tuple[Reason, ...]


class RunResult(Struct, frozen=True):
    """One world, one seed, one variant."""

    world: str
    seed: int
    variant: str
    is_closed: bool
    code: str
    """Hash of the package that made it: another one's results are not reused."""
    events: int
    seconds: float
    accounts: tuple[AccountRow, ...]
    campaigns: tuple[CampaignRow, ...]
    clusters: tuple[ClusterRow, ...]
    false_positives: tuple[FalsePositive, ...]
    leakage: dict[str, float]
    """Raw field -> how well it alone tells hostile accounts from honest ones, AUC from 0.5 (not at all) to 1."""
    candidates: tuple[Candidate, ...] = ()
