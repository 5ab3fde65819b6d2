"""What is said of a key's use after accounts that had been stopped were let go: that of the time since, not that of the stop."""

import random
from collections.abc import Iterable, Iterator

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from guard.engine.accounts import AccountsStage
from guard.engine.campaign_record import ACTIVE, CLOSED, DORMANT, FORMING, Campaign, new_campaign, publish
from guard.engine.control import Control
from guard.engine.forwards import Contact
from guard.engine.link_record import LinkMemory
from guard.engine.links import LinksStage
from guard.engine.watchlist import CampaignKey, WatchList, key_hash, let_go
from guard.events.request import RequestEvent
from guard.state import member
from guard.state.evenness import Evenness
from guard.state.link import KINDS, MEMBERS_MAX, NETWORK, PARAPHRASE, PREFIX, LinkRecord
from guard.units import HOUR_MS
from tests.support.contacts import contact, tell
from tests.support.events import T0, event, in_order, open_control

VALUE = "their-prompt"
KEY = key_hash(KINDS[PREFIX], VALUE)
STOPPED_AT, LET_GO_AT, ENDS_AT = (T0 + hours * HOUR_MS for hours in (10, 22, 25))
FIRST, FRESH = 40, 40
"""Accounts that are stopped for twelve hours, and that come in their place one after the other."""


def _contact(account: str, at: int, told: int, uses: int) -> Contact:
    return contact(PREFIX, KEY, VALUE, account, at, told, uses)


def _fed(memory: LinkMemory, uses: Iterable[tuple[int, int]], told: list[int], at: int) -> None:
    for place, (account, more) in enumerate(uses):
        memory.observe(_contact(f"a{account}", at + place, told[account], more))
        told[account] += more


USES = st.lists(st.tuples(st.integers(0, 5), st.integers(1, 30)), max_size=30)


@given(USES, USES)
def test_a_count_begun_anew_is_that_of_a_key_without_the_past(before: list[tuple[int, int]], after: list[tuple[int, int]]) -> None:
    """Accounts tell how much their uses grew, and of which square: what they were before is in it."""
    old, new = (LinkMemory(KEY, LinkRecord(PREFIX, VALUE)) for _ in range(2))
    told = [0] * 6
    _fed(old, [(0, 1), *before], told, T0)
    old.count_anew(LET_GO_AT)
    _fed(old, after, told, LET_GO_AT)
    new.link.first_at = new.link.even.since = LET_GO_AT
    _fed(new, after, [0] * 6, LET_GO_AT)

    assert old.link.anew is not None
    assert msgspec.structs.asdict(old.link.anew) == pytest.approx(msgspec.structs.asdict(new.link.even))


def test_who_has_not_used_the_key_since_is_not_counted() -> None:
    """A pool leaves burnt accounts behind."""
    memory, told = LinkMemory(KEY, LinkRecord(PREFIX, VALUE)), [0] * 6
    _fed(memory, [(account, 10) for account in range(6)], told, T0)
    memory.count_anew(LET_GO_AT)
    _fed(memory, [(account, 10) for account in range(3)], told, LET_GO_AT)

    assert memory.link.anew is not None
    assert (memory.link.even.accounts, memory.link.anew.accounts) == (6, 3)
    assert (memory.link.even.uses, memory.link.anew.uses) == (90, 30)


def test_an_account_that_forgot_the_key_and_was_refused_counts_from_none_again() -> None:
    """Its first contact tells of no use; what it had used before is forgotten on both sides."""
    memory = LinkMemory(KEY, LinkRecord(PREFIX, VALUE))
    for told, uses in ((0, 50), (50, 10)):
        memory.observe(_contact("a", T0, told, uses))
        memory.count_anew(LET_GO_AT)
    memory.observe(_contact("a", LET_GO_AT, 60, 10))
    memory.observe(msgspec.structs.replace(_contact("a", LET_GO_AT, 0, 0), is_first=True))
    memory.observe(msgspec.structs.replace(_contact("a", LET_GO_AT, 0, 10), is_first=False))

    assert memory.link.anew is not None
    assert (memory.link.anew.uses, memory.link.anew.uses_square) == (20, 200)


