"""Accounts whose gateway leaves the prompt out, known by what they ask: several of the keys that nearly only a pool's accounts use."""

import random
from collections.abc import Iterator

from guard.engine.evidence_graph import EvidenceGraph
from guard.engine.forwards import Suspicion
from guard.engine.membership import echoed
from guard.events.request import RequestEvent
from guard.scoring.account_rules import reason
from guard.state.link import KeyKind
from guard.units import HOUR_MS, SECOND_MS
from tests.support.events import T0, crowd, event, fleet, in_order
from tests.support.judged import judged, sanctioned

POOL = tuple(f"pool-{number}" for number in range(40))
BARE = {f"tpl-{number}" for number in range(4)}


def _fleet(dice: random.Random) -> Iterator[RequestEvent]:
    """A template hydra with ten wordings; the gateway of four of its accounts says nothing of prompts but their shape."""
    for one in fleet(dice, "tpl", 80, 80, 30.0):
        one.shape = f"tpl-shape-{dice.randrange(10)}"
        if one.account_id in BARE:
            one.prefix = None
        yield one


def _asking(dice: random.Random, account: str, shapes: tuple[str, ...]) -> Iterator[RequestEvent]:
    """Somebody with other things to ask, and these now and then."""
    at = T0 + dice.random() * HOUR_MS / 6
    while at < T0 + HOUR_MS:
        shape = dice.choice(shapes) if dice.random() < 0.15 else f"own-{dice.getrandbits(40):x}"
        yield event(
            account,
            int(at),
            payment_fingerprint=f"k1:{account}",
            shape=shape,
            client_fingerprint="a",
            ip_prefix=f"net-{account}",
            messages=2,
        )
        at += dice.lognormvariate(4, 1) * SECOND_MS


def test_accounts_whose_prompt_nobody_tells_are_members_by_the_shapes_of_what_they_ask() -> None:
    """One gateway in a hundred sends neither prefix nor SimHash."""
    decided = list(judged(in_order(crowd(random.Random(3), 400), _fleet(random.Random(4)))).drained())

    assert sanctioned(decided) >= BARE
    assert not any(account.startswith("person") for account in sanctioned(decided))


def test_people_who_ask_one_of_a_pools_questions_are_left_alone() -> None:
    """A question is anybody's; two of a pool's own would be an accident."""
    people = [_asking(random.Random(number), f"person-like-{number}", ("tpl-shape-1",)) for number in range(6)]
    decided = list(judged(in_order(crowd(random.Random(3), 400), _fleet(random.Random(4)), *people)).drained())

    assert sanctioned(decided) >= BARE
    assert not any(account.startswith("person") for account in sanctioned(decided))


def _graph(*keys: tuple[KeyKind, str, tuple[str, ...]]) -> EvidenceGraph:
    graph = EvidenceGraph({})
    for kind, value, members in keys:
        graph.put(Suspicion(int(kind), value, T0, T0, 0.5, (reason("template_lift", 40, 5, 0.2, 0.5),), len(members), 500, 0, members, 1))
    return graph


def test_an_echo_is_of_the_same_family_and_nearly_all_of_its_accounts_are_on_the_prompt() -> None:
    """A card says something else, and a question that a fifth of whose askers are others is not the pool's alone."""
    others = tuple(f"other-{number}" for number in range(10))
    graph = _graph(
        (KeyKind.PREFIX, "prompt", POOL), (KeyKind.SHAPE, "its-own", (*POOL[:36], *others[:4])), (KeyKind.SHAPE, "common", (*POOL, *others)),
        (KeyKind.PAYMENT, "card", POOL),
    )  # fmt: skip

    assert [node.suspicion.value for node in graph.echoes(graph.nodes["1:prompt"])] == ["its-own"]


def test_one_echo_makes_nobody_a_member() -> None:
    """Of accounts on two, the gateway left the prompt out."""
    graph = _graph((KeyKind.SHAPE, "one", (*POOL, "bare", "curious")), (KeyKind.SHAPE, "two", (*POOL, "bare")))

    assert set(echoed(graph.nodes.values())) == {*POOL, "bare"}
