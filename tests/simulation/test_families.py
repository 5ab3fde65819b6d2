"""Every family plays, and shows the hallmark that it is named after."""

from collections import Counter, defaultdict
from functools import lru_cache

import pytest

from guard.decisions.decision import Action
from guard.gateway.orders import Answer
from guard.simulation.families import ATTACKS, NEGATIVES
from guard.simulation.habits import NEW_MODEL
from guard.simulation.presets import build
from guard.simulation.world import Exchange, OpenGateway

END = 1_790_000_000_000


@lru_cache(maxsize=1)
def _played() -> dict[str, list[Exchange]]:
    found: dict[str, list[Exchange]] = defaultdict(list)
    for exchange in build("small", 7, END, ATTACKS, NEGATIVES).world.play(OpenGateway()):
        found[exchange.truth.family].append(exchange)
    return found


def _family(name: str) -> list[Exchange]:
    return [one for one in _played()[name] if one.was_answered]


def _accounts(exchanges: list[Exchange], field: str) -> Counter[str]:
    """How many accounts show each value of a field."""
    users: dict[str, set[str]] = defaultdict(set)
    for one in exchanges:
        value = getattr(one.event, field)
        if value is not None:
            users[value].add(one.event.account_id)
    return Counter({value: len(names) for value, names in users.items()})


@pytest.mark.parametrize("family", [*ATTACKS, *NEGATIVES])
def test_every_family_plays(family: str) -> None:
    """A family that never calls tests nothing."""
    assert len(_family(family)) >= 20
    assert all(one.truth.honest == (family[0] == "N") for one in _family(family))


@pytest.mark.parametrize("family", ["A2", "A3", "A4", "A6", "A8", "A9", "A10", "A11", "A15", "A16"])
def test_a_template_fleet_shares_shapes_over_most_accounts(family: str) -> None:
    """What is harvested with one template shows on all members."""
    exchanges = _family(family)
    members = len({one.event.account_id for one in exchanges})

    assert _accounts(exchanges, "prefix").most_common(1)[0][1] >= 0.7 * members
    assert _accounts(exchanges, "shape").most_common(1)[0][1] >= 3


def test_shared_cards_are_shared_and_distinct_ones_are_not() -> None:
    """A3 and A4 differ in just that."""
    assert _accounts(_family("A3"), "payment_fingerprint").most_common(1)[0][1] >= 8
    assert _accounts(_family("A4"), "payment_fingerprint").most_common(1)[0][1] == 1