def test_two_paraphrase_families_of_one_account_never_look_more_even_than_they_are() -> None:
    """Each has uses of its own, and both may be one family here: the squares of what came are certain."""
    memory = LinkMemory(KEY, LinkRecord(PARAPHRASE, f"{1:016x}"))
    for told in (300, 20):
        memory.observe(_contact("a", T0, 0, told))
    memory.count_anew(LET_GO_AT)
    for told in (300, 20):
        memory.observe(_contact("a", LET_GO_AT, told, 96))

    assert memory.link.anew is not None
    assert memory.link.anew.uses_square >= 2 * 96**2


def test_a_full_list_is_counted_once() -> None:
    """Whoever comes after has no place in it, and nobody would be counted."""
    memory = LinkMemory(KEY, LinkRecord(NETWORK, "home"))
    for number in range(MEMBERS_MAX[NETWORK]):
        memory.observe(_contact(f"a{number}", T0, 0, 1))
    memory.count_anew(LET_GO_AT)

    assert memory.link.shown(LET_GO_AT) is memory.link.even
    assert memory.link.anew is None


def _count(since: int, accounts: int, dispersion: float, uses: float) -> Evenness:
    """Of so many accounts and uses by each, at this squared coefficient of variation."""
    square = (1.0 + dispersion) * uses**2
    return Evenness(since, accounts, accounts * uses, accounts * (uses + square), accounts, accounts * square)


@pytest.mark.parametrize(
    ("whole", "anew", "accounts", "uses", "hours", "begun_anew"),
    [
        (0.9, 0.1, 80, 6.0, 3, True),
        (0.1, 0.9, 80, 6.0, 3, False),
        (0.9, 0.1, 80, 4.0, 3, False),
        (0.9, 0.1, 80, 6.0, 1, False),
        (0.2, 0.1, 15, 6.0, 3, False),
    ],
    ids=["the stop made it uneven", "a short stop left it even", "too few uses since", "too short since", "too few accounts to say more"],
)
def test_a_key_is_judged_by_the_count_that_shows_its_use(
    whole: float, anew: float, accounts: int, uses: float, hours: int, *, begun_anew: bool
) -> None:
    """A slow pool needs days to show what it is: what a short stop did not hide is not forgotten."""
    link = LinkRecord(PREFIX, VALUE, T0, even=_count(T0, 100, whole, 40.0), anew=_count(LET_GO_AT, accounts, anew, uses))

    assert (link.shown(LET_GO_AT + hours * HOUR_MS) is link.anew) is begun_anew


def test_a_key_of_which_nothing_was_counted_yet_says_nothing() -> None:
    """An hour that had begun before was told of then: there are uses and no hour."""
    assert Evenness(T0).dispersion is None
    assert Evenness(T0, accounts=5, uses=10.0, pairs=2.0).dispersion is None


@given(st.integers(0, 1 << 23), st.integers(0, member.LEVELS), st.integers(0, 3), st.integers(0, 40_000), st.integers(0, 1 << 20))
def test_what_is_remembered_of_a_member_is_told_apart(place: int, level: int, age: int, day: int, uses: int) -> None:
    """One number, many meanings; a new step of devotion forgets nothing else."""
    one = member.with_uses_before(member.listed(place, level, age, day), uses) | member.MOVED
    again = member.listed(place, 3, age, day, one)

    assert (member.place(one), member.level(one), member.age(one), member.day(one)) == (place, level, age, day)
    assert one < 1 << 64
    assert member.uses_before(one) == member.uses_before(again) == min(uses, member.USES_BEFORE_MAX)
    assert again & member.MARKS == member.MOVED
    assert member.uses_before(member.without_uses_before(again)) is None


def _campaign(name: str = VALUE, *, stopped: bool = True) -> Campaign:
    campaign = new_campaign(PREFIX, name, T0, T0)
    campaign.state = ACTIVE
    if stopped:
        campaign.stop({"1:k": FIRST}, STOPPED_AT)
    return campaign


def _with(watch: WatchList, campaign: Campaign, *keys: str) -> WatchList:
    return watch.with_campaign(campaign.campaign_id.encode(), publish(campaign, [CampaignKey("prefix", key, 0.6) for key in keys]))


def _closed(campaign: Campaign) -> Campaign:
    campaign.state = CLOSED
    return campaign


