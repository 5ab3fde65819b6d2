"""Rules about a link key: whether it is shared as a pool shares it, or as people, teams and the public do.

Accusation and relief are weighed together: people return within minutes and unevenly, pipelines are heavy-tailed, a pool is
even; what trusted accounts share is public; one organisation may share everything.
"""

from collections.abc import Mapping
from math import log, log2, sqrt
from typing import Final

from msgspec import Struct

from guard.scoring.account_rules import Features, Numbers, reason
from guard.scoring.reasons import Reason
from guard.state.behaviour import DEVOTED_SHARE
from guard.state.link import KeyKind

CROWD_SHARE_MIN: Final = 0.05
"""A crowd's share below this is an accident of a small crowd."""

ONE_SESSION: Final = 2.0
EVEN_ERROR: Final = 2.0
"""What people show at their most even: one session each, of geometric length, has dispersion 1 - 2 / mean uses, and a sample of n such
accounts strays from it by 2 / sqrt(n) (delta method, moments of the exponential)."""
PEOPLE_ERROR: Final = 0.15
"""How surely that is known of people: some crowds do the same thing in the same hour, so a large sample alone proves nothing."""
EVEN_FEW: Final = 12.0
EVEN_MANY: Final = 30.0
"""Up to so few accounts evenness says nothing, from so many all that it can: there are many small keys, and the spread of a dozen accounts is
itself hardly known."""
EVEN_ERRORS_MIN: Final = 1.0
EVEN_ERRORS_ENOUGH: Final = 1.75
"""Standard errors below people from which a key is called even, and at which that counts in full: keys are looked at again and again."""
LATE_KINDS: Final = frozenset({KeyKind.PAYMENT, KeyKind.SHAPE, KeyKind.PARAPHRASE})
LATE_USES_MIN: Final = 12.0
"""Uses per account before these kinds may be called even: teams and labs share a card, and look even in their first minutes; shapes and
paraphrases are told of from their second or third use on, which hides the lower tail."""
EVEN_MAX: Final = 0.65
EVEN_CARD_MAX: Final = 0.2
"""Evenness is a hint on a card: teams balance over their own keys, and a laboratory does the same task."""
SESSIONS_SPREAD: Final = 0.45
STEADY_SPREAD: Final = 0.57
"""Spread up to which callers come in sessions, and from which they do not: ten turns within two slots give 0.2, a night of eight hours off takes a third
from 1."""
SITTING_HOURS: Final = 0.2
"""What the first session fills of the time that an account has had, so much more spread it shows (turns follow within minutes)."""
WHOLE_SHARE: Final = 0.75
"""Devotion from which a key's uses are as good as all that its accounts do: of a session of ten turns it then still carries seven or eight."""
STEADY_DISPERSION: Final = 1.5
"""Programs are even in time but not among each other: the squared CV of the rates of thirty reasoning clients of ServeGen (Apache-2.0) drawn at random is
above 1.55 in 95 % and above 1.29 in 99 % of draws, of its chat clients above 4.04 in 95 % (`python -m tests.bench.dispersion`)."""
TEMPLATE_KINDS: Final = frozenset({KeyKind.PREFIX, KeyKind.SHAPE, KeyKind.PARAPHRASE})
SOFT_CODES: Final[Mapping[KeyKind, tuple[str, float]]] = {
    KeyKind.PREFIX: ("template_lift", 0.5),
    KeyKind.SHAPE: ("template_lift", 0.5),
    KeyKind.PARAPHRASE: ("template_lift", 0.5),
    KeyKind.CLIENT: ("shared_client", 0.35),
    KeyKind.NETWORK: ("shared_network", 0.35),
}
"""Soft links by kind, and the most that each may weigh. Clients and networks caused nearly all impure merges (prototype)."""

STRANGERS_MIN: Final = 12.0
"""Accounts of different principals from which a shared template is worth a look; below, colleagues and friends."""
MEDIAN_STEP: Final = 0.0005
TIMED_SHARE: Final = 0.5

