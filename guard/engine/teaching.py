"""Who may teach the models what, and on whose word: a label first, then a settled campaign, then the crowd of the unsuspected."""

from typing import Final

from msgspec import Struct

from guard.decisions.decision import Scope
from guard.engine.account_record import AccountRecord
from guard.engine.control import Control
from guard.engine.watchlist import WatchedKey, WatchList
from guard.policy.labels import Verdict
from guard.scoring.learned.quota import teacher
from guard.units import HOUR_MS, EventTimeMs

LABEL: Final = "label"
CROWD: Final = "crowd"
"""Provenance of lessons; that of a campaign's lesson is its id."""
SETTLED_MS: Final = HOUR_MS
"""A campaign teaches an hour after its first throttle, if it still stands: four lives of a throttle, each renewed on evidence."""
KINDS_MIN: Final = 2
"""Kinds of a campaign's keys that an account must carry to count as an example of it: one may be a public prompt."""


class Said(Struct, frozen=True):
    """What somebody says an account is, and who."""

    is_extraction: bool
    provenance: str


def said_of(control: Control, account: str, hits: tuple[WatchedKey, ...], at: EventTimeMs) -> Said | None:
    """What is said about the account at `at`. A label beats any campaign."""
    label = control.labels.verdict(Scope.ACCOUNT, account, at)
    if label is not None:
        return Said(label.verdict is Verdict.EXTRACTION, LABEL)
    kinds: dict[str, set[int]] = {}
    for hit in hits:
        if is_settled(control.watch, hit.campaign_id, at):
            kinds.setdefault(hit.campaign_id, set()).add(hit.kind)
    settled = [campaign_id for campaign_id in sorted(kinds) if len(kinds[campaign_id]) >= KINDS_MIN]
    return Said(is_extraction=True, provenance=settled[0]) if settled else None


def is_settled(watch: WatchList, campaign_id: str, at: int) -> bool:
    """The campaign is active, and its first throttle is long enough ago."""
    throttled_at = watch.throttled_at.get(campaign_id)
    return throttled_at is not None and at - throttled_at >= SETTLED_MS


def revoked(before: WatchList, now: WatchList) -> frozenset[str]:
    """Campaigns that were active and are gone from the list at once: what rested on them is to be taken back.

    One that sleeps first and ends later was not wrong. One that is merged is taken back, too; its accounts teach again in the other.
    """
    return frozenset(campaign_id for campaign_id in before.throttled_at if campaign_id not in now.campaigns)


def teachers_of(record: AccountRecord) -> tuple[int, ...]:
    """Account, card and organisation, as the quota counts them."""
    found = [teacher("account", record.account)]
    if record.identity is not None and record.identity[0] is not None:
        found.append(teacher("payment", record.identity[0]))
    if record.organisation:
        found.append(teacher("organisation", record.organisation))
    return tuple(found)
