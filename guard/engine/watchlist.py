"""The campaigns' keys as every shard knows them: an account that carries them is met at its first request."""

from collections.abc import Iterator
from typing import Final, NamedTuple

import msgspec
from msgspec import Struct
from xxhash import xxh3_64_intdigest

from guard.state.behaviour import NEAR_BITS
from guard.state.link import KIND_WORDS, KeyKind
from guard.units import HOUR_MS

_KINDS = {word: kind for kind, word in KIND_WORDS.items()}


def key_hash(kind: KeyKind, value: str) -> int:
    """The 64-bit hash under which accounts remember a link key."""
    return xxh3_64_intdigest(value.encode(), kind + 1)


PARAPHRASES_MAX: Final = 64
"""Families of paraphrases watched for at once, since each account's are held against all of them; a pool has a few. Beyond it the campaigns that
come first by their ids are, and the others' accounts are met by their other keys."""


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
    stopped_since: int = 0


_decode = msgspec.json.Decoder(_CampaignKeys).decode

WATCHED_STATES = frozenset({"active", "dormant"})
"""A forming campaign is a guess, a closed one is over: neither is watched for."""


STOPPED_KEYS_MAX: Final = 256
"""Keys remembered of a campaign that stopped its members; of further ones the use is not counted anew."""
LONG_MS: Final = 2 * HOUR_MS
"""A stop from which the use of a key looks otherwise than it is: as long as a second count needs before it says anything. A campaign that ends
sooner was mostly a mistake, and what cleared it is not to be forgotten."""


class Stopped(NamedTuple):
    """Since when a campaign has stopped its members, event time, and all keys that it has had since then."""

    since: int
    keys: frozenset[tuple[str, str]]


class WatchList(Struct, frozen=True):
    """Keys of live campaigns by hash. `by_key` is read at each new key of an account: one dictionary look-up."""

    campaigns: dict[str, tuple[CampaignKey, ...]]
    by_key: dict[int, tuple[WatchedKey, ...]]
    paraphrases: tuple[tuple[int, WatchedKey], ...] = ()
    """Paraphrase families by their SimHash: accounts of one pool arrive at values near one another, seldom at the same."""
    throttled_at: dict[str, int] = {}
    """Event time of the first throttle of those that are active and had one."""
    stopped: dict[str, Stopped] = {}
    """Campaigns, whatever their state, whose members have been stopped by a challenge or a block."""

    @property
    def is_empty(self) -> bool:
        """Nobody is watched for."""
        return not self.by_key and not self.paraphrases

    def of_paraphrase(self, family: int) -> Iterator[WatchedKey]:
        """The watched families that an account's own one is like. Reads all of them: some for each campaign that paraphrases."""
        return (watched for simhash, watched in self.paraphrases if (simhash ^ family).bit_count() <= NEAR_BITS)

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
        stopped = {name: one for name, one in self.stopped.items() if name != key.decode()}
        if record is not None:
            campaign = _decode(record)
            if campaign.state in WATCHED_STATES:
                campaigns[campaign.campaign_id] = tuple(campaign.keys)
            if campaign.stopped_since and campaign.state != "closed":
                stopped[campaign.campaign_id] = self._stopped(campaign)
            if campaign.state == "active" and campaign.first_throttle_at:
                throttled_at[campaign.campaign_id] = campaign.first_throttle_at
        if (campaigns, throttled_at, stopped) == (self.campaigns, self.throttled_at, self.stopped):
            return self
        index = (self.by_key, self.paraphrases) if campaigns == self.campaigns else _index(campaigns)
        return WatchList(campaigns, *index, throttled_at, stopped)

    def _stopped(self, campaign: _CampaignKeys) -> Stopped:
        keys = {(key.kind, key.value) for key in campaign.keys}
        before = self.stopped.get(campaign.campaign_id)
        if before is not None and before.since == campaign.stopped_since:
            keys |= before.keys
        return Stopped(campaign.stopped_since, frozenset(sorted(keys)[:STOPPED_KEYS_MAX]))


def let_go(before: WatchList, now: WatchList, at: int) -> set[int]:
    """Hashes of the keys by which a campaign that is over at `at` had stopped its members for long, and no other does.

    A worker that was down meanwhile misses it, and goes on with what it knew of their use.
    """
    gone = [one for name, one in before.stopped.items() if name not in now.stopped and at - one.since >= LONG_MS]
    kept = frozenset[tuple[str, str]]().union(*(one.keys for one in now.stopped.values())) if gone else frozenset()
    return {key_hash(_KINDS[kind], value) for one in gone for kind, value in one.keys - kept if kind in _KINDS}


def _index(campaigns: dict[str, tuple[CampaignKey, ...]]) -> tuple[dict[int, tuple[WatchedKey, ...]], tuple[tuple[int, WatchedKey], ...]]:
    by_key: dict[int, tuple[WatchedKey, ...]] = {}
    paraphrases: list[tuple[int, WatchedKey]] = []
    for campaign_id in sorted(campaigns):
        for key in campaigns[campaign_id]:
            kind = _KINDS.get(key.kind)
            if kind is None:
                continue
            watched = WatchedKey(campaign_id, kind, key.weight)
            if kind is KeyKind.PARAPHRASE:
                paraphrases.append((_simhash_of(key.value), watched))
            else:
                hashed = key_hash(kind, key.value)
                by_key[hashed] = (*by_key.get(hashed, ()), watched)
    return by_key, tuple(paraphrases[:PARAPHRASES_MAX])


def _simhash_of(value: str) -> int:
    try:
        return int(value, 16)
    except ValueError:
        raise msgspec.ValidationError(f"simhash {value[:40]!a}: it should be hexadecimal") from None
