"""Partition of a key, as Kafka's Java client chooses it."""

from __future__ import annotations

_SEED = 0x9747B28C
_M = 0x5BD1E995
_MASK = 0xFFFFFFFF


def murmur2(data: bytes) -> int:
    """Return the 32-bit MurmurHash2 of the bytes, unsigned, with Kafka's seed.

    References
    ----------
    Appleby, MurmurHash2 (2008); ``org.apache.kafka.common.utils.Utils.murmur2``.

    Examples
    --------
    >>> murmur2(b"foobar") - 2**32
    -790332482
    """
    n_whole = len(data) & ~3
    h = _SEED ^ len(data)
    for start in range(0, n_whole, 4):
        k = int.from_bytes(data[start : start + 4], "little") * _M & _MASK
        k = (k ^ k >> 24) * _M & _MASK
        h = h * _M & _MASK ^ k
    if n_whole < len(data):
        h = (h ^ int.from_bytes(data[n_whole:], "little")) * _M & _MASK
    h = (h ^ h >> 13) * _M & _MASK
    return h ^ h >> 15


def partition_for(key: str, n_partitions: int) -> int:
    """Return the partition of a record with this key, from 0.

    It is that of Java's ``DefaultPartitioner`` and of librdkafka's ``murmur2_random`` for a key.

    >>> [partition_for(user, 4) for user in ("1", "2", "3")]
    [3, 0, 3]
    """
    return (murmur2(key.encode()) & 0x7FFFFFFF) % n_partitions
