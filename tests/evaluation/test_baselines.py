"""The baselines: each finds what it is good for, and trips where it is known to trip."""

import random

import msgspec

from guard.evaluation.ablations import ABLATIONS
from guard.evaluation.baselines import BASELINES, CARD_ACCOUNTS_MIN, LIMIT_RPM, baseline
from guard.evaluation.play import Play
from guard.evaluation.sources import Source, without
from guard.evaluation.variants import VARIANTS
from guard.events.request import RequestEvent
from guard.gateway.orders import Orders
from guard.policy.labels import LabelBook, decode_label
from guard.policy.policy import LADDER_DEFAULT
from guard.scoring.reasons import REASONS, Family
from guard.simulation.client import Truth
from guard.simulation.world import Exchange, OpenGateway
from tests.support.events import T0, event


def _source(events):
    truths = [Truth(account, "student", honest=True, family="N4") for account in dict.fromkeys(one.account_id for one in events)]
    by_account = {truth.account_id: truth for truth in truths}
    return Source(truths, lambda _gateway: (Exchange(one, by_account[one.account_id], was_refused=False) for one in events))


def _lab(count):
    """Students with one card between them, each at an hour of his own."""
    return [event(f"student-{number}", T0 + number * 60_000, payment_fingerprint="k1:lab-card") for number in range(count)]


def test_a_union_of_cards_trips_on_an_honest_lab():
    """B4 cannot tell a lab from a fleet: this is why a card alone never blocks here."""
    tripped = Play(_source(_lab(60)), "B4", is_closed=False).to_end().ledger
    spared = Play(_source(_lab(60)), "full", is_closed=False).to_end().ledger

    assert {one.action for one in tripped.false_positives()} == {"block"}
    assert len(tripped.false_positives()) == 60
    assert not spared.false_positives()


def test_a_family_card_is_below_the_size_threshold():
    """The threshold is what makes the union of cards usable at all."""
    played = Play(_source(_lab(CARD_ACCOUNTS_MIN - 1)), "B4", is_closed=False).to_end()

    assert not played.ledger.false_positives()


def test_cards_unite_through_an_account_that_used_two():
    """Union-find: a shared account joins two cards into one cluster."""
    judge = baseline("B4")
    for number in range(6):
        judge.take(event(f"a-{number}", T0 + number, payment_fingerprint=f"card-{number // 3}"), T0)
    judge.take(event("a-0", T0 + 9, payment_fingerprint="card-1"), T0)
    decided = judge.drained()

    assert set(decided[-1].members) == {f"a-{number}" for number in range(6)}


def test_a_static_limit_throttles_the_minute_that_exceeds_it():
    """B0 sees a burst and nothing else."""
    judge = baseline("B0")
    for number in range(LIMIT_RPM + 1):
        judge.take(
            event(
                "burst",
                T0 - T0 % 60_000 + number,
            ),
            T0,
        )
        judge.take(event(f"one-{number}", T0 + number), T0)

    assert [(one.subject, one.action) for one in judge.drained()] == [("burst", "throttle")]


def test_the_public_projects_rules_block_a_batch_evaluation():
    """B1: many prompts, one structure and asked-for reasoning is also what an honest evaluation looks like."""
    judge = baseline("B1")
    for number in range(101):
        judge.take(event("evaluator", T0 + number, shape="one", reasoning_elicitation=0.9), T0)

    assert {one.subject for one in judge.drained() if one.action == "block"} == {"evaluator"}


def test_ungated_trees_rank_a_stranger_beyond_the_crowd():
    """B5 throttles what is rare, honest or not."""
    dice = random.Random(1)
    judge = baseline("B5")
    for number in range(6_000):
        judge.take(event(f"p-{number % 500}", T0 + number * 1_000, input_tokens=dice.randint(100, 300), messages=dice.randint(1, 4)), T0)
    judge.drained()
    judge.take(event("odd", T0 + 7_000_000, input_tokens=400_000, output_tokens=100_000, reasoning_elicitation=1.0, rubric_grading=1.0), T0)

    assert [one.subject for one in judge.drained()] == ["odd"]


