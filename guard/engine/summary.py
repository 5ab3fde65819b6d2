"""What a stage's committed state says, read from its records alone: for `guard state`, for tests, for whoever asks."""

from collections.abc import Mapping

from msgspec import Struct

from guard.decisions.decision import Action
from guard.decisions.standing import Order
from guard.engine.account_record import restore_account
from guard.engine.accounts import ACCOUNT_PREFIX
from guard.engine.campaign_record import restore_campaign
from guard.engine.clusters import CAMPAIGN_PREFIX
from guard.engine.first_record import restore_first
from guard.engine.link_record import restore_memory
from guard.engine.link_store import CARD_PREFIX, FIRST_PREFIX, LINK_PREFIX
from guard.features.accounts import ACCOUNT_FEATURES
from guard.features.table import extract
from guard.topics import Topic


class StageSummary(Struct):
    """One stage's state: subjects remembered, exchanges counted over their lifetime, newest event time (milliseconds)."""

    subjects: int = 0
    exchanges: int = 0
    newest_at: int = 0

    def add(self, exchanges: int, at: int) -> None:
        """Count one subject in."""
        self.subjects += 1
        self.exchanges += exchanges
        self.newest_at = max(self.newest_at, at)


def summarize(topic: Topic, records: Mapping[bytes, bytes]) -> StageSummary:
    """The summary of one stage's committed records."""
    summary = StageSummary()
    for key, value in records.items():
        if topic is Topic.ACCOUNTS_STATE and key.startswith(ACCOUNT_PREFIX):
            behaviour = restore_account(value, "").behaviour
            summary.add(behaviour.exchanges, behaviour.at)
        elif topic is Topic.LINKS_STATE and key.startswith(LINK_PREFIX):
            link = restore_memory(value).link
            summary.add(round(link.uses), link.at)
        elif topic is Topic.LINKS_STATE and key.startswith((FIRST_PREFIX, CARD_PREFIX)):
            first = restore_first(value, 0, "").contact
            summary.add(first.uses, first.at)
        elif topic is Topic.CAMPAIGNS_STATE and key.startswith(CAMPAIGN_PREFIX):
            campaign = restore_campaign(value)
            summary.add(campaign.exchanges, campaign.updated_at)
    return summary


def describe_account(account: str, packed: bytes) -> dict[str, object]:
    """Everything that is remembered of one account, for a person to read."""
    record = restore_account(packed, account)
    b = record.behaviour
    return {
        "account_id": account,
        "exchanges": b.exchanges,
        "refused": b.refused,
        "first_at": b.first_s * 1_000,
        "newest_at": b.at,
        "account_created": b.created_s * 1_000 or None,
        "rate_limit_rpm": b.limit_rpm or None,
        "features": {name: round(value, 4) for name, value in extract(ACCOUNT_FEATURES, b, b.at).items()},
        "link_keys": len(b.keys),
        "orders": {mode: _order(record.standing.order(mode)) for mode in ("enforce", "shadow")},
        "bytes": len(packed),
    }


def _order(order: Order | None) -> dict[str, object] | None:
    if order is None:
        return None
    return {
        "decision_id": order.decision_id,
        "action": Action(order.action).word,
        "issued_at": order.issued_at,
        "expires_at": order.expires_at,
    }
