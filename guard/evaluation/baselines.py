"""What others do, on the same events: B0 a static rate limit, B1 the rules of a public project, B4 cards alone, B5 ungated trees.

Decisions take the guard's own form and times to live, so that only the judgement differs.
"""

import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Set as AbstractSet
from typing import Final

from msgspec import Struct
from river import anomaly, utils

from guard.decisions.decision import Action
from guard.evaluation.judges import Judge, Orderly
from guard.events.request import RequestEvent
from guard.policy.policy import TTL_MS_DEFAULT
from guard.scoring.reasons import Reason
from guard.units import MINUTE_MS

LIMIT_RPM: Final = 60
"""B0: one request a second per account, whatever its plan: a common default of gateways."""

CARD_ACCOUNTS_MIN: Final = 5
"""B4: a family shares a card among fewer; the fleets of the threat reports put dozens on one."""

TREE_RANK: Final = 0.999
TREE_CROWD: Final = 5_000
"""B5: raw scores mean nothing alone; a throttle from this rank among the last scores on."""


def _reason(code: str, value: float, threshold: float) -> Reason:
    return Reason(code, "baseline", value, threshold, 0.0, 1.0)


class RateLimit(Orderly):
    """B0. Remembers each account's requests of its current minute."""

    def __init__(self) -> None:
        super().__init__()
        self._minutes: dict[str, tuple[int, int]] = {}

    def take(self, event: RequestEvent, appended_at: int) -> None:
        """Throttle whoever goes beyond the limit within a minute."""
        del appended_at
        minute, count = self._minutes.get(event.account_id, (0, 0))
        now = event.event_time // MINUTE_MS
        count = count + 1 if now == minute else 1
        self._minutes[event.account_id] = (now, count)
        if count == LIMIT_RPM + 1:
            self._order(event.account_id, Action.THROTTLE, event.event_time, _reason("rate_limit", count, LIMIT_RPM), LIMIT_RPM)


class _Profile(Struct):
    """What B1 counts of an account."""

    prompts: int = 0
    elicited: int = 0
    shapes: Counter[str] = Counter()
    places: set[str] = set()
    flagged_until: int = 0

    def points(self) -> float:
        """The public project's sum of points, 0-1.05."""
        top = max(self.shapes.values(), default=0)
        return (
            0.3 * (self.prompts > 100)
            + 0.25 * (top > 0.3 * self.prompts)
            + 0.35 * (self.elicited > 0.6 * self.prompts)
            + 0.15 * (len(self.places) > 5)
        )


class Rules(Orderly):
    """B1: an account is blocked at 0.6 points; blocked accounts that overlap by more than 0.7 in structures become a cluster.

    Memory: at most `SHAPES_MAX` structures and `PLACES_MAX` addresses an account, `FLAGGED_MAX` accounts compared.
    """

    POINTS: Final = 0.6
    OVERLAP: Final = 0.7
    SHAPES_MAX: Final = 256
    PLACES_MAX: Final = 64
    FLAGGED_MAX: Final = 2_000

    def __init__(self) -> None:
        super().__init__()
        self._profiles: dict[str, _Profile] = {}
        self._clusters: list[list[str]] = []
        self._flagged: dict[str, int] = {}

    def take(self, event: RequestEvent, appended_at: int) -> None:
        """Count an answered prompt, and block its account when the points suffice."""
        del appended_at
        if event.was_refused_by_guard:
            return
        profile = self._profiles.setdefault(event.account_id, _Profile(shapes=Counter(), places=set()))
        profile.prompts += 1
        profile.elicited += (event.reasoning_elicitation or 0.0) > 0.5
        shape = event.shape or event.prefix
        if shape is not None and (shape in profile.shapes or len(profile.shapes) < self.SHAPES_MAX):
            profile.shapes[shape] += 1
        if event.ip is not None and len(profile.places) < self.PLACES_MAX:
            profile.places.add(event.ip)
        if event.event_time >= profile.flagged_until and (points := profile.points()) >= self.POINTS:
            profile.flagged_until = event.event_time + TTL_MS_DEFAULT[Action.BLOCK]
            reason = _reason("points", points, self.POINTS)
            self._order(event.account_id, Action.BLOCK, event.event_time, reason)
            self._cluster(event.account_id, profile, event.event_time, reason)

    def _cluster(self, account: str, profile: _Profile, at: int, reason: Reason) -> None:
        if account in self._flagged or len(self._flagged) >= self.FLAGGED_MAX:
            return
        for other, index in self._flagged.items():
            if _overlap(profile.shapes.keys(), self._profiles[other].shapes.keys()) > self.OVERLAP:
                self._flagged[account] = index
                self._clusters[index].append(account)
                self._order_all(f"b1-{index}", self._clusters[index], Action.BLOCK, at, reason)
                return
        self._flagged[account] = len(self._clusters)
        self._clusters.append([account])