def test_every_baselines_decision_is_one_that_a_gateway_obeys():
    """The same interface: a baseline's order goes through the same book as the guard's."""
    orders = Orders()
    judge = baseline("B4")
    for one in _lab(CARD_ACCOUNTS_MIN):
        judge.take(one, one.event_time)
    for decision in judge.drained():
        orders.apply(decision)

    assert orders.answer("student-0", "k1:lab-card", None, T0 + CARD_ACCOUNTS_MIN * 60_000).action.word == "block"
    assert list(BASELINES) == ["B0", "B1", "B4", "B5"]


def test_an_ablation_switches_its_rules_off_and_withholds_their_fields():
    """A rule that is off while its field still links accounts is no ablation."""
    ablation = ABLATIONS["no-payment"]
    policy = ablation.control(LabelBook.empty()).policies.at(T0)
    seen = ablation.withheld(event("a", T0, payment_fingerprint="card"))

    assert policy.rules_off == {"shared_payment", "payment_rate"}
    assert seen.payment_fingerprint is None
    assert {mode.value for mode in policy.modes.values()} == {"enforce"}


def test_labels_reach_the_judge_unless_they_are_what_is_taken_away():
    """Appeals that a fleet obtains by lying must count in a world that plays them."""
    line = b'{"label_id":"l-1","scope":"account","subject":"a","verdict":"appeal_upheld","at":1,"author":"appeals","expires_at":9}'
    book, _ = LabelBook.empty().with_records([(decode_label(line).key, line)])

    assert ABLATIONS["no-payment"].control(book).labels is book
    assert ABLATIONS["no-labels"].control(book).labels is not book


def test_every_ablation_takes_something_away():
    """A renamed code must not leave an ablation that is the full guard in disguise."""
    for ablation in ABLATIONS.values():
        assert ablation.rules_off or ablation.fields or ablation.ladder or not ablation.is_labelled
        assert set(ablation.fields) <= set(msgspec.structs.asdict(event("a", T0)))
    assert {REASONS[code].family for code in ABLATIONS["no-timing"].rules_off} == {Family.TIMING}


def test_a_world_of_required_fields_shows_the_judge_exactly_what_the_contract_requires():
    """An event with only these must work; what is missing is missing, not zero, and a status is a 200."""
    rich = event("a", T0, payment_fingerprint="card", shape="s", status=429, decision_id="d-1", messages=3)
    seen = ABLATIONS["required-only"].withheld(rich)

    assert seen == RequestEvent(rich.event_id, rich.event_time, rich.account_id, rich.model, rich.input_tokens, rich.output_tokens)
    assert not ABLATIONS["required-only"].rules_off


def test_the_jitter_that_is_measured_is_a_policys_and_raises_no_alarm_below_a_rung():
    """What it costs is told before anybody switches it on."""
    policy = ABLATIONS["jitter"].control(LabelBook.empty()).policies.at(T0)

    assert 0 < policy.jitter.share_max <= 0.5
    assert [rung.score for rung in policy.rungs] == [score for _, score in LADDER_DEFAULT]


def test_every_variant_says_what_it_is():
    """A report is read by people who do not know the names."""
    assert all(len(what) > 10 for what in VARIANTS.values())
    assert set(VARIANTS) == {*ABLATIONS, *BASELINES, "full", "no-poisoning", "unguarded", "shuffled"}


def test_a_source_without_a_family_has_neither_its_exchanges_nor_its_labels():
    """Else the fleet's lies would still teach where the fleet is said to be away."""
    truths = [Truth("bot", "fleet", honest=False, family="A12", campaign="c"), Truth("person", "person", honest=True)]
    events = [event("bot", T0), event("person", T0 + 1)]
    lines = [
        b'{"label_id":"l","scope":"account","subject":"%s","verdict":"benign","at":1,"author":"appeals"}' % name
        for name in (b"bot", b"person")
    ]
    book, _ = LabelBook.empty().with_records((decode_label(line).key, line) for line in lines)
    exchanges = [Exchange(one, truth, was_refused=False) for one, truth in zip(events, truths, strict=True)]
    left = without(Source(truths, lambda _gateway: iter(exchanges), book), "A12")

    assert [exchange.truth.account_id for exchange in left.play(OpenGateway())] == ["person"]
    assert [truth.account_id for truth in left.truths] == ["person"]
    assert [subject for _, subject in left.labels.labels] == ["person"]
