"""Evidence from carrying a known campaign's keys. One kind of key alone says nothing: strangers share templates and clients."""

from collections.abc import Iterable
from typing import Final, Protocol

from guard.scoring.account_rules import reason
from guard.scoring.reasons import REASONS, Reason
from guard.state.link import KeyKind

KIND_CODES: Final = {
    KeyKind.PAYMENT: "shared_payment",
    KeyKind.PREFIX: "template_lift",
    KeyKind.SHAPE: "template_lift",
    KeyKind.PARAPHRASE: "template_lift",
    KeyKind.CLIENT: "shared_client",
    KeyKind.NETWORK: "shared_network",
    KeyKind.CONVERSATION: "foreign_conversation",
    KeyKind.SIGNATURE: "foreign_signature",
    KeyKind.ORGANISATION: "shared_payment",
}
"""The reason code under which sharing a key of a kind is reported."""

FAMILIES_MIN: Final = 2
ADMISSION_WEIGHT: Final = 0.6
"""Two families of one campaign's keys at once: with the keys' own weights enough for a challenge, seldom for a block."""


class Hit(Protocol):
    """A watched key that an account carries."""

    @property
    def campaign_id(self) -> str:
        """Whose key it is."""

    @property
    def kind(self) -> KeyKind:
        """Its kind."""

    @property
    def weight(self) -> float:
        """How strongly it marks the campaign, 0-1."""


def watch_evidence(hits: Iterable[Hit]) -> list[Reason]:
    """Evidence from the campaign whose keys the account carries in most families; none below two families."""
    by_campaign: dict[str, dict[str, float]] = {}
    for hit in hits:
        weights = by_campaign.setdefault(hit.campaign_id, {})
        code = KIND_CODES[hit.kind]
        weights[code] = max(weights.get(code, 0.0), hit.weight)
    best: dict[str, float] = {}
    for _, weights in sorted(by_campaign.items()):
        if len(_families(weights)) > len(_families(best)):
            best = weights
    families = _families(best)
    if len(families) < FAMILIES_MIN:
        return []
    found = [reason(code, weight, 0.0, 0.0, weight) for code, weight in sorted(best.items())]
    return [*found, reason("campaign_keys", len(families), FAMILIES_MIN, 0.0, ADMISSION_WEIGHT)]


def _families(weights: dict[str, float]) -> set[str]:
    return {REASONS[code].family for code in weights}
