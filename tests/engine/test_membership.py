"""Who belongs to a campaign: what is said of a pool's keys is not said of everybody who shares something with it."""

from guard.engine.evidence_graph import Node
from guard.engine.forwards import Report, Suspicion
from guard.engine.membership import members_of, own_nodes
from guard.scoring.account_rules import reason
from guard.scoring.reasons import Reason
from guard.state.link import Age, KeyKind
from tests.support.events import T0

POOL = tuple(f"pool-{number}" for number in range(10))
PUBLIC = tuple(f"user-{number}" for number in range(40))
TEAM = tuple(f"mate-{number}" for number in range(8))
SHARED = reason("template_lift", 50, 5, 0.2, 0.5)
EVEN = reason("even_rates", 0.0, 0.4, 0.6, 0.6)


def _node(kind: KeyKind, value: str, members: tuple[str, ...], *reasons: Reason) -> Node:
    found = Suspicion(int(kind), value, T0, T0, 0.7, reasons, len(members), 500, 0, members, 2)
    return Node(f"{int(kind)}:{value}", found)


def _names(nodes: list[Node]) -> set[str]:
    return {node.suspicion.value for node in nodes}


def test_a_public_prompt_that_a_pool_hides_behind_is_no_key_of_its_own() -> None:
    """A harness, and a team that works with it on one card: both overlap with the pool, neither is used as one."""
    pool = _node(KeyKind.SHAPE, "wording", POOL, SHARED, EVEN)
    harness = _node(KeyKind.PREFIX, "harness", POOL + PUBLIC + TEAM, SHARED)
    card = _node(KeyKind.PAYMENT, "card", TEAM, reason("shared_payment", 8, 5, 1, 0.4))

    assert _names(own_nodes([pool, harness, card])) == {"wording"}


def test_a_card_whose_accounts_mostly_carry_the_pools_wording_is_its_own() -> None:
    """A shared card says nothing of use; its accounts do."""
    pool = _node(KeyKind.SHAPE, "wording", POOL, SHARED, EVEN)
    card = _node(KeyKind.PAYMENT, "card", POOL[:5] + TEAM[:3], reason("shared_payment", 8, 5, 1, 0.4))

    assert _names(own_nodes([pool, card])) == {"wording", "card"}


def test_a_client_stack_does_not_make_a_key_the_campaigns_own_by_its_evenness() -> None:
    """Clients and networks are shared by strangers too easily to say whose the others are."""
    client = _node(KeyKind.CLIENT, "sdk", POOL + PUBLIC, EVEN)
    pool = _node(KeyKind.SHAPE, "wording", POOL, SHARED, EVEN)
    harness = _node(KeyKind.PREFIX, "harness", POOL + PUBLIC, SHARED)

    assert _names(own_nodes([client, pool, harness])) == {"wording"}


def test_where_nothing_is_said_of_use_every_key_stays() -> None:
    """Sharing alone reaches no rung, and what it is about may still change."""
    nodes = [_node(KeyKind.PREFIX, "harness", PUBLIC, SHARED), _node(KeyKind.PAYMENT, "card", TEAM, SHARED)]

    assert own_nodes(nodes) == nodes


def test_who_carries_one_key_where_members_carry_many_is_no_member() -> None:
    """An honest script with a system prompt copied from the web, which the pool copied as well."""
    prompt = _node(KeyKind.PREFIX, "copied", (*POOL, "script"), SHARED, EVEN)
    wordings = [_node(KeyKind.SHAPE, f"wording-{number}", POOL, SHARED) for number in range(3)]

    assert list(members_of([prompt, *wordings], {prompt.name}, [])) == sorted(POOL)


def test_who_was_reported_with_as_many_kinds_of_keys_is_a_member_beyond_the_lists() -> None:
    """Lists are bounded; a pool is not."""
    prompt = _node(KeyKind.PREFIX, "copied", POOL, SHARED, EVEN)
    wordings = [_node(KeyKind.SHAPE, f"wording-{number}", POOL, SHARED) for number in range(3)]
    late = Report("late", "c-1", T0, (int(KeyKind.PREFIX), int(KeyKind.SHAPE)), int(Age.NEW), exchanges=2, is_first=True)

    assert "late" in set(members_of([prompt, *wordings], {prompt.name}, [late]))
