"""A campaign: the keys that make it, its orders, its ledger, its life; and the record that the contract publishes."""

from collections.abc import Mapping
from typing import Final

import msgspec
import xxhash
from msgspec import UNSET, Struct, UnsetType

from guard.decisions.decision import Action
from guard.decisions.standing import Standing
from guard.engine.record_format import require_format
from guard.engine.watchlist import CampaignKey
from guard.policy.patience import Trial
from guard.scoring.reasons import Reason
from guard.scoring.successors import REMEMBERED_MS
from guard.state.link import KIND_WORDS, KINDS
from guard.units import DAY_MS

RECORD_FORMAT: Final = 1
DORMANT_AFTER_MS: Final = DAY_MS
"""Without news for a day a campaign sleeps; its keys stay watched."""
CLOSED_AFTER_MS: Final = 7 * DAY_MS
"""Without news for a week it is over."""

FORMING, ACTIVE, DORMANT, CLOSED = "forming", "active", "dormant", "closed"

_COLOURS: Final = (
    "amber",
    "black",
    "blue",
    "coral",
    "green",
    "grey",
    "ivory",
    "jade",
    "olive",
    "pearl",
    "red",
    "rose",
    "ruby",
    "sable",
    "teal",
    "white",
)
_ANIMALS: Final = (
    "badger", "crane", "eel", "falcon", "gecko", "heron", "ibex", "jackal", "kite", "lynx", "marten", "newt", "otter", "pike", "raven", "stoat",
)  # fmt: skip


class Campaign(Struct, array_like=True):
    """One campaign's memory. Its members are those of its keys, and those reported; both are kept beside it."""

    campaign_id: str
    name: str
    first_exchange_at: int
    updated_at: int
    state: str = FORMING
    keys: list[str] = []
    """Names of its keys in the evidence graph."""
    standing: Standing = msgspec.field(default_factory=Standing)
    mode: str = ""
    score: float = 0.0
    reasons: tuple[Reason, ...] = ()
    members_total: int = 0
    exchanges: int = 0
    tokens: int = 0
    first_throttle_at: int = 0
    first_block_at: int = 0
    exchanges_before_throttle: int = 0
    exchanges_before_block: int = 0
    merged_into: str = ""
    trial: Trial = msgspec.field(default_factory=Trial)
    stopped: dict[str, int] = {}
    """Names of the keys that made it when its members were stopped last, by a challenge or a block that these keys alone asked for; and how many
    accounts were on each of them when that began."""
    stopped_at: int = 0
    stopped_since: int = 0
    """When that began; not interrupted for so long that it was forgotten."""

    def convicted_by(self, at: int) -> dict[str, int]:
        """The keys that may go on making the campaign for a while, if accounts come to them; and how many were on each."""
        return self.stopped if 0 <= at - self.stopped_at <= REMEMBERED_MS else {}

    def note(self, action: Action, at: int) -> None:
        """A decision was written: keep when the first of its kind was."""
        if not self.first_throttle_at:
            self.first_throttle_at, self.exchanges_before_throttle = at, self.exchanges
        if action is Action.BLOCK and not self.first_block_at:
            self.first_block_at, self.exchanges_before_block = at, self.exchanges

    def stop(self, accounts: Mapping[str, int], at: int) -> None:
        """Its members are stopped, or still are, on the evidence of these keys, which so many accounts are on.

        Whoever came since they were stopped first is no less a newcomer for the order being written anew with each of them.
        """
        before = self.convicted_by(at)
        self.stopped_since = self.stopped_since if before else at
        self.stopped, self.stopped_at = {name: before.get(name, total) for name, total in accounts.items()}, at

    def rest_on(self, merged: "Campaign") -> None:
        """Another campaign is part of this one from now on, and what convicted it with it."""
        later = max(self.stopped_at, merged.stopped_at)
        self.stopped_since = min((one.stopped_since for one in (merged, self) if one.convicted_by(later)), default=0)
        self.stopped, self.stopped_at = merged.convicted_by(later) | self.convicted_by(later), later

    @property
    def key(self) -> bytes:
        """The key of its state record."""
        return b"c:" + self.campaign_id.encode()


class Published(Struct, omit_defaults=True):
    """A campaign record in the contract's words."""

    campaign_id: str
    name: str
    state: str
    mode: str
    keys: list[CampaignKey]
    reasons: tuple[Reason, ...]
    accounts_total: int
    exchanges: int
    tokens: int
    first_exchange_at: int
    updated_at: int
    first_throttle_at: int | UnsetType = UNSET
    first_block_at: int | UnsetType = UNSET
    exchanges_before_throttle: int | UnsetType = UNSET
    exchanges_before_block: int | UnsetType = UNSET
    successor_of: str | UnsetType = UNSET
    merged_into: str | UnsetType = UNSET
    stopped_since: int | UnsetType = UNSET


_encode: Final = msgspec.json.Encoder().encode


class _Stored(Struct, array_like=True):
    format: int
    campaign: Campaign


_pack: Final = msgspec.msgpack.Encoder().encode
_restore: Final = msgspec.msgpack.Decoder(_Stored).decode


def pack_campaign(campaign: Campaign) -> bytes:
    """The campaign as it is stored."""
    return _pack(_Stored(RECORD_FORMAT, campaign))


def restore_campaign(packed: bytes) -> Campaign:
    """The campaign that was stored. Raises `GuardError` for another format than this program's."""
    require_format(packed, RECORD_FORMAT, "campaign")
    return _restore(packed).campaign


def new_campaign(kind: int, value: str, first_at: int, at: int) -> Campaign:
    """A campaign founded by one key. Its id depends on the key and the moment alone."""
    digest = xxhash.xxh3_64_intdigest(f"{kind}:{value}@{at}".encode())
    name = f"{_COLOURS[digest & 15]}-{_ANIMALS[(digest >> 4) & 15]}-{(digest >> 8) & 0xFFF:03x}"
    return Campaign(f"c-{digest:016x}", name, first_at, at)


def publish(campaign: Campaign, keys: list[CampaignKey]) -> bytes:
    """The campaign as it is published."""
    was_throttled, was_blocked = bool(campaign.first_throttle_at), bool(campaign.first_block_at)
    return _encode(
        Published(
            campaign.campaign_id, campaign.name, campaign.state, campaign.mode, keys, campaign.reasons, campaign.members_total,
            campaign.exchanges, campaign.tokens, campaign.first_exchange_at, campaign.updated_at,
            campaign.first_throttle_at if was_throttled else UNSET,
            campaign.first_block_at if was_blocked else UNSET,
            campaign.exchanges_before_throttle if was_throttled else UNSET,
            campaign.exchanges_before_block if was_blocked else UNSET,
            UNSET,
            campaign.merged_into or UNSET,
            campaign.stopped_since or UNSET,
        )
    )  # fmt: skip


def key_word(kind: int) -> str:
    """A key's kind as it is published."""
    return KIND_WORDS[KINDS[kind]]
