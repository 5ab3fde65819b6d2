"""What the links stage tells the campaigns stage, and when."""

from guard.engine.accounts import AccountsStage
from guard.engine.forwards import Suspicion, decode_tip
from guard.engine.links import LinksStage
from guard.engine.watchlist import key_hash
from guard.scoring.fusion import Verdict
from guard.state.link import KINDS, PREFIX
from guard.topics import Topic
from guard.units import SECOND_MS
from tests.support.contacts import tell
from tests.support.events import T0, event, open_control

VALUE = "one-template"


def _stage_that_knows_a_template() -> LinksStage:
    """Eight accounts have used it, once each."""
    accounts, links = AccountsStage(0, 1, {}, open_control(), is_journaled=False), LinksStage(0, 1, {}, open_control())
    for number in range(8):
        accounts.take(event(f"a{number}", T0 + number * SECOND_MS, prefix=VALUE), T0 + number * SECOND_MS)
    tell(accounts, links)
    links.drain()
    return links


def _told(scores: list[float]) -> list[float]:
    """Those of these scores, judged one after the other, that the campaigns stage hears of."""
    links = _stage_that_knows_a_template()
    memory = links._store.shared(key_hash(KINDS[PREFIX], VALUE))
    assert memory is not None
    for step, score in enumerate(scores):
        links._suspect(memory, Verdict(score, (), 2), T0 + step * SECOND_MS)
    tips = [decode_tip(message.value) for message in links.drain().messages if message.topic is Topic.SUSPICIONS]
    return [tip.score for tip in tips if isinstance(tip, Suspicion)]


def test_a_suspicion_that_hardly_moves_is_not_told_again() -> None:
    """Each telling is a record on a topic: millions of keys would tell at every flush."""
    assert _told([0.42, 0.44, 0.47, 0.44]) == [0.42]


def test_a_suspicion_that_moves_far_is_told_again() -> None:
    """Whoever decides about campaigns would go on with a score that is long wrong."""
    assert _told([0.42, 0.47, 0.53, 0.41]) == [0.42, 0.53, 0.41]


def test_a_suspicion_that_passes_a_rung_is_told_at_once_either_way() -> None:
    """A step less would leave the campaigns stage with the score from below the rung, for as long as the key does not grow."""
    assert open_control().policies.newest.rungs[0].score == 0.7
    assert _told([0.66, 0.69, 0.71, 0.74, 0.69]) == [0.66, 0.71, 0.69]
