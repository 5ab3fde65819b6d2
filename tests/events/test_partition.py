"""An account's events must lie where every Kafka client would put them."""

import random

import confluent_kafka
import pytest
from aiokafka.partitioner import DefaultPartitioner
from aiokafka.partitioner import murmur2 as their_murmur2
from hypothesis import given
from hypothesis import strategies as st

from guard.events.partition import REMEMBERED_MAX, murmur2, partition_of, stable_hash


@given(st.text(st.sampled_from("a0-:é日\U0001f600"), max_size=140), st.integers(1, 64))
def test_the_partition_is_the_one_aiokafka_chooses(account, shards):
    """A gateway on aiokafka or Java must not produce misrouted records."""
    every = list(range(shards))

    assert partition_of(account, shards) == DefaultPartitioner()(account.encode(), every, every)


@given(st.binary(max_size=200))
def test_the_hash_is_that_of_aiokafka(key):
    """The producer decides where a record lies; we must agree."""
    assert murmur2(key) == their_murmur2(key) & 0xFFFFFFFF


@pytest.mark.skipif(not hasattr(confluent_kafka, "murmur2"), reason="this confluent-kafka shows no murmur2")
@given(st.binary(min_size=1, max_size=200), st.integers(1, 64))
def test_the_partition_is_the_one_librdkafka_chooses(key, shards):
    """With `partitioner=murmur2_random`, as the contract says."""
    assert (murmur2(key) & 0x7FFFFFFF) % shards == confluent_kafka.murmur2(key, shards)


@pytest.mark.parametrize(
    ("key", "expected"), [(b"21", -973932308), (b"foobar", -790332482), (b"a-little-bit-long-string", -985981536), (b"abc", 479470107)]
)
def test_the_hash_gives_the_numbers_of_the_java_clients_own_test(key, expected):
    """Most gateways are not written in Python."""
    assert murmur2(key) == expected & 0xFFFFFFFF


def test_the_memory_of_partitions_is_bounded():
    """A flood of new accounts must not fill the worker's memory."""
    for number in range(REMEMBERED_MAX + 1_000):
        partition_of(f"flood-{number}", 8)

    assert partition_of.cache_info().currsize <= REMEMBERED_MAX


def test_accounts_spread_evenly():
    """A crooked hash would make one shard the bottleneck."""
    dice = random.Random(7)
    counts = [0] * 8
    for _ in range(8_000):
        counts[partition_of(f"acct-{dice.getrandbits(48):x}", 8)] += 1

    assert min(counts) > 850


def test_the_stable_hash_never_changes():
    """It lies in stored state: another value would be another account."""
    assert stable_hash("alice") == 0x4DA10DD61A0116B0