def test_paraphrases_share_no_shape_but_a_simhash_neighbourhood() -> None:
    """A5 hides the skeleton; the words move by eight bits at most."""
    hashes = [int(one.event.simhash, 16) for one in _family("A5") if one.event.simhash]
    near = max(sum((one ^ other).bit_count() <= 16 for other in hashes) for one in hashes[:: max(1, len(hashes) // 40)])

    assert near >= 0.5 * len(hashes)
    assert _accounts(_family("A5"), "client_fingerprint").most_common(1)[0][1] >= 15


@pytest.mark.parametrize(("family", "least", "most"), [("A6", 0.3, 0.7), ("A7", 0.03, 0.25)])
def test_mixed_fleets_show_their_template_in_the_stated_share(family: str, least: float, most: float) -> None:
    """Half, and a tenth, of the exchanges are harvest."""
    prefixes = Counter(one.event.prefix for one in _family(family) if one.event.prefix)
    harvest = max(prefixes, key=lambda prefix: (_accounts(_family(family), "prefix")[prefix], prefix))

    assert least <= prefixes[harvest] / len(_family(family)) <= most


def test_the_pivot_moves_to_the_new_model_and_others_try_it_too() -> None:
    """A9 is judged against a crowd that is curious itself."""
    assert any(one.event.model == NEW_MODEL for one in _family("A9"))
    assert any(one.event.model == NEW_MODEL for one in _family("N10"))
    assert any(one.event.model == NEW_MODEL for one in _played()[""])


def test_elicitation_and_grading_show_in_the_classifiers() -> None:
    """A10 and A11 are named after what they ask for."""
    elicited = [one.event.reasoning_elicitation for one in _family("A10") if one.event.reasoning_elicitation is not None]
    graded = [one.event.rubric_grading for one in _family("A11") if one.event.rubric_grading is not None]

    assert sum(elicited) / len(elicited) > 0.5
    assert sum(graded) / len(graded) > 0.4


def test_recorded_conversations_come_back_under_other_accounts() -> None:
    """A13: a conversation and its signature belong to whoever held it."""
    assert _accounts(_family("A13"), "conversation").most_common(1)[0][1] >= 2
    assert _accounts(_family("A13"), "reasoning_signature").most_common(1)[0][1] >= 2


def _moved_share(exchanges: list[Exchange]) -> float:
    holder = {one.event.conversation_after: one.event.account_id for one in exchanges if one.event.conversation_after}
    later = [one.event for one in exchanges if one.event.conversation in holder]
    return sum(holder[event.conversation or ""] != event.account_id for event in later) / len(later)


def test_a_relay_hands_conversations_around_and_leaves_caches_cold() -> None:
    """A14: rotation destroys cache continuity."""
    later = [one.event for one in _family("A14") if one.event.conversation is not None]

    assert _moved_share(_family("A14")) > 0.4
    assert sum(event.cached_tokens or 0 for event in later) < 0.6 * sum(event.input_tokens for event in later)
    assert _moved_share(_family("N5")) > 0.1


def test_timers_tick_to_the_tenth_of_a_second() -> None:
    """N7 begins at exact multiples of its period, and ends a latency later."""
    phases: dict[str, list[int]] = defaultdict(list)
    for one in _family("N7"):
        if one.event.latency_ms is not None:
            phases[one.event.account_id].append((one.event.event_time - one.event.latency_ms) % 120_000)
    exact = sum(abs(phase - found[0]) <= 150 for found in phases.values() for phase in found)

    assert exact > 0.8 * sum(map(len, phases.values()))


class _Refusing:
    """Throttles some exchanges of the named accounts and blocks others."""

    def __init__(self, accounts: set[str], action: Action) -> None:
        self._accounts, self._action = accounts, action

    def answer(self, account: str, payment: str | None, organisation: str | None, at: int) -> Answer:
        """Refuse them everything."""
        return Answer(self._action, "d-1") if account in self._accounts else Answer(Action.ALLOW)


def test_a_blocked_pool_moves_to_a_standby_pool_of_equal_size() -> None:
    """A8: banning the first pool only starts the second one."""
    first = {one.event.account_id for one in build("small", 7, END, ("A8",), ()).world.play(OpenGateway()) if one.truth.family == "A8"}
    built = build("small", 7, END, ("A8",), ())
    play = [one for one in built.world.play(_Refusing(first, Action.BLOCK)) if one.truth.family == "A8"]
    fresh = {one.event.account_id for one in play} - first

    assert len([truth for truth in built.truths if truth.family == "A8"]) == 2 * len(first)
    assert len(fresh) >= 0.5 * len(first)
    assert any(one.was_answered for one in play)


def test_a_refused_oracle_changes_its_template_and_its_cards() -> None:
    """A15: what worked as a key yesterday is gone today."""
    half = {truth.account_id for truth in build("small", 7, END, ("A15",), ()).truths if truth.family == "A15"}
    watched = set(sorted(half)[: len(half) // 2])
    play = [
        one for one in build("small", 7, END, ("A15",), ()).world.play(_Refusing(watched, Action.THROTTLE)) if one.truth.family == "A15"
    ]
    wide = [prefix for prefix, users in _accounts(play, "prefix").items() if users >= 5]
    cards: dict[str, set[str | None]] = defaultdict(set)
    for one in play:
        cards[one.event.account_id].add(one.event.payment_fingerprint)

    assert len(wide) >= 3
    assert max(map(len, cards.values())) >= 2


def test_refused_requests_are_handed_to_siblings_in_a_fleet_and_in_an_enterprise() -> None:
    """Both sides have somebody to turn to."""
    for family in ("A4", "N11"):
        members = sorted(one.account_id for one in build("small", 7, END, ("A4",), ("N11",)).truths if one.family == family)
        refused = set(members[: len(members) // 2])
        play = [
            one
            for one in build("small", 7, END, ("A4",), ("N11",)).world.play(_Refusing(refused, Action.THROTTLE))
            if one.truth.family == family
        ]

        assert _accounts(play, "shape").most_common(1)[0][1] >= 2
        assert any(
            one.event.event_time <= other.event.event_time <= one.event.event_time + 120_000
            for one in play[:200]
            if one.was_refused
            for other in play
            if other.was_answered and other.event.shape == one.event.shape
        )
