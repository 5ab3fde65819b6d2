"""A first contact in a hundred bytes, and back: nothing that a second account's arrival needs is lost."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from guard.engine.first_record import First, pack_first, paraphrases_in, restore_first
from guard.engine.forwards import Contact
from guard.errors import GuardError
from guard.state import member
from guard.state.link import NETWORK, PARAPHRASE, PAYMENT, PREFIX, KeyKind
from tests.support.contacts import contact
from tests.support.events import T0

SHARES = ("devotion", "asks", "grades", "voice", "rubric", "single_turn", "timed", "spread")
_share = st.integers(0, 1_000).map(lambda steps: steps / 1_000)


@st.composite
def contacts(draw: st.DrawFn) -> Contact:
    """Any contact of an account with one key, its shares in thousandths."""
    kind = draw(st.sampled_from([PAYMENT, PREFIX, NETWORK]))
    found = contact(
        kind, draw(st.integers(0, (1 << 64) - 1)), draw(st.text(min_size=1, max_size=40)), "alice", T0, 0, draw(st.integers(1, 10**9))
    )
    for name in SHARES:
        setattr(found, name, draw(_share))
    found.pace = draw(st.one_of(st.just(-1.0), st.integers(0, 30_000).map(lambda steps: steps / 1_000)))
    found.spread = draw(st.one_of(st.just(-1.0), _share))
    found.card = found.value if kind == PAYMENT else draw(st.sampled_from(["", "k1:card"]))
    found.organisation, found.model = draw(st.sampled_from(["", "org"])), draw(st.sampled_from(["", "m-large"]))
    found.age, found.created_day, found.limit_rpm = draw(st.integers(0, 3)), draw(st.integers(0, 40_000)), draw(st.integers(0, 10**6))
    found.input_tokens, found.output_tokens, found.reasoning_tokens = (draw(st.integers(0, 10**9)) for _ in range(3))
    found.tokens_per_use, found.declined = float(draw(st.integers(0, 10**6))), draw(st.integers(-1, 1))
    return found


@given(contacts(), st.sampled_from([0, T0 // 1_000]), st.sampled_from([0, member.SEEN, member.MARKS]))
def test_a_contact_comes_back_as_it_was_kept(found: Contact, wave_s: int, marks: int) -> None:
    """Key and value are known to whoever asks, so they are not kept."""
    first = First(found, wave_s, marks)

    assert restore_first(pack_first(first), found.key, found.value) == first


def test_a_usual_one_takes_less_than_a_hundred_bytes() -> None:
    """A million accounts have a card, and a network or two, that nobody else uses."""
    found = contact(NETWORK, 1, "k1:9f3c0011aabbccdd", "acct-0123456789ab", T0)
    found.card, found.model, found.pace, found.voice = "k1:0011aabbccdd9f3c", "m-large", 9.123, 0.123

    assert len(pack_first(First(found))) < 100


def test_a_family_of_paraphrases_keeps_its_simhash() -> None:
    """It is compared with others before anybody asks for it."""
    later, sooner = (contact(PARAPHRASE, 1, f"{simhash:016x}", "alice", at) for simhash, at in ((0x5DEE, T0 + 1), (0x7AB, T0)))

    assert paraphrases_in(pack_first(First(one)) for one in (later, contact(NETWORK, 1, "net", "alice", T0), sooner)) == [0x7AB, 0x5DEE]


@pytest.mark.parametrize("kind", list(KeyKind))
def test_another_layout_is_refused_in_one_line(kind: KeyKind) -> None:
    """A contact as it travels begins with its kind: read as this layout it would be nonsense, or a traceback."""
    packed = msgspec.msgpack.encode(contact(kind, 1, "net", "alice", T0))

    with pytest.raises(GuardError, match=f"first contact record has format {int(kind)}, this guard reads 16"):
        restore_first(packed, 1, "net")
