"""One account's memory: bounded, exact through its bytes."""

from hypothesis import given
from hypothesis import strategies as st

from guard.state import behaviour as b
from guard.state.behaviour import Behaviour, KeyUse
from guard.state.packing import BEHAVIOUR_BYTES_MAX, pack_behaviour, restore_behaviour


def _hash(number: int) -> bytes:
    return number.to_bytes(8, "little")


@given(st.lists(st.tuples(st.integers(1, 2**63), st.integers(0, 10**9), st.floats(0, 1)), max_size=400))
def test_packing_and_restoring_changes_nothing(exchanges: list[tuple[int, int, float]]) -> None:
    """A record restored after a crash must go on exactly as one that never left memory."""
    one = Behaviour()
    for hashed, at, share in exchanges:
        one.is_duplicate(_hash(hashed), at)
        one.windows.observe(at, 1.0, 10, 20, 5)
        one.fade_in(b.ELICITATION, share)
        one.current_keys = [hashed]
        (one.keys.get(hashed) or one.remember_key(hashed)).uses += 1
        one.remember_conversation(hashed)

    packed = pack_behaviour(one)

    assert pack_behaviour(restore_behaviour(packed)) == packed
    assert len(packed) <= BEHAVIOUR_BYTES_MAX


def test_numbers_as_large_as_they_get_come_back() -> None:
    """Tokens not told of yet are counted in millions by a busy account within one flush."""
    one = Behaviour()
    one.first_s = one.created_s = one.limit_rpm = one.exchanges = one.hour_s = one.slot_s = one.refused = 2**32 - 1
    one.slot, one.untold_tokens = 255, [2**32 - 1, 2**31, 2**30]

    back = restore_behaviour(pack_behaviour(one))

    assert (back.slot, back.slot_s, back.refused, back.untold_tokens) == (255, 2**32 - 1, 2**32 - 1, [2**32 - 1, 2**31, 2**30])


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**16 - 1), st.integers(0, 2**16 - 1), st.integers(0, 2**32 - 1))
def test_a_key_use_comes_back_whatever_its_size(uses: int, hour_uses: int, untold_hours: int, untold_pairs: int) -> None:
    """Small uses take half the bytes, and no count may be lost where one of them outgrows the small form."""
    one = Behaviour()
    one.keys[1], one.keys[2] = KeyUse(1, 1, 1, 0, 0), KeyUse(uses, uses, hour_uses, untold_hours, untold_pairs)

    assert restore_behaviour(pack_behaviour(one)).keys == one.keys


def test_a_duplicate_is_recognised_within_64_exchanges() -> None:
    """The contract's promise to producers that retry, however slowly the account calls."""
    one = Behaviour()
    ids = range(1, 65)
    day_ms = 86_400_000
    assert not any(one.is_duplicate(_hash(hashed), hashed * day_ms) for hashed in ids)

    assert all(one.is_duplicate(_hash(hashed), 65 * day_ms) for hashed in ids)


def test_a_busy_account_remembers_ten_minutes() -> None:
    """Two hundred exchanges in ten minutes: the first one delivered again is still a duplicate."""
    one = Behaviour()
    for hashed in range(1, 201):
        one.is_duplicate(_hash(hashed), hashed * 3_000)

    assert one.is_duplicate(_hash(1), 600_000)


def test_memory_stays_bounded_and_keeps_the_keys_in_use() -> None:
    """Ten thousand different prompts must not push out the card that pays for them."""
    one = Behaviour()
    one.remember_key(7).uses += 100
    for other in range(100, 10_100):
        one.current_keys = [7]
        one.remember_key(other)

    assert len(one.keys) == b.KEYS_MAX
    assert 7 in one.keys
