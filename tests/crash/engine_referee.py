"""The referee for the guard's own engine: exchanges per account as sent, and no decision seen twice or with two bodies."""

from collections import Counter

from guard.engine.account_record import restore_account
from guard.engine.accounts import ACCOUNT_PREFIX
from guard.topics import Topic
from tests.crash.referee import Verdict, committed, differences, judge_ids


def exchanges(bootstrap: str) -> dict[str, int]:
    """Exchanges of each account, from the committed state."""
    newest: dict[bytes, bytes] = {}
    for _, key, value in committed(bootstrap, Topic.ACCOUNTS_STATE):
        assert key is not None
        if value is None:
            newest.pop(key, None)
        elif key.startswith(ACCOUNT_PREFIX):
            newest[key] = value
    names = {key: key.removeprefix(ACCOUNT_PREFIX).decode() for key in newest}
    return {names[key]: restore_account(value, names[key]).behaviour.exchanges for key, value in newest.items()}


def counted(bootstrap: str) -> int:
    """Exchanges in the committed state."""
    return sum(exchanges(bootstrap).values())


def judge_engine(bootstrap: str, expected: Counter[str]) -> Verdict:
    """Compare what is committed with the events sent per account."""
    verdict = Verdict()
    verdict.events_lost, verdict.events_counted_twice = differences(expected, exchanges(bootstrap))
    records = [*committed(bootstrap, Topic.DECISIONS), *committed(bootstrap, Topic.SHADOW)]
    judge_ids(verdict, records)
    return verdict