def _overlap(one: AbstractSet[str], other: AbstractSet[str]) -> float:
    return len(one & other) / len(one | other) if one or other else 0.0


class Cards(Orderly):
    """B4: accounts united by their cards; a union of `CARD_ACCOUNTS_MIN` or more is blocked, whatever its members do.

    Memory: one entry an account and a card.
    """

    def __init__(self) -> None:
        super().__init__()
        self._parents: dict[str, str] = {}
        self._members: dict[str, list[str]] = {}
        self._until: dict[str, int] = {}

    def take(self, event: RequestEvent, appended_at: int) -> None:
        """Unite the account with its card, and block the union when it is large, has grown or its block has ended."""
        del appended_at
        if event.payment_fingerprint is None:
            return
        root, has_grown = self._unite(event.account_id, f"card {event.payment_fingerprint}")
        members = self._members[root]
        if len(members) < CARD_ACCOUNTS_MIN or not (has_grown or event.event_time >= self._until.get(root, 0)):
            return
        self._until[root] = event.event_time + TTL_MS_DEFAULT[Action.BLOCK]
        self._order_all(f"b4-{root}", members, Action.BLOCK, event.event_time, _reason("card_union", len(members), CARD_ACCOUNTS_MIN))

    def _unite(self, account: str, card: str) -> tuple[str, bool]:
        is_new = account not in self._parents
        if is_new:
            self._parents[account] = account
            self._members[account] = [account]
        if card not in self._parents:
            self._parents[card] = card
            self._members[card] = []
        one, other = sorted((self._root(account), self._root(card)), key=lambda root: -len(self._members[root]))
        if one == other:
            return one, is_new
        self._parents[other] = one
        self._members[one] += self._members.pop(other)
        return one, True

    def _root(self, node: str) -> str:
        while (parent := self._parents[node]) != node:
            self._parents[node] = self._parents[parent]
            node = parent
        return node


class Trees(Orderly):
    """B5: half-space trees over all traffic, learning from everything they see; whoever ranks beyond the crowd is throttled."""

    def __init__(self, seed: int = 1) -> None:
        super().__init__()
        self._trees = anomaly.HalfSpaceTrees(n_trees=10, height=8, window_size=250, seed=seed)
        self._ranked = utils.SortedWindow(TREE_CROWD)
        self._times: dict[str, int] = {}
        self._until: dict[str, int] = {}

    def take(self, event: RequestEvent, appended_at: int) -> None:
        """Score the exchange, learn it whatever it is, and throttle its account when it ranks beyond `TREE_RANK`."""
        del appended_at
        features = self._features(event)
        score = self._trees.score_one(features)
        self._trees.learn_one(features)
        rank = bisect_left(self._ranked, score) / len(self._ranked) if len(self._ranked) == TREE_CROWD else 0.0
        self._ranked.append(score)
        if rank >= TREE_RANK and event.event_time >= self._until.get(event.account_id, 0):
            self._until[event.account_id] = event.event_time + TTL_MS_DEFAULT[Action.THROTTLE]
            self._order(event.account_id, Action.THROTTLE, event.event_time, _reason("tree_rank", rank, TREE_RANK))

    def _features(self, event: RequestEvent) -> dict[str, float]:
        gap_ms = event.event_time - self._times.get(event.account_id, event.event_time - 10 * MINUTE_MS)
        self._times[event.account_id] = event.event_time
        return {
            "input": min(1.0, math.log1p(event.input_tokens) / 14),
            "output": min(1.0, math.log1p(event.output_tokens) / 12),
            "gap": min(1.0, math.log1p(max(0, gap_ms)) / 18),
            "elicitation": event.reasoning_elicitation or 0.0,
            "rubric": event.rubric_grading or 0.0,
            "messages": min(1.0, math.log1p(event.messages or 0) / 6),
        }


BASELINES: Final[dict[str, type[RateLimit | Rules | Cards | Trees]]] = {"B0": RateLimit, "B1": Rules, "B4": Cards, "B5": Trees}
"""The baselines by the names of the protocol. B2 and B3 need image distances and prompt texts, which no event carries."""

WHAT: Final = {
    "B0": f"a rate limit of {LIMIT_RPM} requests a minute for each account",
    "B1": "the rules of a public project: points for volume, repeated shapes, elicitation and addresses",
    "B4": f"accounts united by their cards, blocked from {CARD_ACCOUNTS_MIN} on",
    "B5": "half-space trees over all traffic, learning from everything",
}
"""What each is, for readers of a report."""


def baseline(name: str) -> Judge:
    """A fresh baseline by its name in `BASELINES`."""
    return BASELINES[name]()
