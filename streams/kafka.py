"""Kafka's clients as driftline uses them: the consumer; the producers are in a file of their own.

Every error comes out as a :class:`~streams.kafka_errors.KafkaCallError` with a verdict, except
properties that librdkafka refuses, which are a ``SettingsError``. The clients are not safe to
fork: build them in the process that uses them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, cast

from streams.background import in_background
from streams.kafka_admin import Admin
from streams.kafka_errors import KafkaCallError
from streams.kafka_inbox import Inbox
from streams.kafka_producers import Producer, TransactionalProducer
from streams.kafka_records import Bounds, Committed, Partition, Rebalance, Record
from streams.librdkafka import (
    ConsumerClient,
    Inform,
    KafkaException,
    Message,
    TopicPartition,
    answered,
    built,
    call,
    failure_of,
    ignore_news,
    partition_of,
    partitions_of,
    place_of,
    position_of,
    within,
)

if TYPE_CHECKING:
    from streams.kafka_clients import Properties

__all__ = ["Admin", "Consumer", "Inform", "Producer", "TransactionalProducer"]

_WAKE_S = 1.0
_GONE = "_AUTO_OFFSET_RESET"
# So librdkafka calls a partition that it once saw without a leader, until it asks again.
_LEADERLESS = "_UNKNOWN_PARTITION"
# The member rejoins by itself, and `lost` has told already.
_NEWS = frozenset({"_MAX_POLL_EXCEEDED"})


class Consumer:
    """Reads records, committed ones only.

    Parameters
    ----------
    properties
        Of :func:`~streams.kafka_clients.consumer_properties` or ``reader_properties``.
    inform
        Called inside any call with name and text of what librdkafka tells besides: brokers that
        are away, a poll that came too late. It is information, often repeated: the client mends
        itself. May not raise.
    """

    def __init__(self, properties: Properties, *, inform: Inform | None = None) -> None:
        self._inform = inform or ignore_news
        self._client = built(ConsumerClient, properties, self._inform)
        self._inbox = Inbox()
        self._waiting: set[Partition] = set()
        # A client that is closed while another thread asks it something is freed under its feet.
        self._asking = threading.RLock()
        self._is_abandoned = False
        self._has_moved = False

    def subscribe(self, topics: Sequence[str], listener: Rebalance) -> None:
        """Join the group; the listener is called inside ``consume`` and ``close``."""
        self._client.subscribe(
            list(topics),
            on_assign=lambda _, moved: self._assigned(moved, listener),
            on_revoke=lambda _, moved: self._given_up(moved, listener.revoked),
            on_lost=lambda _, moved: self._given_up(moved, listener.lost),
        )

    def assign(self, starts: Mapping[Partition, int]) -> None:
        """Read these partitions from these offsets, without a group."""
        self._client.assign([place_of(p, Committed(offset)) for p, offset in starts.items()])

    def start(self, partition: Partition, offset: int) -> None:
        """Deliver the records of an assigned partition from this offset on."""
        self._waiting.discard(partition)
        place = place_of(partition, Committed(offset))
        try:
            call("start", self._client.seek, place)
        except KafkaCallError as error:
            if error.name != "_STATE":
                raise
            # It failed while it waited (`_is_error`), and only a new assignment revives it.
            call("start", self._client.incremental_unassign, [place])
            call("start", self._client.incremental_assign, [place])
        call("start", self._client.resume, [place_of(partition)])
        in_background(self._wake, "wake")

    def pause(self, partition: Partition) -> None:
        """Deliver nothing of it until ``start``; what was fetched ahead is thrown away."""
        call("pause", self._client.pause, [place_of(partition)])

    def consume(self, n_records: int, timeout_s: float) -> list[Record]:
        """Give the next records, fewer than asked for once the time is up.

        Raises
        ------
        KafkaCallError
            A partition cannot be read. The records that were read are given by the next call.
        BaseException
            Whatever the listener raised; likewise.
        """
        self._has_moved = False
        messages = call("consume", self._client.consume, n_records, timeout_s)
        if self._has_moved:
            in_background(self._wake, "wake")
        self._inbox.add(cast("Record", m) for m in messages if not self._is_error(m))
        return self._inbox.take()

    def position(self, partition: Partition) -> int | None:
        """Give the next offset to read; ``None`` before the first record after ``start``."""
        (found,) = self._client.position([place_of(partition)])
        return found.offset if found.offset >= 0 else None

    def end_seen(self, partition: Partition) -> int | None:
        """Give where a partition ends as the last fetch told, without asking a broker.

        Records of transactions that are open or were aborted count too.
        """
        _, end = self._client.get_watermark_offsets(place_of(partition), cached=True)
        return end if end >= 0 else None

    def bounds(self, partition: Partition, timeout_s: float) -> Bounds:
        """Give the oldest and the last stable offset, as the broker has them now."""
        place = place_of(partition)

        def ask(left_s: float) -> tuple[int, int]:
            try:
                return self._client.get_watermark_offsets(place, left_s)
            except KafkaException as error:
                if error.args[0].name() == _LEADERLESS:
                    self._refresh(place.topic, left_s)
                raise

        with self._asking:
            return Bounds(*answered("bounds", ask, timeout_s))

    def committed(
        self, partitions: Iterable[Partition], timeout_s: float
    ) -> dict[Partition, Committed | None]:
        """Give what the group has committed; waits for a transaction that is being decided.

        This and ``bounds`` may be called on another thread than the rest.
        """
        asked = [place_of(partition) for partition in partitions]
        with self._asking:
            found = answered("committed", lambda left: self._committed(asked, left), timeout_s)
        return {partition_of(place): position_of(place) for place in found}

    def member(self) -> object:
        """Give this membership as of now, for :meth:`TransactionalProducer.send_offsets`."""
        return self._client.consumer_group_metadata()

    def close(self) -> None:
        """Leave, telling ``revoked`` what was still assigned.

        A member with a name stays in the group until its session ends.
        """
        self._close()
        self._inbox.raise_kept()

    @property
    def member_id(self) -> str:
        """What the group's coordinator calls this member; empty before it has joined."""
        return self._client.memberid() or ""

    def abandon(self, timeout_s: float) -> bool:
        """Close without a word to the listener; return whether it was done within the time.

        A client in the midst of joining brokers that are away may take longer, or never end: it is
        left to itself, and this one may not be used again.
        """
        self._is_abandoned = True
        return within(timeout_s, self._close)

    def _refresh(self, topic: str, timeout_s: float) -> None:
        found = self._client.list_topics(topic, timeout_s).topics[topic]
        if found.error is not None:
            raise KafkaException(found.error)

    def _wake(self) -> None:
        """Wake the threads that fetch, so that partitions go on at once.

        librdkafka pauses all partitions while any moves. If no fetch is under way when they may go
        on, the thread of their broker sleeps for up to a second more; any request wakes it.
        """
        with self._asking, suppress(KafkaException, RuntimeError):
            if not self._is_abandoned:
                for place in self._client.assignment():
                    self._client.get_watermark_offsets(place, _WAKE_S)

    def _close(self) -> None:
        with self._asking:
            self._client.close()

    def _committed(self, asked: list[TopicPartition], timeout_s: float) -> list[TopicPartition]:
        found = self._client.committed(asked, timeout_s)
        for place in found:
            if place.error is not None:
                raise KafkaException(place.error)
        return found

    def _assigned(self, moved: list[TopicPartition], listener: Rebalance) -> None:
        # Any offset will do while it is paused; without one, a group that has committed nothing
        # would be an error. The end would not: it is asked for, and an answer that comes after
        # `start` moves the partition there.
        if self._is_abandoned:
            return
        self._has_moved = True
        places = [TopicPartition(place.topic, place.partition, 0) for place in moved]
        self._waiting.update(partitions_of(moved))
        with self._inbox.kept():
            call("assign", self._client.incremental_assign, places)
            call("assign", self._client.pause, places)
            listener.assigned(partitions_of(moved))

    def _given_up(
        self, moved: list[TopicPartition], tell: Callable[[list[Partition]], None]
    ) -> None:
        partitions = partitions_of(moved)
        self._inbox.drop(partitions)
        self._waiting.difference_update(partitions)
        if self._is_abandoned:
            return
        self._has_moved = True
        with self._inbox.kept():
            tell(partitions)

    def _is_error(self, message: Message) -> bool:
        error = message.error()
        if error is None:
            return False
        if error.name() == _GONE and (message.topic(), message.partition()) in self._waiting:
            pass  # a fetch from 0 was on its way before the pause, and retention was faster
        elif error.name() in _NEWS:
            self._inform(error.name(), error.str())
        else:
            place = f"read {message.topic()}[{message.partition()}]"
            self._inbox.keep(failure_of(place, error))
        return True
