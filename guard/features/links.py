"""The features of a link key: who shares it, how new they are, how evenly they use it, what they ask for."""

from typing import Final

from guard.features.table import Feature
from guard.state.link import SEVERAL, LinkRecord
from guard.state.releases import RELEASE_MS
from guard.units import SECOND_MS


def _accounts(link: LinkRecord, at: int) -> float | None:
    return link.adherents


def _devotion(link: LinkRecord, at: int) -> float | None:
    return link.devotion


def _uses_per_account(link: LinkRecord, at: int) -> float | None:
    use = link.shown(at)
    return use.uses / use.accounts if use.accounts else None


def _users(link: LinkRecord, at: int) -> float | None:
    return min(link.adherents, float(link.shown(at).accounts))


def _dispersion(link: LinkRecord, at: int) -> float | None:
    return link.shown(at).dispersion


def _spread(link: LinkRecord, at: int) -> float | None:
    return link.shown(at).spread(at)


def _exposure_hours(link: LinkRecord, at: int) -> float | None:
    return link.shown(at).exposure_hours(at)


def _new_share(link: LinkRecord, at: int) -> float | None:
    return link.new_mass / link.aged_mass if link.aged_mass > 0 else None


def _trusted_share(link: LinkRecord, at: int) -> float | None:
    return link.trusted_mass / link.aged_mass if link.aged_mass > 0 else None


def _aged_accounts(link: LinkRecord, at: int) -> float | None:
    return link.adherents * link.aged_mass / link.mass if link.mass > 0 else None


def _trusted_accounts(link: LinkRecord, at: int) -> float | None:
    return link.adherents * link.trusted_mass / link.mass if link.mass > 0 else None


def _voice(link: LinkRecord, at: int) -> float | None:
    return link.voice if link.tellings else None


def _rubric(link: LinkRecord, at: int) -> float | None:
    return link.rubric if link.tellings else None


def _same_day_share(link: LinkRecord, at: int) -> float | None:
    return link.same_day / (link.registered * (link.registered - 1)) if link.registered > 1 else None


def _registered(link: LinkRecord, at: int) -> float | None:
    return float(link.registered)


def _timed(link: LinkRecord, at: int) -> float | None:
    return link.timed if link.timings else None


def _callers_spread(link: LinkRecord, at: int) -> float | None:
    return link.callers_spread if link.callers else None


def _callers_scatter(link: LinkRecord, at: int) -> float | None:
    return link.callers_scatter if link.callers >= SCATTER_TELLINGS_MIN else None


def _principals(link: LinkRecord, at: int) -> float | None:
    if _is_one(link.organisation, link.organisationless, link) or (link.card != link.value and _is_one(link.card, link.cardless, link)):
        return 1.0
    return 2.0 if link.organisation or link.card else None


def _taken_over(link: LinkRecord, at: int) -> float | None:
    return float(link.taken_over)


def _takers(link: LinkRecord, at: int) -> float | None:
    return link.takers_total


def _present_seen(link: LinkRecord, at: int) -> float | None:
    return float(link.present_seen) if link.present_seen else None


def _moved_share(link: LinkRecord, at: int) -> float | None:
    return link.moved / link.present_seen if link.present_seen and at <= link.release_s * SECOND_MS + RELEASE_MS else None


def _answers(link: LinkRecord, at: int) -> float | None:
    return float(link.answers) if link.answers else None


def _declined_share(link: LinkRecord, at: int) -> float | None:
    return link.declined if link.answers else None


def _hands(link: LinkRecord, at: int) -> float | None:
    return link.hands_total


def _refused(link: LinkRecord, at: int) -> float | None:
    return float(max(link.refused, link.taken_over)) if link.refused else None


def _is_one(principal: str, nameless: int, link: LinkRecord) -> bool:
    """One principal behind all but the few accounts that did not show theirs: events lack a field now and then."""
    return principal not in {"", SEVERAL} and nameless <= NAMELESS_MAX * link.accounts


SCATTER_TELLINGS_MIN: Final = 30
"""Tellings by accounts of known pace: the variance of thirty is known to a quarter."""
NAMELESS_MAX: Final = 0.25


