"""Who guards the referee: it must see one forward lost, one counted twice, one suspicion or decision that went missing."""

from collections import Counter

import msgspec
import pytest

from guard.decisions.decision import Scope, decode_decision, encode_decision
from guard.engine.accounts import AccountsStage
from guard.engine.campaigns import CampaignsStage
from guard.engine.driver import Forwarded
from guard.engine.links import LinksStage
from guard.engine.stage import Message, Outcome
from guard.engine.watchlist import key_hash
from guard.state.link import KeyKind
from guard.topics import Topic
from tests.crash.engine_referee import judge_state
from tests.crash.engine_state import EngineState, state_of
from tests.crash.load import POOLS
from tests.crash.referee import Record, Verdict
from tests.support.events import T0, open_control

EVENTS = 6_000
EVERY_MS = 1
FLUSH = 200
"""Events between two drains: contacts of one account then travel in several messages."""


class Played:
    """The load of the crash run through the three stages in memory, as one shard; what is written can be tampered with."""

    def __init__(self) -> None:
        control = open_control()
        self.stages = {
            Topic.ACCOUNTS_STATE: AccountsStage(0, 1, {}, control),
            Topic.LINKS_STATE: LinksStage(0, 1, {}, control),
            Topic.CAMPAIGNS_STATE: CampaignsStage(0, 1, {}, control),
        }
        self.state: dict[Topic, dict[bytes, bytes]] = {topic: {} for topic in self.stages}
        self.messages: list[Message] = []
        self.expected: Counter[str] = Counter()

    def play(self, *, lost: int = -1, twice: int = -1, unheard: bool = False) -> Verdict:
        """All events; the forward of this number to the links stage is left out, or arrives again, or no suspicion arrives."""
        forwards = 0
        for begin in range(0, EVENTS, FLUSH):
            for message in self._accounts(begin):
                copies = 0 if forwards == lost else 2 if forwards == twice else 1
                self._step(Topic.LINKS_STATE, message, copies)
                forwards += 1
            for message in self._drain(Topic.LINKS_STATE):
                self._step(Topic.CAMPAIGNS_STATE, message, 0 if unheard else 1)
            self._drain(Topic.CAMPAIGNS_STATE)
        assert forwards > max(lost, twice)
        return self.verdict(self.decisions)

    def _accounts(self, begin: int) -> list[Message]:
        for number, account in list(enumerate(POOLS.accounts(EVENTS, 5)))[begin : begin + FLUSH]:
            self.expected[account] += 1
            value = POOLS.event(number, account, self.expected[account], T0 + number * EVERY_MS)
            self.stages[Topic.ACCOUNTS_STATE].step([Forwarded(Topic.REQUESTS, 0, value, timestamp=T0 + number * EVERY_MS)])
        return self._drain(Topic.ACCOUNTS_STATE)

    def _step(self, stage: Topic, message: Message, copies: int) -> None:
        self.stages[stage].step([Forwarded(message.topic, 0, message.value)] * copies)

    def _drain(self, stage: Topic) -> list[Message]:
        outcome: Outcome = self.stages[stage].drain()
        for key, value in outcome.changes:
            if value is None:
                self.state[stage].pop(key, None)
            else:
                self.state[stage][key] = value
        self.messages += outcome.messages
        return [message for message in outcome.messages if message.topic in {Topic.LINKS, Topic.SUSPICIONS}]

    @property
    def decisions(self) -> list[Record]:
        """The records of the decision topics."""
        return [(0, one.key, one.value) for one in self.messages if one.topic in {Topic.DECISIONS, Topic.SHADOW}]

    @property
    def committed(self) -> EngineState:
        """What the stages have drained."""
        return state_of(1, *(records.items() for records in self.state.values()))

    def verdict(self, decisions: list[Record]) -> Verdict:
        """The referee's word on the state and these decisions."""
        return judge_state(self.committed, self.expected, decisions)


@pytest.fixture
def played() -> Played:
    return Played()


def test_the_referee_finds_nothing_where_nothing_is_wrong(played):
    """A referee that cries wolf would be switched off; and the load has to give it something to look at."""
    verdict = played.play()

    assert verdict.is_clean, verdict
    assert {decode_decision(value).scope for _, _, value in played.decisions} == {Scope.ACCOUNT, Scope.PAYMENT, Scope.CAMPAIGN}
    assert any(memory.link.suspected_accounts for memory in played.committed.links)
    assert played.committed.untold.total() > 0


def test_the_referee_sees_a_forward_that_never_arrived(played):
    """The accounts stage has committed that it told; the links stage must have heard."""
    assert played.play(lost=20).forwards_lost > 0


def test_the_referee_sees_a_forward_that_arrived_twice(played):
    """Counted twice, a shared card looks twice as busy as it is."""
    assert played.play(twice=20).forwards_counted_twice > 0


def test_the_referee_sees_uses_that_are_held_back_for_longer_than_the_steps_allow(played):
    """What waits in an account's record is told later; an account that never tells is as good as one whose tellings are lost."""
    played.play()
    state = played.committed
    card = next(memory.link for memory in state.links if memory.link.kind == KeyKind.PAYMENT and memory.link.suspected_accounts)
    key = key_hash(KeyKind.PAYMENT, card.value)
    use = next(record.behaviour.keys[key] for record in state.accounts if key in record.behaviour.keys)
    card.uses -= use.told
    use.told = 0

    assert judge_state(state, played.expected, played.decisions).forwards_lost > 0


def test_the_referee_sees_an_exchange_that_was_never_counted(played):
    """Sent and not counted, or counted and not sent: both change what an account is judged by."""
    played.play()
    played.expected["rush-0"] += 1
    played.expected["rush-1"] -= 1
    verdict = played.verdict(played.decisions)

    assert (verdict.events_lost, verdict.events_counted_twice) == (1, 1)


def test_the_referee_sees_suspicions_that_never_arrived(played):
    """The links stage does not repeat itself: a suspicion lost is a campaign that is not seen."""
    assert played.play(unheard=True).suspicions_wrong > 0


def test_the_referee_sees_a_decision_written_twice_and_one_whose_words_have_changed(played):
    """A reader that sees one id with two bodies cannot know which of them to obey."""
    played.play()
    first, second, *rest = played.decisions
    changed = msgspec.structs.replace(decode_decision(second[2]), score=0.5)
    verdict = played.verdict([first, first, second, (0, second[1], encode_decision(changed)), *rest])

    assert verdict.decisions_twice == 2
    assert verdict.ids_with_two_bodies == 1


@pytest.mark.parametrize("place", [0, -1])
def test_the_referee_sees_a_decision_that_never_reached_its_topic(played, place):
    """A sanction that only the guard's state knows is one that no gateway obeys, the first as well as the last."""
    played.play()
    decisions = played.decisions
    del decisions[place]
    verdict = played.verdict(decisions)

    assert verdict.decisions_missing == 1


def test_the_referee_sees_a_decision_that_the_state_has_forgotten(played):
    """An order that no state remembers is never renewed, lifted or explained."""
    played.play()
    known = decode_decision(played.decisions[0][2])
    unknown = msgspec.structs.replace(known, subject="nobody", decision_id="d-0")
    decisions = [*played.decisions, (0, unknown.key, encode_decision(unknown))]

    assert played.verdict(decisions).decisions_forgotten == 1
