"""Two runs over one world held against each other: who was sanctioned, which campaigns were named, and what sets them apart."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from msgspec import UNSET, Struct

from guard.decisions.decision import Action, Decision, Scope
from guard.policy.policy import LADDER_DEFAULT
from guard.units import MINUTE_MS

SAME_TIME_MS: Final = MINUTE_MS
"""Two runs that sanction an account within a minute of event time did so at the same time: campaigns are judged once a second."""
NEAR: Final = 0.05
"""A score this close to the rung it reached or missed is a matter of the interleaving."""
HALF: Final = 0.5
TAIL_MS: Final = 2 * MINUTE_MS
"""What is first said so shortly before the end of the records is not compared: the run that is behind would say it after the end."""
_RUNG: Final = dict(LADDER_DEFAULT)


class Sanctioned(Struct):
    """What one run ever said against one account, at every scope together."""

    first_at: int
    action: Action = Action.ALLOW
    score: float = 0.0
    """Of the decision with the severest action."""
    own: bool = False
    """It was sanctioned by a decision about itself, not only as a member."""
    campaigns: set[str] = set()

    def take(self, decision: Decision) -> None:
        """One more sanction that reaches the account."""
        action = Action[decision.action.upper()]
        self.action, self.score = max((self.action, self.score), (action, decision.score))
        self.first_at = min(self.first_at, decision.issued_at)
        self.own = self.own or decision.scope == Scope.ACCOUNT
        if decision.scope == Scope.CAMPAIGN:
            self.campaigns.add(decision.subject)


class Run(Struct):
    """The sanctions of one run, by account; and the campaigns in force at its end, with their members."""

    accounts: dict[str, Sanctioned]
    campaigns: dict[str, frozenset[str]]
    ever: dict[str, int]
    """When each campaign there ever was became one."""


def run_of(decisions: Iterable[Decision]) -> Run:
    """What came of a run; `decisions` in the order of their topic, shadow left out."""
    accounts: dict[str, Sanctioned] = {}
    parts: dict[str, dict[int, frozenset[str]]] = {}
    ever: dict[str, int] = {}
    for decision in decisions:
        members = () if decision.members is UNSET else decision.members
        if decision.scope == Scope.CAMPAIGN:
            ever.setdefault(decision.subject, decision.issued_at)
            parts.setdefault(decision.subject, {})[decision.part] = frozenset(members)
        if decision.action == "allow":
            parts.pop(decision.subject if decision.scope == Scope.CAMPAIGN else "", None)
            continue
        for account in (decision.subject,) if decision.scope == Scope.ACCOUNT else members:
            accounts.setdefault(account, Sanctioned(decision.issued_at, campaigns=set())).take(decision)
    return Run(accounts, {name: frozenset().union(*lists.values()) for name, lists in parts.items()}, ever)


class Match(NamedTuple):
    """One campaign of the first run beside the one of the second that shares most of its members."""

    name: str
    other: str
    jaccard: float


class Comparison(Struct):
    """How far two runs agree."""

    both: int
    only_first: int
    only_second: int
    matches: list[Match]
    """Every campaign of either run once; `other` is empty for one without a partner, whose Jaccard is 0."""
    differences: Counter[str]
    """Accounts and campaigns that differ, by kind of difference."""
    delays_ms: list[int]
    """Per account sanctioned in both, rising: by how much event time the first run's first sanction came later."""

    @property
    def agreement(self) -> float:
        """Share of the accounts sanctioned in either run that are sanctioned in both; 1 for none at all."""
        either = self.both + self.only_first + self.only_second
        return self.both / either if either else 1.0

    @property
    def worst_jaccard(self) -> float:
        """Of the campaign that agrees least; 1 without campaigns."""
        return min((match.jaccard for match in self.matches), default=1.0)


