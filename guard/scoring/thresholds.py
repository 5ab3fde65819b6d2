"""The numbers that rules compare with: a closed table of defaults, each with its bounds, unit and reason. A policy may change any of them."""

from typing import Final, NamedTuple


class Threshold(NamedTuple):
    """One number of the policy: default, bounds, unit, and why it is that."""

    name: str
    default: float
    low: float
    high: float
    unit: str
    why: str


_ROWS: Final = (
    Threshold(
        "young_account_days",
        14.0,
        0.5,
        365.0,
        "days",
        "fleets use accounts bought or opened for the purpose; two weeks is one billing half-cycle",
    ),
    Threshold(
        "trusted_account_days",
        60.0,
        1.0,
        3650.0,
        "days",
        "an account that paid two monthly bills vouches for the templates and clients it shares",
    ),
    Threshold(
        "instant_pace_rpm",
        1_200.0,
        10.0,
        1e6,
        "requests per minute",
        "twenty a second from a young account; ServeGen's median API client makes 1.5 a second, a batch of forty comes at ten",
    ),
    Threshold("instant_limit_share", 0.8, 0.1, 2.0, "share of plan limit", "CISA AA26-251A: a new subscription at maximum at once"),
    Threshold("instant_young_days", 3.0, 0.1, 90.0, "days of use", "an honest roll-out ramps over days"),
    Threshold("elicitation_share", 0.5, 0.05, 1.0, "share of exchanges", "half of what is asked; tutoring and audits ask now and then"),
    Threshold("rubric_share", 0.6, 0.05, 1.0, "share of exchanges", "judge batches do the same: alone a hint"),
    Threshold(
        "declined_share",
        0.25,
        0.05,
        1.0,
        "share of exchanges",
        "a search for what gets through; honest customers are declined now and then",
    ),
    Threshold("content_exchanges_min", 24.0, 4.0, 1e6, "exchanges", "two-sided 99 % interval of a share of one half is then +-0.26"),
    Threshold("drift_score", 0.7, 0.1, 1.0, "score", "ranks above 70 % of the way from the crowd's 99th percentile to the unseen"),
    Threshold(
        "key_accounts_min",
        5.0,
        3.0,
        1e5,
        "accounts",
        "below five, family cards and shared laptops; AEGIS's minimum of ten was undercut at five",
    ),
    Threshold(
        "key_uses_per_account_min",
        4.0,
        1.0,
        1e3,
        "exchanges per account",
        "evenness cannot be told from chance earlier (2.5 in the streaming prototype)",
    ),
    Threshold("key_uses_min", 120.0, 10.0, 1e6, "exchanges", "in their first minutes a dozen people are as even as a pool"),
    Threshold(
        "even_dispersion_max",
        0.9,
        0.01,
        2.0,
        "squared coefficient of variation beyond Poisson",
        "people and pipelines are heavy-tailed (sessions of geometric length alone give 1), balancers give near 0, weighted ones some tenths",
    ),
    Threshold(
        "uneven_dispersion_min",
        1.3,
        0.05,
        10.0,
        "squared coefficient of variation beyond Poisson",
        "from here on use looks like people's own",
    ),
    Threshold(
        "surprise_nats",
        13.8,
        3.0,
        60.0,
        "nats",
        "ln(1 / 1e-6): a link is tested again at each arrival, so the error is per link over its life",
    ),
    Threshold("crowd_new_share_max", 0.5, 0.01, 0.9, "share of accounts", "a fleet's own newcomers may not pass for the crowd's"),
    Threshold(
        "public_trusted_accounts",
        12.0,
        2.0,
        1e5,
        "trusted accounts",
        "a key that a dozen trusted accounts share is public: a harness, an SDK, a venue",
    ),
    Threshold(
        "payment_rate_share",
        3.0,
        0.1,
        1e3,
        "multiples of one plan limit",
        "one card that buys more than three times a plan's rate through several accounts",
    ),
    Threshold("campaign_accounts_min", 5.0, 3.0, 1e5, "accounts", "as key_accounts_min"),
    Threshold(
        "campaign_overlap_min",
        0.5,
        0.05,
        1.0,
        "share of the smaller key's accounts",
        "two keys of one pool share most of the smaller one's accounts",
    ),
    Threshold("suspicion_score", 0.4, 0.05, 1.0, "score", "below it a key is not worth telling the campaigns stage"),
)

THRESHOLDS: Final[dict[str, Threshold]] = {row.name: row for row in _ROWS}
"""Every threshold by its name."""

DEFAULTS: Final[dict[str, float]] = {row.name: row.default for row in _ROWS}
"""The built-in policy's numbers."""
