"""One account's memory: bounded, exact through its bytes."""

import random
from statistics import mean

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
        one.family_of(hashed & 3 << 20)

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


@given(
    st.integers(0, 2**32 - 1), st.integers(0, 2**16 - 1), st.integers(0, 2**16 - 1), st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1)
)
def test_a_key_use_comes_back_whatever_its_size(uses: int, hour_uses: int, untold_hours: int, untold_pairs: int, met: int) -> None:
    """Small uses take half the bytes, and no count may be lost where one of them outgrows the small form."""
    one = Behaviour()
    one.keys[1], one.keys[2] = KeyUse(1, 1, 1, 0, 0), KeyUse(uses, uses, hour_uses, untold_hours, untold_pairs, met=met)

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


def _reworded(dice: random.Random, prompt: int) -> int:
    """The SimHash of another wording: each bit changes with a chance of one in fourteen, eight of them at most."""
    flipped = [bit for bit in range(64) if dice.random() < 1 / 14]
    for bit in flipped[: b.NEAR_BITS // 2]:
        prompt ^= 1 << bit
    return prompt


def test_what_accounts_ask_in_their_own_words_comes_down_to_nearly_the_same() -> None:
    """Each account sees three wordings that no other sees; the median of them is nearer the prompt than any wording."""
    dice = random.Random(1)
    prompt, families, wordings = dice.getrandbits(64), [], []
    for _ in range(200):
        one, mine = Behaviour(), [_reworded(dice, prompt) for _ in range(3)]
        assert [one.family_of(wording) for wording in mine[:2]] == [None, None]
        found = one.family_of(mine[2])
        assert found is not None
        assert one.family_of(_reworded(dice, prompt)) == found
        families.append(found)
        wordings += mine

    assert mean((family ^ prompt).bit_count() for family in families) < 0.5 * mean((wording ^ prompt).bit_count() for wording in wordings)


def test_prompts_that_have_nothing_in_common_are_no_family() -> None:
    """Ten thousand prompts at random: none is a wording of another, and what is remembered stays bounded."""
    one, dice = Behaviour(), random.Random(2)

    assert all(one.family_of(dice.getrandbits(64)) is None for _ in range(10_000))
    assert len(one.prompts) == b.PROMPTS_MAX


def test_what_an_account_did_before_it_met_a_key_says_nothing_about_the_key() -> None:
    """A bought account has a past; from the day it joins a pool it works for it."""
    one = Behaviour()
    one.exchanges = 501
    use = one.remember_key(7)
    one.exchanges, use.uses = 520, 16

    assert one.devotion(use.uses, use.met) == 16 / 20
    assert one.is_devoted(7)


def test_a_prompt_that_is_tried_is_not_what_an_account_works_with() -> None:
    """Four uses right after one another are one sitting: they are held against the last sixteen exchanges."""
    one = Behaviour()
    one.exchanges = 501
    use = one.remember_key(7)
    one.exchanges, use.uses = 504, 4

    assert one.devotion(use.uses, use.met) == 4 / b.DEVOTED_OVER
    assert not one.is_devoted(7)