def compare(first: Run, second: Run, until: int) -> Comparison:
    """Hold two runs against each other: the accounts and campaigns that one of them at least named before `until`, event time.

    Both runs go on beyond it, so that what comes later in one than in the other is a delay and not a difference.
    """
    matches = [match for match in _matches(first.campaigns, second.campaigns) if _is_settled(match, first, second, until)]
    differences = Counter(_campaign_kind(match, first.campaigns, second.campaigns) for match in matches)
    mine, theirs = _before(first, second, until), _before(second, first, until)
    both = mine.keys() & theirs.keys()
    for account in sorted(mine.keys() | theirs.keys()):
        differences[_account_kind(mine.get(account), theirs.get(account), matches)] += 1
    differences.pop("", None)
    only = (len(mine) - len(both), len(theirs) - len(both))
    delays = sorted(mine[account].first_at - theirs[account].first_at for account in both)
    return Comparison(len(both), *only, matches, differences, delays)


def _before(run: Run, other: Run, until: int) -> dict[str, Sanctioned]:
    """The accounts of `run` that this or the other run sanctioned before `until`."""
    firsts = {account: min(found.first_at, other.accounts.get(account, found).first_at) for account, found in run.accounts.items()}
    return {account: found for account, found in run.accounts.items() if firsts[account] < until}


def _is_settled(match: Match, first: Run, second: Run, until: int) -> bool:
    """A campaign with a partner is, and one without that began before `until`."""
    ever = first.ever if match.name in first.campaigns else second.ever
    return bool(match.other) or ever[match.name] < until


def jaccard(left: frozenset[str], right: frozenset[str]) -> float:
    """Shared members over all members; 1 for two empty sets."""
    return len(left & right) / len(left | right) if left | right else 1.0


def _matches(first: dict[str, frozenset[str]], second: dict[str, frozenset[str]]) -> Iterator[Match]:
    """One to one, the most alike first."""
    alike = sorted(((jaccard(mine, theirs), name, other) for name, mine in first.items() for other, theirs in second.items()), reverse=True)
    left, right = dict(first), dict(second)
    for share, name, other in alike:
        if share > 0 and name in left and other in right:
            del left[name], right[other]
            yield Match(name, other, share)
    for name in (*left, *right):
        yield Match(name, "", 0.0)


def _campaign_kind(match: Match, first: dict[str, frozenset[str]], second: dict[str, frozenset[str]]) -> str:
    if match.jaccard == 1.0:
        return ""
    if match.other:
        return "campaign: other members (Jaccard 0.95 or more)" if match.jaccard >= 0.95 else "campaign: other members (Jaccard below 0.95)"
    mine = first.get(match.name) or second.get(match.name) or frozenset()
    others = second if match.name in first else first
    if any(len(mine & theirs) >= HALF * len(mine) for theirs in others.values()):
        return "campaign: split in one run, one in the other"
    return "campaign: in one run only"


def _account_kind(first: Sanctioned | None, second: Sanctioned | None, matches: list[Match]) -> str:
    if first is not None and second is not None:
        return _both_kind(first, second)
    found = first or second
    assert found is not None, "the account is sanctioned in one of the runs"
    margin = found.score - _RUNG.get(found.action, 0.0)
    word = f"account: in one run only, score {'near' if margin <= NEAR else 'far above'} the rung of its {found.action.word}"
    if found.own or not found.campaigns:
        return f"{word}, {'by itself' if found.own else 'by its payment fingerprint'}"
    matched = {match.name for match in matches if match.other} | {match.other for match in matches}
    return f"{word}, as member of a campaign {'of both runs' if found.campaigns & matched else 'of one run'}"


def _both_kind(first: Sanctioned, second: Sanctioned) -> str:
    if first.action is not second.action:
        severe = max((first, second), key=lambda one: one.action)
        near = "near" if severe.score - _RUNG.get(severe.action, 0.0) <= NEAR else "far above"
        return f"account: another severest action, score {near} the rung"
    return "" if abs(first.first_at - second.first_at) <= SAME_TIME_MS else "account: first sanctioned more than a minute apart"