LINK_FEATURES: Final = (
    Feature(
        "accounts", "accounts, effective", 0.0, 1e9, "a pool stands behind its keys in earnest", "Kish 1965; AA26-251A", 0.1, _accounts
    ),
    Feature("aged_accounts", "accounts whose age is known", 0.0, 1e9, "ground of the shares", "contact", 0.1, _aged_accounts),
    Feature(
        "trusted_accounts", "trusted accounts", 0.0, 1e9, "what trusted accounts share is public", "civitai #4625", 0.1, _trusted_accounts
    ),
    Feature(
        "devotion", "share of an adherent's exchanges", 0.0, 1.0, "people try a prompt, a pool lives by it", "Kish 1965", 0.1, _devotion
    ),
    Feature("users", "of them, those that evenness is of", 0.0, 1e9, "ground of evenness", "as accounts", 0.1, _users),
    Feature("uses_per_account", "exchanges per account", 0.0, 1e9, "ground of evenness", "streaming prototype", 0.1, _uses_per_account),
    Feature(
        "dispersion",
        "squared CV beyond Poisson",
        -1.0,
        1e6,
        "balancers are even, people are not",
        "SynchroTrap, CCS 2014",
        0.2,
        _dispersion,
    ),
    Feature(
        "exposure_hours",
        "hours since the mean account joined",
        0.0,
        1e6,
        "people come in sessions",
        "sessions of a crowd",
        0.1,
        _exposure_hours,
    ),
    Feature(
        "spread", "share of the slots of use at random", 0.0, 10.0, "sessions leave slots empty", "SynchroTrap, CCS 2014", 0.2, _spread
    ),
    Feature(
        "callers_spread",
        "share of the slots of calls at random",
        0.0,
        1.0,
        "people come and go",
        "SynchroTrap, CCS 2014",
        0.1,
        _callers_spread,
    ),
    Feature(
        "callers_scatter",
        "variance of the logarithm of the callers' pace",
        0.0,
        100.0,
        "a balancer's accounts are alike whatever they ask",
        "ServeGen",
        0.1,
        _callers_scatter,
    ),
    Feature("new_share", "share of accounts of known age", 0.0, 1.0, "fleets are new", "AA26-251A", 0.1, _new_share),
    Feature(
        "trusted_share", "share of accounts of known age", 0.0, 1.0, "the crowd vouches", "Radar: cards seen before", 0.1, _trusted_share
    ),
    Feature("voice", "mean elicitation share of the accounts", 0.0, 1.0, "one voice per account", "arXiv 2603.07835", 0.1, _voice),
    Feature("rubric", "mean rubric share of the accounts", 0.0, 1.0, "the model as reward model", "Anthropic, 23 Feb 2026", 0.1, _rubric),
    Feature(
        "registered",
        "accounts with a known day of registration, old at their first use",
        0.0,
        1e9,
        "ground of the next",
        "contact",
        0.1,
        _registered,
    ),
    Feature(
        "same_day_share",
        "share of their pairs registered on one day",
        0.0,
        1.0,
        "stocks of accounts are registered in lots and bought old",
        "CISA AA26-251A; SynchroTrap, CCS 2014",
        0.1,
        _same_day_share,
    ),
    Feature(
        "timed",
        "share of the accounts that call by a timer",
        0.0,
        1.0,
        "timers are even without a balancer",
        "hard negative N7",
        0.1,
        _timed,
    ),
    Feature(
        "principals",
        "1 for one organisation or card, 2 for more",
        1.0,
        2.0,
        "a team may share everything",
        "hard negatives N4, N11",
        0.1,
        _principals,
    ),
    Feature("refused", "requests refused to their account", 0.0, 1e9, "ground of the next", "status", 0.1, _refused),
    Feature(
        "taken_over",
        "of these, answered to a stranger's account within seconds",
        0.0,
        1e9,
        "a pool fails over to a sibling",
        "CISA AA26-251A; failover of account-pooling proxies",
        0.1,
        _taken_over,
    ),
    Feature(
        "takers",
        "different pairs of accounts in these",
        0.0,
        1e9,
        "people have one spare account, a pool has many siblings",
        "account-pooling proxies",
        0.2,
        _takers,
    ),
    Feature(
        "hands",
        "different accounts in these",
        0.0,
        1e9,
        "whose public harness a pool uses, too, has no part in it",
        "account-pooling proxies",
        0.3,
        _hands,
    ),
    Feature(
        "present_seen",
        "accounts of before a release, seen within its day",
        0.0,
        1e9,
        "ground of the next",
        "contact",
        0.1,
        _present_seen,
    ),
    Feature(
        "moved_share",
        "share of these that asked for the new model; missing after the day",
        0.0,
        1.0,
        "fleets move within a day of a release",
        "Anthropic, 23 Feb 2026: half of the traffic moved within 24 hours",
        0.2,
        _moved_share,
    ),
    Feature(
        "answers", "exchanges of which it is known whether the model declined", 0.0, 256.0, "ground of the next", "contact", 0.1, _answers
    ),
    Feature(
        "declined_share",
        "share of these that it declined",
        0.0,
        1.0,
        "a search for what gets through is declined often",
        "Anthropic, 10 Sept 2026: sweeps of thousands of techniques",
        0.1,
        _declined_share,
    ),
)
"""Read when a key's accounts or uses have grown; about 3 us together."""