PUBLIC_SHARE: Final = 0.6
"""What is public is used by the trusted about as often as everything else is; it is used unevenly, too: bought old accounts are not."""
RELIEF_PUBLIC: Final = 0.8
RELIEF_TEAM: Final = 0.7
RELIEF_UNEVEN: Final = 0.65
RELIEF_UNSETTLED: Final = 0.4
"""What speaks for a key, as the share of its score that goes: public, one principal's, people's own rhythm, too early."""

SESSIONS_USES: Final = 8.0
SESSIONS_HOURS: Final = 2.0
"""Within one session people are as even as a pool; eight uses, or two hours, are more than one session."""

VOICED_KINDS: Final = TEMPLATE_KINDS | {KeyKind.PAYMENT}
SEVERAL_PRINCIPALS: Final = 2.0
STRANGER_KINDS: Final = TEMPLATE_KINDS | {KeyKind.CLIENT}
SAME_DAY_MIN: Final = 0.02
SAME_DAY_MAX: Final = 0.2
SAME_DAY_PAIRS_MIN: Final = 200
"""A service of fifty days' age has at least the former share of pairs on one day; a fleet's lots cannot pass for more than the latter."""


class Crowd(Struct, array_like=True):
    """What age the shard's accounts are, over all first contacts with cards, templates, clients and networks."""

    known: int = 0
    new: int = 0
    trusted: int = 0
    voice: float = CROWD_SHARE_MIN
    rubric: float = CROWD_SHARE_MIN
    last_account: str = ""
    last_day: int = 0
    day_pairs: int = 0
    same_days: int = 0

    def register(self, account: str, created_day: int) -> None:
        """Hold the day on which an old account was registered against that of the one before: pairs at random."""
        if account == self.last_account:
            return
        self.day_pairs += bool(self.last_account)
        self.same_days += created_day == self.last_day
        self.last_account, self.last_day = account, created_day

    def same_day_share(self) -> float:
        """Share of pairs of old accounts registered on one day, within [0.02, 0.2]."""
        share = self.same_days / self.day_pairs if self.day_pairs >= SAME_DAY_PAIRS_MIN else 0.0
        return min(max(share, SAME_DAY_MIN), SAME_DAY_MAX)

    def hear(self, voice: float, rubric: float) -> None:
        """Take in how often one more account asks for reasoning and for grades: medians, which a fleet cannot move far (Robbins-Monro)."""
        self.voice += MEDIAN_STEP if voice > self.voice else -MEDIAN_STEP
        self.rubric += MEDIAN_STEP if rubric > self.rubric else -MEDIAN_STEP

    def new_share(self, ceiling: float) -> float:
        """Share of new accounts, kept within [0.05, ceiling] so that a fleet's newcomers cannot pass for the crowd's."""
        return min(max(self.new / self.known if self.known else ceiling, CROWD_SHARE_MIN), ceiling)

    def trusted_share(self) -> float:
        """Share of trusted accounts, at least 0.2: a crowd of newcomers only is no crowd to compare with."""
        return max(self.trusted / self.known if self.known else 0.0, 0.2)


def link_evidence(kind: KeyKind, features: Features, crowd: Crowd, numbers: Numbers) -> tuple[list[Reason], float]:
    """Evidence against a key, and the relief (0-1) that speaks for it. Nothing below `key_accounts_min` accounts."""
    if features["accounts"] < numbers["key_accounts_min"]:
        return [], 0.0
    rules = (_new_accounts, _registered_together, _even_rates, _shared, _voices, _rubric)
    evidence = [found for rule in rules if (found := rule(kind, features, crowd, numbers)) is not None]
    return evidence, relief(features, crowd, numbers)


