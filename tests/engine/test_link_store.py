"""What a links shard remembers is bounded, and the oldest gives way: over a restart as well."""

from guard.engine.first_record import First
from guard.engine.forwards import Contact, Turn
from guard.engine.link_store import LinkStore
from guard.state.link import CONVERSATION, SHAPE
from tests.support.contacts import contact
from tests.support.events import T0


def _contact(key: int) -> Contact:
    return contact(SHAPE, key, f"s{key}", "a", T0 + key)


def _turn(key: int) -> Turn:
    return Turn(CONVERSATION, key, "a", T0 + key, True, "card|")


def _kept(store: LinkStore) -> tuple[list[int], list[int]]:
    keys = range(12)
    return [key for key in keys if store.first(SHAPE, key, f"s{key}") is not None], [key for key in keys if store.owner(key) is not None]


def _remember(store: LinkStore, keys: range) -> None:
    for key in keys:
        store.remember_first(First(_contact(key)))
        store.remember_owner(_turn(key))


def test_the_oldest_first_contact_and_conversation_give_way() -> None:
    """Nearly every key stays one account's for ever: what is not bounded fills the shard."""
    store = LinkStore({}, firsts_max=4, owners_max=3)
    _remember(store, range(8))

    assert _kept(store) == ([4, 5, 6, 7], [5, 6, 7])


def test_what_gave_way_is_gone_from_the_records_and_the_rest_keeps_its_order() -> None:
    """A shard that recovers goes on forgetting where it was."""
    store = LinkStore({}, firsts_max=4, owners_max=3)
    _remember(store, range(8))
    records = {key: record for key, record in store.drain() if record is not None}
    recovered = LinkStore(records, firsts_max=4, owners_max=3)
    _remember(recovered, range(8, 10))

    assert _kept(recovered) == ([6, 7, 8, 9], [7, 8, 9])


def test_a_key_that_became_shared_makes_room() -> None:
    """Its memory holds what the first contact said."""
    store = LinkStore({}, firsts_max=4)
    _remember(store, range(4))
    store.forget_first(SHAPE, 2)
    _remember(store, range(4, 6))

    assert _kept(store)[0] == [1, 3, 4, 5]
