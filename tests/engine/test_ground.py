"""What a shard's keys are held against, over a restart in the middle of a release."""

from collections.abc import Iterable

from guard.engine.accounts import AccountsStage
from guard.engine.control import Control
from guard.engine.links import LinksStage
from guard.engine.watchlist import WatchList, key_hash
from guard.events.request import RequestEvent
from guard.policy.labels import LabelBook
from guard.policy.schedule import PolicySchedule
from guard.state.link import KINDS, PREFIX
from guard.state.releases import HEARD_MIN
from guard.units import DAY_MS, SECOND_MS
from tests.support.contacts import tell
from tests.support.events import T0, event, open_control
from tests.support.policies import document

VALUE = "one-template"
ACCOUNTS = 40
RELEASED_AT = T0 + HEARD_MIN * SECOND_MS


def _events() -> Iterable[RequestEvent]:
    """A crowd heard for long enough, then two rounds of forty accounts of a template, of which half move to a new model."""
    for number in range(HEARD_MIN + 1):
        yield event(f"person-{number}", T0 + number * 900, model="m-1", prefix=f"own-{number}")
    for number in range(ACCOUNTS):
        yield event(f"a{number}", RELEASED_AT - SECOND_MS, model="m-1", prefix=VALUE)
    for turn in range(2):
        for number in range(ACCOUNTS):
            at = RELEASED_AT + (ACCOUNTS * turn + number) * SECOND_MS
            yield event(f"a{number}", at, model="m-2" if number % 2 else "m-1", prefix=VALUE, refused=not number % 4)


def _moved(restart_every: int) -> tuple[int, int, float]:
    """Accounts seen since the release, those that moved, and the declined share, of a links stage made anew so often."""
    accounts, records = AccountsStage(0, 1, {}, open_control(), is_journaled=False), dict[bytes, bytes]()
    links = LinksStage(0, 1, dict(records), open_control())
    for taken, one in enumerate(_events(), 1):
        accounts.take(one, one.event_time)
        tell(accounts, links)
        for key, record in links.drain().changes:
            records.pop(key, None)
            if record is not None:
                records[key] = record
        if not taken % restart_every:
            links = LinksStage(0, 1, dict(records), open_control())
    memory = links._store.shared(key_hash(KINDS[PREFIX], VALUE))
    assert memory is not None
    return memory.link.present_seen, memory.link.moved, memory.link.declined


def test_a_release_is_followed_over_restarts_as_without_any() -> None:
    """Who was seen and who moved is kept with each member: counted anew after a restart, all would have moved twice."""
    seen, moved, declined = _moved(restart_every=10_000)
    assert (seen, moved) == (ACCOUNTS, ACCOUNTS // 2)
    assert 0.2 < declined < 0.3
    assert _moved(restart_every=37) == (seen, moved, declined)


def test_the_calendar_of_the_policy_in_force_makes_a_known_model_a_release() -> None:
    """Operators announce a model that some were let try before; a policy that is not in force yet announces nothing."""
    at = T0 + DAY_MS
    releases = [{"model": "m-1", "at": at}]
    policies = PolicySchedule.builtin(enforce=True).with_document(document(mode="enforce", effective_at=at, releases=releases))
    links = LinksStage(0, 1, {}, Control(policies, LabelBook.empty(), WatchList.empty()))
    accounts = AccountsStage(0, 1, {}, open_control(), is_journaled=False)
    begun = []
    for one in [event(f"a{turn}", T0 + turn, model="m-1", prefix=VALUE) for turn in range(6)] + [
        event(f"a{turn}", at + turn, model="m-1", prefix=VALUE) for turn in range(3)
    ]:
        accounts.take(one, one.event_time)
        tell(accounts, links)
        begun.append(links._ground._releases.wave_at)

    assert begun[:6] == [0] * 6
    assert begun[-1] == at