def relief(features: Features, crowd: Crowd, numbers: Numbers) -> float:
    """The strongest of what speaks for the key."""
    found = [0.0]
    dispersion = features.get("dispersion")
    if features.get("principals") == 1.0:
        found.append(RELIEF_TEAM)
    if dispersion is None or not is_settled(features, numbers):
        found.append(RELIEF_UNSETTLED)
    elif dispersion > numbers["even_dispersion_max"]:
        span = numbers["uneven_dispersion_min"] - numbers["even_dispersion_max"]
        unevenness = min(1.0, (dispersion - numbers["even_dispersion_max"]) / max(span, 0.01))
        found.append(RELIEF_UNEVEN * unevenness)
        is_vouched_for = features.get("trusted_share", 0.0) >= PUBLIC_SHARE * crowd.trusted_share()
        if is_vouched_for and features.get("trusted_accounts", 0.0) >= numbers["public_trusted_accounts"]:
            found.append(RELIEF_PUBLIC * unevenness)
    return max(found)


def is_settled(features: Features, numbers: Numbers) -> bool:
    """Enough uses to tell an even pool from people: several sessions' worth, or a few over hours."""
    per_account = features.get("uses_per_account", 0.0)
    if per_account < numbers["key_uses_per_account_min"] or per_account * features["accounts"] < numbers["key_uses_min"]:
        return False
    return per_account >= SESSIONS_USES or features.get("exposure_hours", 0.0) >= SESSIONS_HOURS


def surprise_nats(share: float, expected: float, accounts: float) -> float:
    """How surprising a share is among that many accounts, in nats: n * KL(share || expected)."""
    total = 0.0
    for seen, awaited in ((share, expected), (1.0 - share, 1.0 - expected)):
        if seen > 0:
            total += seen * log(seen / max(awaited, 1e-9))
    return accounts * total


def _surprise(share: float, expected: float, accounts: float, enough_nats: float) -> float:
    """How far a share is beyond chance, 0-1: in full from `enough_nats`, not at all below half of that."""
    nats = surprise_nats(share, expected, accounts)
    return min(1.0, nats / enough_nats) if nats >= enough_nats / 2 else 0.0


def _new_accounts(kind: KeyKind, features: Features, crowd: Crowd, numbers: Numbers) -> Reason | None:
    share = features.get("new_share")
    expected = crowd.new_share(numbers["crowd_new_share_max"])
    if share is None or share <= expected:
        return None
    surprise = _surprise(share, expected, features["aged_accounts"], numbers["surprise_nats"])
    return reason("new_accounts", share, expected, expected, 0.4 * surprise) if surprise else None


def _registered_together(kind: KeyKind, features: Features, crowd: Crowd, numbers: Numbers) -> Reason | None:
    """Accounts of several principals, old when they met the key, yet registered in lots. Who is new when a thing goes viral is left out."""
    share = features.get("same_day_share")
    expected = crowd.same_day_share()
    if kind not in STRANGER_KINDS or share is None or share <= expected or features.get("principals") != SEVERAL_PRINCIPALS:
        return None
    if features["registered"] < STRANGERS_MIN:
        return None
    surprise = _surprise(share, expected, features["registered"], numbers["surprise_nats"])
    return reason("registered_together", share, expected, expected, 0.5 * surprise) if surprise else None


def _even_rates(kind: KeyKind, features: Features, crowd: Crowd, numbers: Numbers) -> Reason | None:
    dispersion, accounts = features.get("dispersion"), features["accounts"]
    if dispersion is None or accounts <= EVEN_FEW or not is_settled(features, numbers) or features.get("timed", 0.0) >= TIMED_SHARE:
        return None
    uses = features["uses_per_account"]
    if kind in LATE_KINDS and (uses < LATE_USES_MIN or features.get("devotion", 1.0) < DEVOTED_SHARE):
        return None
    people = _honest_dispersion(features, numbers) - ONE_SESSION / uses
    error = sqrt(EVEN_ERROR**2 / accounts + PEOPLE_ERROR**2)
    limit = people - EVEN_ERRORS_MIN * error
    if dispersion > limit:
        return None
    surety = min(1.0, (limit - dispersion) / ((EVEN_ERRORS_ENOUGH - EVEN_ERRORS_MIN) * error))
    ground = min(1.0, (accounts - EVEN_FEW) / (EVEN_MANY - EVEN_FEW))
    ceiling = EVEN_CARD_MAX if kind is KeyKind.PAYMENT else EVEN_MAX
    return reason("even_rates", dispersion, limit, people, ceiling * surety * ground)


