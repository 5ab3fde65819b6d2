"""What recovery keeps: the newest value of each key, per partition, and for which N it was built."""

import pytest

from guard.errors import ClusterMismatchError
from guard.streaming.meta import META_KEY, meta_value, take_meta


def test_state_for_the_same_number_of_partitions_is_taken_without_the_mark():
    """The mark is the shell's; a stage must not find a record that it does not know."""
    records = {META_KEY: meta_value(8), b"a:alice": b"x"}

    assert take_meta(records, 8, "accounts-state-0")
    assert records == {b"a:alice": b"x"}


def test_a_new_partition_has_no_mark_yet():
    """The first flush writes it."""
    assert not take_meta({}, 8, "accounts-state-0")


def test_state_for_another_number_of_partitions_is_refused_with_both_numbers():
    """The operator must see at once what was changed."""
    with pytest.raises(ClusterMismatchError, match=r"built for 8 partitions of guard\.requests, which has 12 now"):
        take_meta({META_KEY: meta_value(8)}, 12, "accounts-state-0")
