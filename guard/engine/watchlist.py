"""The campaigns' keys as every shard knows them: an account that carries them is met at its first request."""

import msgspec
from msgspec import Struct
from xxhash import xxh3_64_intdigest

from guard.state.link import KIND_WORDS, KeyKind

_KINDS = {word: kind for kind, word in KIND_WORDS.items()}


def key_hash(kind: KeyKind, value: str) -> int:
    """The 64-bit hash under which accounts remember a link key."""
    return xxh3_64_intdigest(value.encode(), kind + 1)


class WatchedKey(Struct, frozen=True):
    """One key of one campaign: its kind, how strongly it marks the campaign (0-1), and the campaign."""

    campaign_id: str
    kind: KeyKind
    weight: float


class CampaignKey(Struct, frozen=True):
    """A link key in a campaign record (contract)."""

    kind: str
    value: str
    weight: float


class _CampaignKeys(Struct):
    campaign_id: str
    state: str
    keys: list[CampaignKey] = []
    first_throttle_at: int = 0


_decode = msgspec.json.Decoder(_CampaignKeys).decode

WATCHED_STATES = frozenset({"active", "dormant"})
"""A forming campaign is a guess, a closed one is over: neither is watched for."""


class WatchList(Struct, frozen=True):
    """Keys of live campaigns by hash. `by_key` is read at each new key of an account: one dictionary look-up."""

    campaigns: dict[str, tuple[CampaignKey, ...]]
    by_key: dict[int, tuple[WatchedKey, ...]]
    throttled_at: dict[str, int] = {}
    """Event time of the first throttle of those that are active and had one."""

    @staticmethod
    def empty() -> "WatchList":
        """Nobody is watched for."""
        return WatchList({}, {})

    def with_campaign(self, key: bytes, record: bytes | None) -> "WatchList":
        """The list after one record of the campaigns topic. None (a tombstone) or a state not watched takes it off.

        Raises `msgspec.DecodeError` or `msgspec.ValidationError` when the record is none of ours.
        """
        campaigns = dict(self.campaigns)
        campaigns.pop(key.decode(), None)
        throttled_at = {name: at for name, at in self.throttled_at.items() if name != key.decode()}
        if record is not None:
            campaign = _decode(record)
            if campaign.state in WATCHED_STATES:
                campaigns[campaign.campaign_id] = tuple(campaign.keys)
            if campaign.state == "active" and campaign.first_throttle_at:
                throttled_at[campaign.campaign_id] = campaign.first_throttle_at
        if campaigns == self.campaigns and throttled_at == self.throttled_at:
            return self
        return WatchList(campaigns, self.by_key if campaigns == self.campaigns else _index(campaigns), throttled_at)


def _index(campaigns: dict[str, tuple[CampaignKey, ...]]) -> dict[int, tuple[WatchedKey, ...]]:
    index: dict[int, tuple[WatchedKey, ...]] = {}
    for campaign_id in sorted(campaigns):
        for key in campaigns[campaign_id]:
            kind = _KINDS.get(key.kind)
            if kind is not None:
                hashed = key_hash(kind, key.value)
                index[hashed] = (*index.get(hashed, ()), WatchedKey(campaign_id, kind, key.weight))
    return index
