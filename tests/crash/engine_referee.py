"""The referee for the guard's own engine: exchanges, forwards and decisions, each counted where it was sent and where it arrived.

How often each link key is used is known in advance from the load. Uses are told in steps: what the links stage has heard, and
what waits in the accounts' records to be told, make up all of them together.
"""

from collections import Counter
from collections.abc import Iterable

from guard.decisions.decision import Decision, decode_decision
from guard.policy.schedule import PolicySchedule
from guard.state.link import KINDS, LinkRecord
from guard.topics import Topic
from tests.crash.engine_state import EngineState, read_state
from tests.crash.pools import uses
from tests.crash.referee import SHARDS, Record, Verdict, committed, differences, judge_ids

SUSPICIOUS = PolicySchedule.builtin(enforce=False).newest.thresholds["suspicion_score"]


def counted(bootstrap: str) -> int:
    """Exchanges that have been counted in the accounts stage, and are with the links stage as far as they have been told."""
    state = read_state(bootstrap, SHARDS)
    paid = sum(count for key, count in (state.heard + state.untold).items() if key in state.cards)
    return min(state.exchanges.total(), paid)


def judge_engine(bootstrap: str, expected: Counter[str]) -> Verdict:
    """Compare what is committed with the events sent per account."""
    records = [*committed(bootstrap, Topic.DECISIONS), *committed(bootstrap, Topic.SHADOW)]
    return judge_state(read_state(bootstrap, SHARDS), expected, records)


def judge_state(state: EngineState, expected: Counter[str], records: list[Record]) -> Verdict:
    """Compare a state and the records of the decision topics with the events sent per account."""
    verdict = Verdict()
    verdict.events_lost, verdict.events_counted_twice = differences(expected, state.exchanges)
    _judge_forwards(verdict, state, expected)
    verdict.suspicions_wrong = sum(_is_told_otherwise(state, memory.link) for memory in state.links)
    seen = judge_ids(verdict, records)
    _judge_decisions(verdict, state, seen, [decode_decision(value) for _, _, value in records if value is not None])
    return verdict


def _judge_forwards(verdict: Verdict, state: EngineState, expected: Counter[str]) -> None:
    """What the links stage has heard and what is yet to be told make up what was sent; and no more waits than the steps allow."""
    lost, twice = differences(uses(expected, state.shards), state.heard + state.untold)
    verdict.forwards_lost, verdict.forwards_counted_twice = lost + state.overdue, twice


def _is_told_otherwise(state: EngineState, link: LinkRecord) -> bool:
    """A suspicion that the links stage remembers as told, and that the campaigns stage does not hold as it was told."""
    if link.suspected_score < SUSPICIOUS:
        return False
    node = state.nodes.get(f"{int(KINDS[link.kind])}:{link.value}")
    told = (link.suspected_accounts, round(link.suspected_uses), link.suspected_score)
    return node is None or (node.suspicion.accounts, node.suspicion.uses, node.suspicion.score) != told


def _judge_decisions(verdict: Verdict, state: EngineState, seen: set[str], decisions: Iterable[Decision]) -> None:
    """Every decision that the state or another decision refers to is on its topic; the newest ones there are those that stand."""
    newest_of: dict[tuple[str, str, str], Decision] = {}
    refers_to: set[str] = set()
    for decision in decisions:
        if isinstance(decision.supersedes, str):
            refers_to.add(decision.supersedes)
        if decision.part == 0:
            newest_of[decision.scope, decision.subject, decision.mode] = decision
    standing = state.standing
    verdict.decisions_missing = len((refers_to | set(standing.values())) - seen)
    for subject, decision in newest_of.items():
        is_over = subject not in standing and decision.action == "allow"  # a campaign that has ended and is forgotten
        verdict.decisions_forgotten += not is_over and standing.get(subject) != decision.decision_id
