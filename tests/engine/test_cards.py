"""A card of one account: kept small until it is shared or has been used for a while, and nothing said of it is lost meanwhile."""

import json

from guard.engine.control import Control
from guard.engine.link_record import LinkMemory
from guard.engine.links import LinksStage
from guard.engine.payments import PAST_AFTER
from guard.engine.watchlist import key_hash
from guard.state.link import PAYMENT
from guard.units import DAY_MS, MINUTE_MS
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
