"""What goes in and out of Kafka, in plain values: partitions, offsets, records, moves."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import msgspec


class Partition(NamedTuple):
    """A partition of a topic."""

    topic: str
    number: int


class Committed(NamedTuple):
    """A position that a consumer group committed.

    Attributes
    ----------
    offset
        The next to read.
    metadata
        Text kept beside it, at most 4,095 bytes of UTF-8.
    leader_epoch
        Epoch of the leader that the last record was read from, if known.
    """

    offset: int
    metadata: str = ""
    leader_epoch: int | None = None


class Bounds(NamedTuple):
    """What of a partition can be read.

    Attributes
    ----------
    first
        The oldest offset that retention has left.
    end
        The last stable offset: everything before it is decided, committed or aborted.
    """

    first: int
    end: int


class Record(Protocol):
    """A record that was read. Its values are methods, as the client has them: no copy is made."""

    def topic(self) -> str: ...
    def partition(self) -> int: ...
    def offset(self) -> int: ...
    def key(self) -> bytes | None: ...
    def value(self) -> bytes | None: ...
    def headers(self) -> list[tuple[str, bytes | None]] | None: ...

    def timestamp(self) -> tuple[int, int]:
        """Give its type (0 none, 1 by the producer, 2 by the broker) and milliseconds."""
        ...

    def leader_epoch(self) -> int | None: ...


class Output(msgspec.Struct, frozen=True, gc=False):
    """A record to be written, held until its transaction is committed.

    Attributes
    ----------
    value
        ``None`` is a tombstone.
    timestamp_ms
        0 lets the client take the time of sending. Brokers refuse one more than an hour ahead
        unless the topic's ``message.timestamp.after.max.ms`` allows it.
    partition
        -1 lets the partitioner choose by the key, as Java would.
    """

    topic: str
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes | None]] = []
    timestamp_ms: int = 0
    partition: int = -1


class Rebalance(Protocol):
    """What a consumer tells about its partitions.

    Called on the thread and inside the call of ``consume`` or ``close``, in the order revoked or
    lost, then assigned. An exception is kept and raised once that call has nothing to lose by it.
    """

    def assigned(self, partitions: list[Partition]) -> None:
        """Take partitions over; none delivers a record before ``Consumer.start`` names where."""

    def revoked(self, partitions: list[Partition]) -> None:
        """Give partitions up: the last chance to commit for them; kept ones are not named."""

    def lost(self, partitions: list[Partition]) -> None:
        """Drop partitions that are somebody else's already; a commit would be refused."""