def _honest_dispersion(features: Features, numbers: Numbers) -> float:
    """What honest callers show at their most even: people who come in sessions the policy's floor, callers without sessions a program's.

    Each use of a key that is but a part of what its accounts do may stand alone in its slot, though they come in sessions: there the accounts tell.
    """
    floor, spread = numbers["even_dispersion_max"], features.get("spread")
    if spread is None:
        return floor
    if features.get("devotion", 1.0) < WHOLE_SHARE:
        spread = min(spread, features.get("callers_spread", spread))
    beyond = spread - SESSIONS_SPREAD - SITTING_HOURS / features["exposure_hours"]
    share = min(1.0, max(0.0, beyond / (STEADY_SPREAD - SESSIONS_SPREAD)))
    return floor + share * max(0.0, STEADY_DISPERSION - floor)


def _shared(kind: KeyKind, features: Features, crowd: Crowd, numbers: Numbers) -> Reason | None:
    accounts = features["accounts"]
    if kind is KeyKind.PAYMENT:
        weight = min(0.6, 0.3 + 0.08 * log2(accounts / numbers["key_accounts_min"]))
        return reason("shared_payment", accounts, numbers["key_accounts_min"], 1.0, weight)
    code, ceiling = SOFT_CODES.get(kind, ("", 0.0))
    if not code:
        return None
    expected = crowd.trusted_share()
    weight = max(_unfamiliar(features, expected, numbers) * ceiling, _strangers(kind, features))
    return reason(code, accounts, numbers["key_accounts_min"], expected, weight) if weight > 0 else None


def _unfamiliar(features: Features, expected: float, numbers: Numbers) -> float:
    """0-1: how surely trusted accounts use the key less than everything else."""
    share = features.get("trusted_share")
    if share is None or share >= expected:
        return 0.0
    return _surprise(share, expected, features["aged_accounts"], numbers["surprise_nats"] / 2)


def _strangers(kind: KeyKind, features: Features) -> float:
    """The weight of a template that many accounts of different principals stand behind, whatever their age."""
    accounts = features["accounts"]
    if kind not in TEMPLATE_KINDS or features.get("principals") != SEVERAL_PRINCIPALS or accounts < STRANGERS_MIN:
        return 0.0
    return min(0.55, 0.35 + 0.05 * log2(accounts / STRANGERS_MIN))


def _voices(kind: KeyKind, features: Features, crowd: Crowd, numbers: Numbers) -> Reason | None:
    voice = features.get("voice")
    if kind not in VOICED_KINDS or voice is None or voice < numbers["elicitation_share"]:
        return None
    return reason("reasoning_elicitation", voice, numbers["elicitation_share"], crowd.voice, 0.55)


def _rubric(kind: KeyKind, features: Features, crowd: Crowd, numbers: Numbers) -> Reason | None:
    rubric = features.get("rubric")
    if rubric is None or rubric < numbers["rubric_share"]:
        return None
    return reason("rubric_grading", rubric, numbers["rubric_share"], crowd.rubric, 0.35)


def payment_rate(rate_rpm: float, limit_rpm: int, accounts: int, numbers: Numbers) -> Reason | None:
    """One card that buys several plans' rate through several accounts; needs the plan limit to be known."""
    if not limit_rpm or accounts < 2:
        return None
    multiple = rate_rpm / limit_rpm
    if multiple < numbers["payment_rate_share"]:
        return None
    return reason("payment_rate", multiple, numbers["payment_rate_share"], 1.0, 0.45)
