"""The partitioner agrees with Kafka's Java client."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.partitioning import murmur2, partition_for

# From UtilsTest.testMurmur2 of Apache Kafka; "abc" is its {'a', 'b', 'c'}.
JAVA_HASHES = {
    "21": -973932308,
    "foobar": -790332482,
    "a-little-bit-long-string": -985981536,
    "a-little-bit-longer-string": -1486304829,
    "lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
    "abc": 479470107,
}


@pytest.mark.parametrize(("key", "java_hash"), JAVA_HASHES.items())
def test_the_hash_is_that_of_java(key: str, java_hash: int) -> None:
    assert murmur2(key.encode()) == java_hash % 2**32


@pytest.mark.parametrize(("key", "java_hash"), JAVA_HASHES.items())
def test_the_partition_is_the_hash_without_its_sign_bit(key: str, java_hash: int) -> None:
    assert partition_for(key, 12) == (java_hash & 0x7FFFFFFF) % 12


@given(st.text(st.characters(codec="utf-8")), st.integers(1, 1000))
def test_every_key_has_a_partition(key: str, n_partitions: int) -> None:
    assert 0 <= partition_for(key, n_partitions) < n_partitions


def test_keys_spread_evenly() -> None:
    counts = [0] * 8
    for user in range(8000):
        counts[partition_for(str(user), 8)] += 1
    assert min(counts) > 900
    assert max(counts) < 1100
