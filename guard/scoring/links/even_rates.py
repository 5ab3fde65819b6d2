"""Even rates: accounts that use a key as evenly as a balancer lets them, and as no people and no programs of their own do."""

from math import sqrt
from typing import Final, NamedTuple

from guard.scoring.account_rules import Features, Numbers, reason
from guard.scoring.links.crowd import Crowd
from guard.scoring.links.sessions import callers_steadiness, steadiness
from guard.scoring.links.settled import is_settled
from guard.scoring.ramp import ramp
from guard.scoring.reasons import Reason
from guard.state.behaviour import DEVOTED_SHARE
from guard.state.link import KeyKind

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
SHAPE_SHARE_MIN: Final = 0.1
"""A pool deals out several wordings, each a part of what its accounts ask: a shape counts the more, the larger its part."""
THIN_SHARE: Final = 0.1
THICK_SHARE: Final = 0.3
"""Devotion up to which a key is hardly used, and from which its own uses speak for themselves."""
MIXED_SCATTER: Final = 0.45
APART_SCATTER: Final = 0.7
"""Variance of the logarithm of the callers' pace up to which they may be a pool that does other things as well, and from which they are not: ServeGen's
clients have 0.8 and more (squared CV above 1.23 in 99 % of draws of thirty), less what a sample errs by."""
EVEN_MAX: Final = 0.65
EVEN_HINT_MAX: Final = 0.3
"""Of callers who come in sessions: a hackathon or a class may be alike by the occasion."""
DEALT_ERRORS: Final = 4.0
"""Standard errors below independent callers of one and the same rate (Poisson; sqrt(2 / n) / mean) from which the uses were dealt out in turn."""
EVEN_CARD_MAX: Final = 0.2
"""Evenness is a hint on a card: teams balance over their own keys, and a laboratory does the same task."""
FIRST_SITTING_HOURS: Final = 1.0
"""Until then callers without pauses are people who have not got up yet, as far as anybody can tell: half of the coding agents' streams last an hour
(WEKA)."""
STEADY_DISPERSION: Final = 1.5
"""Programs are even in time but not among each other: the squared CV of the rates of thirty reasoning clients of ServeGen (Apache-2.0) drawn at random is
above 1.55 in 95 % and above 1.23 in 99 % of draws, of its chat clients above 4.00 in 95 % (`python -m tests.bench.dispersion`)."""
SITTING_DISPERSION: Final = 0.7
SITTING_ERROR: Final = 0.7
"""Within their first sitting, which most have not ended yet, people are more even: sessions of coding agents (WEKA, Apache-2.0) begun together show
after five to twenty minutes, thirty at a time, a median of 0.67 to 0.74 with `ONE_SESSION`, above 0.46 in 95 % and above 0.39 in 99 % of draws
(`python -m tests.bench.dispersion`): 0.7 / sqrt(n) below the median are one standard error."""
TIMED_SHARE: Final = 0.25


def even_rates(kind: KeyKind, features: Features, crowd: Crowd, numbers: Numbers) -> Reason | None:
    """Dispersion of use per account below what people, or programs, show at their most even. Nothing for timers and small groups."""
    dispersion, accounts = features.get("dispersion"), features["users"]
    if dispersion is None or accounts <= EVEN_FEW or not is_settled(features, numbers) or features.get("timed", 0.0) >= TIMED_SHARE:
        return None
    told = _told_share(kind, features)
    if told <= 0.0:
        return None
    uses = features["uses_per_account"]
    honest = _honest(features, numbers)
    people = honest.dispersion - ONE_SESSION / uses
    error = sqrt(honest.error**2 / accounts + PEOPLE_ERROR**2)
    limit = people - EVEN_ERRORS_MIN * error
    if dispersion > limit:
        return None
    surety = ramp(limit - dispersion, 0.0, (EVEN_ERRORS_ENOUGH - EVEN_ERRORS_MIN) * error)
    ground = ramp(accounts, EVEN_FEW, EVEN_MANY)
    ceiling = EVEN_CARD_MAX if kind is KeyKind.PAYMENT else _ceiling(features)
    return reason("even_rates", dispersion, limit, people, ceiling * surety * ground * told * _borne_out(features))


def _borne_out(features: Features) -> float:
    """0-1: how far the callers bear out a key that is but a part of what they do: who used it once or twice looks even, whatever the pace.

    Callers in sessions do other things as well, which says nothing of the key; programs that call at any time at paces of their own do.
    """
    thin = 1.0 - ramp(features.get("devotion", 1.0), THIN_SHARE, THICK_SHARE)
    return 1.0 - thin * callers_steadiness(features) * ramp(features.get("callers_scatter", 0.0), MIXED_SCATTER, APART_SCATTER)


def _told_share(kind: KeyKind, features: Features) -> float:
    """0-1: how far the uses that were told of show how the accounts use the key."""
    if kind not in LATE_KINDS:
        return 1.0
    if features["uses_per_account"] < LATE_USES_MIN:
        return 0.0
    least = SHAPE_SHARE_MIN if kind is KeyKind.SHAPE else DEVOTED_SHARE - 1e-9
    return ramp(features.get("devotion", 1.0), least, DEVOTED_SHARE)


def _ceiling(features: Features) -> float:
    """The most that evenness may weigh: a hint of callers who come in sessions; in full of those who do not, or whose uses were dealt out in turn.

    Callers in their first sitting were held against real first sittings (`_honest`).
    """
    accounts, uses = features["users"], features["uses_per_account"]
    is_dealt = uses >= LATE_USES_MIN and features["dispersion"] <= -DEALT_ERRORS * sqrt(2.0 / accounts) / uses
    if is_dealt or features["exposure_hours"] < FIRST_SITTING_HOURS:
        return EVEN_MAX
    return EVEN_HINT_MAX + (EVEN_MAX - EVEN_HINT_MAX) * steadiness(features)


class _Honest(NamedTuple):
    """The squared CV of honest callers at their most even, and the standard error of that of a sample of n, times the root of n."""

    dispersion: float
    error: float


def _honest(features: Features, numbers: Numbers) -> _Honest:
    """What honest callers show at their most even: people in their first sitting, people who come in sessions, or programs without any."""
    floor, steady = numbers["even_dispersion_max"], steadiness(features)
    if steady == 0.0 and features["exposure_hours"] < FIRST_SITTING_HOURS:
        return _Honest(min(floor, SITTING_DISPERSION), SITTING_ERROR)
    return _Honest(floor + steady * max(0.0, STEADY_DISPERSION - floor), EVEN_ERROR)
