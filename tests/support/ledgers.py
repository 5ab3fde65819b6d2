"""Decisions and results by hand, for figures that one can work out on paper."""

from guard.decisions.decision import Decision
from guard.evaluation.result import RunResult
from guard.units import EventTimeMs


def decision(scope, subject, action, at, members=(), part=0):
    """A decision that lasts a quarter of an hour."""
    return Decision(
        scope=scope, subject=subject, part=part, action=action, issued_at=EventTimeMs(at), expires_at=EventTimeMs(at + 900_000), score=0.9,
        reasons=(), members=members, policy_version=0, model_version="m", origin="automatic", mode="enforce",
    )  # fmt: skip


def result_of(ledger, seed=1, score_of=lambda _: None):
    """What a run that this ledger saw would leave behind."""
    rows = (ledger.accounts(score_of), ledger.campaigns(), ledger.clusters(), ledger.false_positives())
    return RunResult("hand-made", seed, "full", True, "code", ledger.events, 0.0, *rows, {})
