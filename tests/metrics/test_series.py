"""The number of series is bounded, and no label says who: a scrape must stay cheap and private whatever traffic does."""

import itertools
import random

import pytest
from msgspec import UNSET
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from guard.decisions.decision import Action, Decision, Mode, Scope
from guard.engine.stage import Outcome
from guard.engine.tallies import TALLIES
from guard.events.request import RequestEvent
from guard.metrics import SERIES_MAX, ControlCollector, Instruments, MetricsObserver
from guard.metrics.labels import RESULTS, SOURCE_TOPICS, STAGES
from guard.scoring.reasons import Family, Reason
from guard.streaming.observer import FlushReport, LaneReport, Observer
from guard.streaming.stages import ROUTES, StageKind
from guard.units import EventTimeMs
from tests.support.events import T0, open_control

HOSTILE = ('"', "\n", "\\", "\x1b[2J", "\u2028", "\ud800", "a" * 300, "{}", '"} 1\nfake_total 5', "é", "")


class Follower:
    """What the control follower shows."""

    control = open_control()
    tallies = {"policy.rejected": 2}  # noqa: RUF012


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def observer(registry) -> MetricsObserver:
    registry.register(ControlCollector(Follower()))
    return MetricsObserver(Instruments(registry), now=lambda: T0 + 100_000)


def decision(subject="alice", action="block", mode="shadow", scope="account", family="volume", **fields) -> Decision:
    reasons = (Reason("instant_maximum", family, 1.0, 0.5, 0.1, 0.9),)
    return Decision(
        scope=scope, subject=subject, action=action, issued_at=EventTimeMs(T0), expires_at=EventTimeMs(T0 + 1), score=0.9, mode=mode,
        reasons=reasons, policy_version=1, model_version="m-1", origin="automatic", campaign_id=UNSET, **fields,
    )  # fmt: skip


def flush(tallies=(), decided=(), *, kind=StageKind.ACCOUNTS, shard=0, records=10, first=T0, newest=T0, committed=T0 + 50) -> FlushReport:
    lane = LaneReport(kind, Outcome([], [], list(decided), dict(tallies)), records, first, first, newest)
    return FlushReport(shard, (lane,), 0.02, committed)


def samples(registry) -> list:
    text = generate_latest(registry).decode()
    return [sample for family in text_string_to_metric_families(text) for sample in family.samples]


def everything_there_is(observer: Observer) -> None:
    """All that a worker could ever report, and what it should not."""
    fields = [*RequestEvent.__struct_fields__, *HOSTILE, *(f"field-{n}" for n in range(1_000))]
    sizes = [f"state.{what}.{stage}" for what in ("subjects", "bytes") for stage in (*STAGES, *HOSTILE)]
    names = [*TALLIES, *(f"events.{result}" for result in RESULTS), *(f"invalid.{field}" for field in fields), *sizes, *HOSTILE]
    families = [*(family.value for family in Family), *HOSTILE]
    kinds = itertools.product([a.word for a in Action], Mode, Scope, families)
    decided = [decision(action=a, mode=m, scope=s, family=f) for a, m, s, f in kinds]
    decided += [decision(action=h, mode=h, scope=h, family=h) for h in HOSTILE]
    random.Random(7).shuffle(decided)
    for kind, shard in itertools.product(StageKind, range(64)):
        observer.flushed(flush(dict.fromkeys(names, 1), decided, kind=kind, shard=shard))
        observer.recovered(shard, 10, 1.0)
        observer.lag(ROUTES[kind].source, shard, 5)
    for topic in HOSTILE:
        observer.lag(topic, 0, 1)
    observer.ready(is_ready=True)


def test_a_million_accounts_make_no_series(observer, registry):
    """The scrape of 100,000 series stops a worker for seconds: an identifier as a label would be an attack surface."""
    before = len(samples(registry))
    for batch in range(1_000):
        accounts = (f"account-{batch}-{n}" for n in range(1_000))
        observer.flushed(flush({"events.judged": 1_000}, [decision(account, family=Family.TIMING) for account in accounts]))

    assert registry.get_sample_value("guard_events_total", {"result": "judged"}) == 1_000_000
    assert len(samples(registry)) == before + 1
    assert "account-" not in generate_latest(registry).decode()


def test_series_stay_below_the_bound_when_everything_possible_has_happened(observer, registry):
    """A bound that holds only for friendly traffic is none."""
    everything_there_is(observer)

    assert 200 < len(samples(registry)) <= SERIES_MAX


def test_every_label_value_is_a_short_plain_word(observer, registry):
    """What a caller writes must not reach a dashboard, even as a label that is escaped."""
    everything_there_is(observer)
    free = {"guard_build_info", "guard_model_version_info", "guard_policy_info"}
    values = {value for sample in samples(registry) if sample.name not in free for value in sample.labels.values()}

    assert all(value.isascii() and value.isprintable() and 0 < len(value) <= 32 for value in values)
    assert not any("field-" in value for value in values)


def test_no_decision_is_lost_when_there_is_no_room_for_its_kind(observer, registry):
    """Beyond the bound the family is `other`; sums over families stay right."""
    everything_there_is(observer)
    total = sum(sample.value for sample in samples(registry) if sample.name == "guard_decisions_total")
    everything_there_is(observer)
    again = sum(sample.value for sample in samples(registry) if sample.name == "guard_decisions_total")
    kinds = len(Action) * len(Mode) * len(Scope) * (len(Family) + len(HOSTILE)) + len(HOSTILE)

    assert total == kinds * 3 * 64
    assert again == 2 * total


def test_topics_and_stages_are_those_of_the_shell():
    """The labels are written out here, the routes there: they must not drift apart."""
    assert tuple(ROUTES[StageKind(stage)].source.value for stage in STAGES) == SOURCE_TOPICS
