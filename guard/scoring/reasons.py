"""The closed lists of evidence families and reason codes. Every number that a decision gives as its ground is one of these."""

import enum
from typing import Final, NamedTuple

from msgspec import Struct


class Family(enum.StrEnum):
    """Kinds of evidence that fail independently of one another. A block needs two of them."""

    VOLUME = "volume"
    TIMING = "timing"
    TEMPLATE = "template"
    ELICITATION = "elicitation"
    IDENTITY = "identity"
    NETWORK = "network"
    REPLAY = "replay"
    PIVOT = "pivot"
    DRIFT = "drift"
    LABEL = "label"


CONTENT_FAMILIES: Final = frozenset({Family.TEMPLATE, Family.ELICITATION})
"""What is asked for is a property of the template: the two count as one family for a block (reference: streaming prototype)."""


class Reason(Struct, frozen=True, gc=False):
    """One piece of evidence: what was measured, against which threshold, with which weight (0-1) in the score."""

    code: str
    family: str
    value: float
    threshold: float
    baseline: float
    weight: float


class ReasonCode(NamedTuple):
    """One row of the closed list: the family, what `value` measures, and where the rule comes from."""

    family: Family
    value: str
    source: str


REASONS: Final[dict[str, ReasonCode]] = {
    "instant_maximum": ReasonCode(
        Family.VOLUME,
        "requests per minute of a young account, against its plan limit",
        "CISA AA26-251A (8 Sept 2026): a new subscription at maximum at once, without a ramp",
    ),
    "payment_rate": ReasonCode(
        Family.VOLUME,
        "requests per minute over all accounts of one payment fingerprint, relative to its members' plan limits",
        "CISA AA26-251A: enterprise throughput on small plans",
    ),
    "reasoning_elicitation": ReasonCode(
        Family.ELICITATION,
        "share of exchanges that ask for reasoning to be written out",
        "Anthropic, 23 Feb 2026; removing the chain of thought halves distilled maths (arXiv 2603.07835)",
    ),
    "rubric_grading": ReasonCode(
        Family.ELICITATION,
        "share of exchanges that ask for grades or comparisons",
        "Anthropic, 23 Feb 2026: the model used as reward model",
    ),
    "drift_toward_extraction": ReasonCode(
        Family.DRIFT,
        "how unusual a move from the subject's own past toward the extraction side is, 0-1",
        "boiling-frog poisoning and stolen keys; self-baseline with one-sided change",
    ),
    "unlike_the_crowd": ReasonCode(
        Family.DRIFT, "rank beyond the recent crowd, 0-1, capped below the first rung", "Half-space trees (Tan, Ting, Liu 2011)"
    ),
    "like_known_extraction": ReasonCode(
        Family.DRIFT,
        "probability that the account is one of those that labels and settled campaigns named, capped far below the first rung",
        "logistic regression over the accounts' features (river), taught in the stream",
    ),
    "shared_payment": ReasonCode(
        Family.IDENTITY,
        "accounts of several organisations on one payment fingerprint",
        "Anthropic, 23 Feb 2026: shared payment methods; CISA AA26-251A",
    ),
    "new_accounts": ReasonCode(
        Family.IDENTITY,
        "share of accounts younger than two weeks among those that share the key",
        "CISA AA26-251A: similar registration details",
    ),
    "registered_together": ReasonCode(
        Family.IDENTITY,
        "share of pairs registered on the same day, of accounts that were old when they met the key",
        "CISA AA26-251A: similar registration details; accounts farmed in lots, sold aged",
    ),
    "even_rates": ReasonCode(
        Family.TIMING,
        "dispersion of the sharing accounts' use beyond chance; 0 is a perfect load balancer",
        "Anthropic, 23 Feb 2026: timing that fits load balancing",
    ),
    "alike_callers": ReasonCode(
        Family.TIMING,
        "variance of the logarithm of the pace of the accounts that share the key; people and programs show 0.8 and more",
        "Anthropic, 23 Feb 2026: timing that fits load balancing; ServeGen's clients",
    ),
    "template_lift": ReasonCode(
        Family.TEMPLATE,
        "accounts that share a prompt template beyond what its popularity among trusted accounts explains",
        "Anthropic, 23 Feb 2026: identical patterns over accounts",
    ),
    "shared_client": ReasonCode(
        Family.NETWORK, "accounts that share a rare client fingerprint", "JA4 concentration; TLS impersonation stacks"
    ),
    "shared_network": ReasonCode(
        Family.NETWORK, "accounts that share a network prefix used by hardly anyone else", "proxy networks, one with 20,000 accounts"
    ),
    "foreign_conversation": ReasonCode(
        Family.REPLAY,
        "conversations continued that another account, outside the organisation and card, began",
        "ChinaTalk on transfer stations: balancers rotate in mid-dialogue",
    ),
    "foreign_signature": ReasonCode(
        Family.REPLAY, "reasoning signatures replayed that another account received", "Anthropic threat report, 10 Sept 2026"
    ),
    "hand_over": ReasonCode(
        Family.REPLAY,
        "pairs of accounts, of different organisations and cards, of which one got answered within seconds what the other was refused",
        "CISA AA26-251A: automated failover when blocked; account-pooling proxies that try the next credential after a 429",
    ),
    "release_pivot": ReasonCode(
        Family.PIVOT,
        "share of the key's earlier accounts that asked for a new model within a day of its release, against the crowd's share",
        "Anthropic, 23 Feb 2026: half of the traffic moved to a new model within 24 hours; CISA AA26-251A",
    ),
    "technique_sweep": ReasonCode(
        Family.ELICITATION,
        "share of the exchanges under one template, of strangers, that the model declined",
        "Anthropic, 10 Sept 2026: sweeps of thousands of techniques, of which the winners are scaled",
    ),
    "campaign_keys": ReasonCode(
        Family.IDENTITY,
        "keys of a known campaign that the account carries",
        "hot-standby pools: replacement accounts inherit template and card",
    ),
    "campaign_member": ReasonCode(Family.IDENTITY, "accounts found in one campaign", "linked activity cluster as the unit of analysis"),
    "successors": ReasonCode(
        Family.IDENTITY,
        "accounts that came to a campaign's keys since its members were stopped",
        "hot-standby pools: the first pool banned, the second used within the hour (threat report of September 2026)",
    ),
    "label_extraction": ReasonCode(
        Family.LABEL, "an analyst's label, 1 when present", "labels are wrong about twice in a hundred: no rung alone"
    ),
    "label_benign": ReasonCode(Family.LABEL, "an analyst's label that lowers the score, 1 when present", "contract"),
    "operator_order": ReasonCode(Family.LABEL, "an operator's own order, 1 when present", "policy"),
    "allow_list": ReasonCode(Family.LABEL, "an exemption by policy, certificate or upheld appeal, 1 when present", "contract"),
    "released": ReasonCode(Family.LABEL, "members left when the evidence of a campaign went, accounts", "links are reversible"),
    "idle_throttle": ReasonCode(
        Family.VOLUME,
        "requests per minute and member under a throttle that has stood for long, against half of what it leaves",
        "a throttle that refuses nothing is none",
    ),
    "cap": ReasonCode(
        Family.VOLUME, "sanctions in the last hour, against the cap of the policy", "blast radius: what exceeds it stays in shadow"
    ),
}
"""Reason code -> family, meaning of the value, source."""