def test_the_keys_of_a_campaign_that_stopped_its_members_are_let_go_with_it() -> None:
    """Not those that another campaign still stops its members by: two were one pool."""
    one, other = _campaign("one"), _campaign("other")
    before = _with(_with(WatchList.empty(), one, VALUE, "shared"), other, "shared")

    assert let_go(before, _with(before, _closed(one)), LET_GO_AT) == {KEY}


def test_a_short_stop_hides_nothing() -> None:
    """A campaign that ends within two hours was mostly a mistake: what cleared its members speaks on."""
    campaign = _campaign()
    before = _with(WatchList.empty(), campaign, VALUE)

    assert let_go(before, _with(before, _closed(campaign)), STOPPED_AT + 2 * HOUR_MS - 1) == set()


@pytest.mark.parametrize("state", [FORMING, DORMANT])
def test_a_campaign_that_is_not_closed_lets_nothing_go(state: str) -> None:
    """It sleeps, or no order is in force: it still has its keys, and judges by what is known of them."""
    campaign = _campaign()
    before = _with(WatchList.empty(), campaign, VALUE)
    campaign.state = state

    assert let_go(before, _with(before, campaign, VALUE), LET_GO_AT) == set()


def test_keys_that_left_the_campaign_one_by_one_are_let_go_with_the_last() -> None:
    """So a campaign of several keys ends by nature."""
    campaign = _campaign()
    before = _with(_with(WatchList.empty(), campaign, VALUE, "another"), campaign, "another")

    assert KEY in let_go(before, _with(before, _closed(campaign)), LET_GO_AT)


def test_a_campaign_that_stopped_nobody_leaves_its_evidence_behind() -> None:
    """Its members went on all the time: what is known of their use is theirs."""
    campaign = _campaign(stopped=False)
    before = _with(WatchList.empty(), campaign, VALUE)

    assert let_go(before, _with(before, _closed(campaign)), LET_GO_AT) == set()


def _pool() -> Iterator[RequestEvent]:
    """Twice an hour each, whenever it is not stopped."""
    dice = random.Random(7)
    for number in range(FIRST + FRESH):
        is_first = number < FIRST
        at = T0 + dice.random() * HOUR_MS if is_first else STOPPED_AT + (number - FIRST) / FRESH * (LET_GO_AT - STOPPED_AT)
        stopped_at = STOPPED_AT if is_first else at + HOUR_MS / 3
        while at < ENDS_AT:
            if not stopped_at <= at < LET_GO_AT:
                yield event(f"a{number}", int(at), prefix=VALUE, payment_fingerprint=f"card-{number}")
            at += dice.expovariate(2 / HOUR_MS)


def _dispersion(*, stopped: bool, restarts: bool = False) -> float:
    """Of the pool's key at the end, when its campaign was closed at `LET_GO_AT`; `restarts`: by a stage that recovered its records then."""
    opened, campaign = open_control(), _campaign(stopped=stopped)
    watched = Control(opened.policies, opened.labels, _with(WatchList.empty(), campaign, VALUE))
    free = Control(opened.policies, opened.labels, _with(watched.watch, _closed(campaign)))
    accounts, records = AccountsStage(0, 1, {}, opened, is_journaled=False), dict[bytes, bytes]()
    links, is_free = LinksStage(0, 1, {}, watched), False
    for one in in_order(_pool()):
        if not is_free and one.event_time >= LET_GO_AT:
            links.follow(free)
            is_free = True
            if restarts:
                records = {key: record for key, record in links.drain().changes if record is not None}
                links = LinksStage(0, 1, dict(records), free)
        accounts.take(one, one.event_time)
        tell(accounts, links)
    memory = links._store.shared(KEY)
    assert memory is not None
    found = memory.link.shown(ENDS_AT).dispersion
    assert found is not None
    return found


def test_a_pool_that_was_let_go_is_as_even_as_ever() -> None:
    """Its evidence had gone by the guard's own doing: half of the accounts were stopped for most of the time, half have hardly begun."""
    assert _dispersion(stopped=False) > 0.15
    assert _dispersion(stopped=True) < 0.05


def test_the_count_goes_on_over_a_restart() -> None:
    """What accounts had used before is stored with them."""
    assert _dispersion(stopped=True, restarts=True) == _dispersion(stopped=True)
