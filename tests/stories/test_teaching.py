"""Labels and campaigns teach what harvesting looks like; what they said in error is taken back, and nobody teaches too much."""

import random
from collections.abc import Iterator

import msgspec

from guard.control.board import opening_control
from guard.engine.control import Control
from guard.engine.driver import Driver
from guard.engine.teaching import LABEL, SETTLED_MS, is_settled, revoked, said_of
from guard.engine.watchlist import WatchList
from guard.events.request import RequestEvent
from guard.policy.labels import Label, LabelBook
from guard.policy.policy import LADDER_DEFAULT
from guard.scoring.fusion import fuse
from guard.scoring.learned.supervised import CAP
from guard.scoring.reasons import Reason
from guard.state.link import KIND_WORDS, KeyKind
from guard.units import HOUR_MS, MINUTE_MS, EventTimeMs
from tests.support.events import T0, crowd, event, open_control

KEYS = [
    {"kind": KIND_WORDS[KeyKind.PAYMENT], "value": "k1:card", "weight": 0.7},
    {"kind": KIND_WORDS[KeyKind.PREFIX], "value": "p1", "weight": 0.7},
]


def _campaign(state: str, **fields: object) -> bytes:
    return msgspec.json.encode({"campaign_id": "c-1", "state": state, "keys": KEYS, **fields})


def _watching(state: str = "active") -> WatchList:
    return WatchList.empty().with_campaign(b"c-1", _campaign(state, first_throttle_at=T0))


def _labelled(names: dict[str, str]) -> Control:
    opening = opening_control(enforce=True)
    records = [
        (label.key, msgspec.json.encode(label))
        for name, verdict in names.items()
        for label in [msgspec.convert({"label_id": f"l-{name}", "scope": "account", "subject": name, "verdict": verdict, "at": 1, "author": "ann"}, Label)]
    ]  # fmt: skip
    book, refused = LabelBook.empty().with_records(records)
    assert not refused
    return Control(opening.policies, book, opening.watch)


def _harvester(name: str, dice: random.Random, count: int = 60) -> Iterator[RequestEvent]:
    for number in range(count):
        at = T0 + number * MINUTE_MS + dice.randrange(9_000)
        yield event(
            name, at, output_tokens=2_000, messages=1, reasoning_elicitation=dice.betavariate(3, 3), payment_fingerprint=f"k1:{name}"
        )


def _taught(control: Control, events: list[RequestEvent]) -> Driver:
    driver = Driver(1, control)
    for one in sorted(events, key=lambda one: (one.event_time, one.event_id)):
        driver.take(one, one.event_time)
    driver.finish()
    return driver


def test_labels_teach_both_kinds_and_the_same_events_give_the_same_weights() -> None:
    """An analyst's work must reach the model, and a replay must learn what the stream learned."""
    verdicts = {f"h{n}": "extraction" for n in range(6)} | {f"g{n}": "benign" for n in range(6)}
    dice = random.Random(1)
    events = [one for name in verdicts for one in _harvester(name, dice)]
    one, other = (_taught(_labelled(verdicts), events).models[0] for _ in range(2))

    assert one.supervised.extraction >= 20
    assert one.supervised.benign >= 20
    assert one.supervised.weights() == other.supervised.weights()
    assert {lesson.provenance for lesson in one.supervised.lessons} == {LABEL}


def test_without_labels_or_campaigns_nobody_is_an_example() -> None:
    """The crowd alone says what is usual, never what is wrong."""
    models = _taught(open_control(), list(crowd(random.Random(2), 150))).models[0]

    assert models.supervised.lessons == []


def test_a_label_beats_the_campaign_that_says_otherwise() -> None:
    """A person looked; the machine linked."""
    watch = _watching()
    hits = tuple(watched for found in watch.by_key.values() for watched in found)
    at = EventTimeMs(T0 + 2 * SETTLED_MS)
    control = _labelled({"bob": "benign"})
    watched = Control(control.policies, control.labels, watch)
    by_label, by_campaign = said_of(watched, "bob", hits, at), said_of(watched, "eve", hits, at)

    assert by_label is not None
    assert by_campaign is not None
    assert (by_label.is_extraction, by_label.provenance) == (False, LABEL)
    assert (by_campaign.is_extraction, by_campaign.provenance) == (True, "c-1")


def test_a_campaign_teaches_only_once_it_is_settled_and_by_two_kinds_of_keys() -> None:
    """A fresh link may be wrong, and a public prompt is carried by strangers."""
    watch = _watching()
    hits = tuple(watched for found in watch.by_key.values() for watched in found)
    control = Control(open_control().policies, LabelBook.empty(), watch)
    late = EventTimeMs(T0 + SETTLED_MS)

    assert said_of(control, "eve", hits, EventTimeMs(T0 + SETTLED_MS - 1)) is None
    assert said_of(control, "eve", hits[:1], late) is None
    assert said_of(control, "eve", hits, late) is not None


def test_a_sleeping_campaign_teaches_no_more_and_takes_nothing_back() -> None:
    """It ended; it was not wrong."""
    active, asleep = _watching(), _watching().with_campaign(b"c-1", _campaign("dormant", first_throttle_at=T0))

    assert is_settled(active, "c-1", T0 + SETTLED_MS)
    assert not is_settled(asleep, "c-1", T0 + SETTLED_MS)
    assert revoked(active, asleep) == frozenset()
    assert revoked(asleep, asleep.with_campaign(b"c-1", _campaign("closed"))) == frozenset()


def test_a_campaign_that_falls_while_active_is_revoked() -> None:
    """Links are reversible, and so is what was learned from them."""
    assert revoked(_watching(), _watching().with_campaign(b"c-1", _campaign("closed"))) == {"c-1"}


def test_one_account_gives_at_most_ten_lessons_of_a_thousand() -> None:
    """A patient account must not become the crowd."""
    events = [event("bob", T0 + n * MINUTE_MS, messages=5, payment_fingerprint="k1:bob") for n in range(40 * 60)]
    models = _taught(open_control(), events).models[0]

    assert models.crowd.learned == 10


def test_likeness_at_its_most_stays_below_the_first_rung_and_no_family_for_a_block() -> None:
    """What a model believes is no ground for a sanction."""
    verdict = fuse([Reason("like_known_extraction", "drift", 1.0, 0.9, 0.5, CAP)])

    assert verdict.score < LADDER_DEFAULT[0][1]
    assert verdict.families == 0


def test_a_rebaseline_by_policy_forgets_the_crowd_once() -> None:
    """An honest change of the whole crowd needs a person's word, and the policy's history holds it."""
    opening = opening_control(enforce=True)
    document = {"version": 1, "author": "ann", "effective_at": 0, "mode": "enforce", "rebaseline_at": T0 + 2 * HOUR_MS}
    control = Control(opening.policies.with_document(msgspec.json.encode(document)), opening.labels, opening.watch)
    people = [msgspec.structs.replace(event(f"p{n}", T0 + m * 5 * MINUTE_MS), messages=5) for n in range(30) for m in range(48)]
    before, after = _taught(open_control(), people).models[0], _taught(control, people).models[0]

    assert before.rebaselined_at == 0
    assert after.rebaselined_at == T0 + 2 * HOUR_MS
    assert 0 < after.crowd.learned < before.crowd.learned
