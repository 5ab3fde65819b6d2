"""A card of one account: kept small until it is shared or has been used for a while, and nothing said of it is lost meanwhile."""

import json
from copy import copy

from guard.engine.control import Control
from guard.engine.first_record import First
from guard.engine.link_record import LinkMemory
from guard.engine.link_store import LinkStore
from guard.engine.links import LinksStage
from guard.engine.payments import PAST_AFTER
from guard.engine.watchlist import key_hash
from guard.state.link import NETWORK, PAYMENT
from guard.units import DAY_MS, HOUR_MS, MINUTE_MS
from tests.support.contacts import contact
from tests.support.events import T0, open_control

CARD = "k1:card"
KEY = key_hash(PAYMENT, CARD)


def _stage(records: dict[bytes, bytes] | None = None) -> LinksStage:
    return LinksStage(0, 1, {} if records is None else records, open_control())


def _use(stage: LinksStage, account: str, told: int, uses: int) -> None:
    stage.take(contact(PAYMENT, KEY, CARD, account, T0 + told * MINUTE_MS, told, uses))


def _memory(stage: LinksStage) -> LinkMemory | None:
    return stage._store.shared(KEY)


def _recovered(stage: LinksStage) -> LinksStage:
    return _stage({key: value for key, value in stage.drain().changes if value is not None})


def test_a_card_that_one_account_has_hardly_used_has_no_memory_of_its_own() -> None:
    """Nearly every card is one account's: a million of them would take as much as all accounts."""
    stage = _stage()
    _use(stage, "alice", 0, PAST_AFTER)

    assert _memory(stage) is None
    assert stage.subjects == 1


def test_one_that_is_used_for_a_while_has_with_all_its_uses() -> None:
    """Its own past begins there, as an account's does."""
    stage = _stage()
    for told in range(PAST_AFTER + 4):
        _use(stage, "alice", told, 1)
    memory = _memory(stage)

    assert memory is not None
    assert (memory.link.uses, memory.link.even.uses_square, tuple(memory.members)) == (PAST_AFTER + 4, (PAST_AFTER + 4) ** 2, ("alice",))
    assert memory.past is not None


def test_a_second_account_finds_the_firsts_uses_over_a_restart_too() -> None:
    """Each of them is a member of whatever is decided about the card."""
    for stage in (_stage(), _recovered(_used_by_alice())):
        if not stage.subjects:
            _use(stage, "alice", 0, 5)
        _use(stage, "bob", 0, 2)
        memory = _memory(stage)

        assert memory is not None
        assert (memory.link.uses, memory.link.accounts, tuple(memory.members)) == (7, 2, ("alice", "bob"))
        assert memory.windows is not None
        assert round(sum(memory.windows.sums[4:5]), 1) == 7.0


def _used_by_alice() -> LinksStage:
    stage = _stage()
    _use(stage, "alice", 0, 5)
    return stage


def test_what_the_first_account_did_with_the_card_counts_from_its_first_use() -> None:
    """Two weeks of one account are no burst of the hour in which the card is shared."""
    stage = _stage()
    for day in range(5):
        use = contact(PAYMENT, KEY, CARD, "alice", T0 + day * DAY_MS, day, 1)
        use.limit_rpm, use.declined, use.tokens_per_use, use.spread, use.pace = (
            (600, 1, 500.0, 0.5, 9.0) if day == 0 else (0, -1, 100.0, -1.0, -1.0)
        )
        stage.take(use)
    stage.take(contact(PAYMENT, KEY, CARD, "bob", T0 + 5 * DAY_MS, 0, 1))
    memory = _memory(stage)

    assert memory is not None
    link = memory.link
    assert (link.first_at, link.even.since, link.limit_rpm, link.declined, link.tokens) == (T0, T0, 600, 1.0, 900.0)
    assert (link.callers, link.pace) == (1, 9.0)
    assert link.even.exposure_hours(T0 + 5 * DAY_MS) == 60.0


def test_the_crowds_move_to_a_new_model_is_that_of_people_with_cards_of_their_own() -> None:
    """They are nearly all of it: without them a pool would set the ground that it is held against. Each counts once, and once as moved."""
    stage, people = _stage(), 200
    for at, model in ((T0, "m-old"), (T0 + DAY_MS, "m-new"), (T0 + DAY_MS + MINUTE_MS, "m-new"), (T0 + DAY_MS + HOUR_MS, "m-old")):
        for person in range(people):
            card, told = f"k1:card-{person}", (at - T0) // MINUTE_MS
            use = contact(PAYMENT, key_hash(PAYMENT, card), card, f"person-{person}", at + person, int(told > 0), 1)
            use.model = model if person % 4 == 0 else "m-old"
            for _ in range(6 if at == T0 else 1):
                stage.take(copy(use))
    crowd = stage._ground.crowd

    assert (crowd.release_seen, crowd.release_moved) == (people, people // 4)


def test_a_card_is_not_forgotten_for_the_sake_of_other_keys() -> None:
    """A decision about it names all of its accounts, and the first of them is the oldest."""
    store = LinkStore({}, firsts_max=4)
    store.remember_first(First(contact(PAYMENT, KEY, CARD, "alice", T0)))
    for number in range(8):
        store.remember_first(First(contact(NETWORK, number, "net", "bob", T0)))

    assert store.first(PAYMENT, KEY, CARD) is not None


def test_an_operators_order_on_a_card_of_one_account_names_it() -> None:
    """A payment decision lists every account of the card (contract)."""
    stage = _used_by_alice()
    built_in = open_control()
    order = {"scope": "payment_fingerprint", "subject": CARD, "action": "block", "expires_at": T0 + DAY_MS}
    policy = {"version": 1, "author": "desk", "effective_at": 0, "mode": "enforce", "orders": [order]}
    stage.follow(Control(built_in.policies.with_document(json.dumps(policy).encode()), built_in.labels, built_in.watch))
    _use(stage, "alice", 5, 1)
    decided = stage.drain().decided

    assert [(one.subject, one.action, one.members) for one in decided] == [(CARD, "block", ("alice",))]
