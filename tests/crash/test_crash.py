"""Exactly once, shown by an outsider: workers are killed and stopped, and another client counts what is committed."""

import sys

import pytest

from tests.crash.fleet import RESTART_ME
from tests.crash.harness import Plan, crash_run
from tests.crash.stopped import RESUME_SECONDS_MAX, stopped_run


def test_killed_workers_lose_nothing_and_count_nothing_twice(broker, tmp_path):
    """A sanction rests on counts: one crash must neither forget an exchange nor count it again."""
    outcome = crash_run(broker.bootstrap, Plan(events=40_000, kills=3, seed=20_260), tmp_path / "workers.log")

    assert outcome.verdict.is_clean, outcome.verdict
    assert outcome.is_clean, (outcome, (tmp_path / "workers.log").read_text()[-2_000:])
    assert outcome.counted == 40_000


def test_killed_workers_of_the_guards_own_engine_lose_no_forward_and_no_decision(broker, tmp_path):
    """The toy is exact by design; the guard's records, packed and restored, have to be as exact."""
    outcome = crash_run(broker.bootstrap, Plan(events=20_000, kills=2, seed=41, engine="real"), tmp_path / "workers.log")

    assert outcome.verdict.is_clean, outcome.verdict
    assert outcome.is_clean, (outcome, (tmp_path / "workers.log").read_text()[-2_000:])
    assert outcome.verdict.decisions > 0


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="asks /proc whether a process is stopped")
def test_a_worker_stopped_inside_a_transaction_hinders_nobody_and_is_fenced_when_it_wakes(broker, tmp_path):
    """A machine that hangs is worse than one that dies: it comes back and believes that it still owns its shards."""
    seen = stopped_run(broker.bootstrap, tmp_path / "workers.log")

    assert seen.others_while_stopped > 0
    assert seen.resumed_seconds <= RESUME_SECONDS_MAX
    assert seen.exit_code == RESTART_ME
    assert seen.verdict.is_clean, seen.verdict
