"""How high each account and each campaign ever scored: what stands behind a decision, and what stayed below one."""

from collections.abc import Iterable

from guard.decisions.decision import Scope
from guard.evaluation.campaigns import commonest
from guard.evaluation.result import Candidate
from guard.simulation.client import Truth


class Peaks:
    """Hears every verdict. Memory: one number an account that scored, one number and the newest members a campaign.

    An account's score is the highest of its own, its card's and its campaigns', since a decision about any of them reaches it.
    """

    def __init__(self, truths: Iterable[Truth]) -> None:
        self._truths = {truth.account_id: truth for truth in truths}
        self._accounts: dict[str, float] = {}
        self._campaigns: dict[str, tuple[float, tuple[str, ...]]] = {}
        self._newest: dict[str, tuple[float, tuple[str, ...]]] = {}

    def verdict(self, scope: Scope, subject: str, members: Iterable[str], score: float) -> None:
        """One verdict; a campaign's that says what its last one said costs nothing."""
        if scope is Scope.ACCOUNT:
            self._raise((subject,), score)
        elif scope is not Scope.CAMPAIGN:
            self._raise(members, score)
        elif (said := (score, tuple(members))) != self._newest.get(subject):
            self._newest[subject] = said
            self._raise(said[1], score)
            if said[1] and score >= self._campaigns.get(subject, (0.0,))[0]:
                self._campaigns[subject] = said

    def _raise(self, accounts: Iterable[str], score: float) -> None:
        known = self._accounts
        for account in accounts:
            if score > known.get(account, 0.0):
                known[account] = score

    def of(self, account: str) -> float:
        """The account's highest score, 0-1; 0 when nothing ever spoke against it."""
        return self._accounts.get(account, 0.0)

    def candidates(self) -> tuple[Candidate, ...]:
        """Every campaign that was considered, at its highest score, announced or not."""
        return tuple(
            Candidate(subject, score, len(members), commonest(members, self._truths)[1])
            for subject, (score, members) in self._campaigns.items()
        )
