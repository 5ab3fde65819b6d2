"""Distinct counting."""

import pytest
import xxhash

from guard.state.sketch import DistinctCount


@pytest.mark.parametrize("accounts", [1, 20, 300, 5_000, 100_000])
def test_the_estimate_stays_within_four_standard_errors(accounts: int) -> None:
    """A sketch whose error nobody knows is a guess: four times 6.5 %."""
    count = DistinctCount()
    for number in range(accounts):
        count.observe(xxhash.xxh3_64_intdigest(f"account-{number}".encode()))

    assert abs(count.estimate() - accounts) <= 0.26 * accounts + 1


def test_seeing_the_same_account_again_changes_nothing() -> None:
    """Popularity counts accounts, not exchanges."""
    count = DistinctCount()
    count.observe(12345)
    before = bytes(count.registers)
    count.observe(12345)

    assert bytes(count.registers) == before
