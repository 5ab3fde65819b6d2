"""What accounts tell the links stage: right hashes, and the same words whether contacts leave alone or in a whole drain."""

import random

import pytest

from guard.engine.accounts import AccountsStage
from guard.engine.contacts import LAG_MAX, LAG_SHARE
from guard.engine.watchlist import key_hash
from guard.events.request import RequestEvent
from guard.state.behaviour import KEYS_MAX
from guard.state.link import KINDS, NETWORK
from guard.units import HOUR_MS, MINUTE_MS, SECOND_MS
from tests.support.contacts import contacts_in
from tests.support.events import T0, crowd, event, in_order, open_control


def _stage() -> AccountsStage:
    return AccountsStage(0, 1, {}, open_control(), is_journaled=False)


def _wanderer(exchanges: int, networks: int) -> list[RequestEvent]:
    """One account on one card that comes from many networks, more than an account's memory holds."""
    dice = random.Random(5)
    return [
        event("nomad", T0 + number * SECOND_MS, payment_fingerprint="card", ip_prefix=f"net-{dice.randrange(networks)}")
        for number in range(exchanges)
    ]


def test_every_contact_carries_the_hash_of_its_own_value() -> None:
    """Hashes are taken from the account's memory, also where it forgets keys as fast as it meets them."""
    stage = _stage()
    for one in _wanderer(exchanges=400, networks=3 * KEYS_MAX):
        stage.take(one, one.event_time)
    told = contacts_in(stage.drain().messages)

    assert {contact.kind for contact in told} >= {NETWORK}
    assert len(told) > KEYS_MAX
    assert all(contact.key == key_hash(KINDS[contact.kind], contact.value) for contact in told)


def test_a_key_is_told_of_with_all_its_uses_in_the_end() -> None:
    """Uses wait for a telling, and none is lost or told twice."""
    stage = _stage()
    same = [event("settled", T0 + number * SECOND_MS, payment_fingerprint="card", ip_prefix="home") for number in range(65)]
    for one in same:
        stage.take(one, one.event_time)
    told = contacts_in(stage.drain().messages)

    uses = {value: sum(contact.uses for contact in told if contact.value == value) for value in ("card", "home")}
    assert uses == {"card": 64, "home": 64}


@pytest.mark.parametrize("among", [8, 16])
def test_a_key_that_comes_and_goes_is_told_of_as_closely_as_one_that_stays(among: int) -> None:
    """It is seldom the key at hand when the account's own steps come round, and may not lag behind more for that."""
    stage, dice, uses, told = _stage(), random.Random(3), 0, 0
    for number in range(1_000):
        prefix = f"own-{dice.randrange(4)}" if dice.randrange(among) else "theirs"
        uses += prefix == "theirs"
        one = event("mixed", T0 + number * MINUTE_MS, prefix=prefix)
        stage.take(one, one.event_time)
        told += sum(contact.uses for contact in contacts_in(stage.drain().messages) if contact.value == "theirs")
        assert uses - told <= min(LAG_MAX, uses * LAG_SHARE)

    assert uses > 50


def test_accounts_say_whether_they_come_in_sittings() -> None:
    """Ten questions a minute apart, twice a day, and as many at any time of the day; of the first few nothing can be said."""
    stage, dice = _stage(), random.Random(4)
    sittings = [T0 + day * 12 * HOUR_MS + number * MINUTE_MS for day in range(6) for number in range(10)]
    any_time = sorted(T0 + dice.randrange(72 * HOUR_MS) for _ in range(60))
    for account, times in (("person", sittings), ("worker", any_time)):
        for number, at in enumerate(times):
            one = event(account, at, prefix=f"own-{account}-{number}")
            stage.take(one, one.event_time)
    told = {(contact.account, contact.value): contact.spread for contact in contacts_in(stage.drain().messages)}

    assert told["person", "own-person-2"] == told["worker", "own-worker-2"] == -1
    assert told["person", "own-person-59"] < 0.2
    assert told["worker", "own-worker-59"] > 0.8


def test_how_an_account_came_before_its_prompt_changed_soon_says_little() -> None:
    """Sixty questions in sittings of somebody's own; then, bought, forty at any time on another prompt."""
    stage, dice = _stage(), random.Random(6)
    sittings = [T0 + day * 12 * HOUR_MS + number * MINUTE_MS for day in range(6) for number in range(10)]
    joined = T0 + 72 * HOUR_MS
    any_time = sorted(joined + dice.randrange(48 * HOUR_MS) for _ in range(40))
    for at in sittings:
        stage.take(event("bought", at, prefix="own"), at)
    for number, at in enumerate(any_time):
        stage.take(event("bought", at, prefix="theirs", ip_prefix=f"net-{number}"), at)
    told = {contact.value: contact.spread for contact in contacts_in(stage.drain().messages)}

    assert told["net-1"] < 0.3
    assert told["net-39"] > 0.6


def test_contacts_that_leave_alone_are_those_of_a_whole_drain() -> None:
    """Where nobody keeps a journal they are handed on by themselves; what is counted waits for the next drain."""
    alone, whole = _stage(), _stage()
    assert alone.drain() == whole.drain()  # nothing, but afterwards nothing else is due either
    left, drained, counted = [], [], 0
    for number, one in enumerate(in_order(crowd(random.Random(2), 60))):
        alone.take(one, one.event_time)
        whole.take(one, one.event_time)
        if number % 7 == 0 and alone.has_contacts_at_most:
            left += alone.drain_contacts()
            outcome = whole.drain()
            drained += outcome.messages
            counted += outcome.tallies.get("events.judged", 0)

    assert left == drained
    assert left
    assert counted + whole.drain().tallies.get("events.judged", 0) == alone.drain().tallies["events.judged"]
