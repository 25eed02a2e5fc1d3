"""Kafka's consumer and producers as driftline uses them.

Every error comes out as a :class:`~streams.kafka_errors.KafkaCallError` with a verdict, except
properties that librdkafka refuses, which are a ``SettingsError``. The clients are not safe to
fork: build them in the process that uses them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from streams.kafka_admin import Admin
from streams.kafka_errors import KafkaCallError, RecordTooLargeError, Verdict
from streams.kafka_inbox import Inbox
from streams.kafka_records import Bounds, Committed, Output, Partition, Rebalance, Record
from streams.librdkafka import (
    ConsumerClient,
    Inform,
    KafkaError,
    KafkaException,
    Message,
    ProducerClient,
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
    repeated_call,
    time_is_up,
)

if TYPE_CHECKING:
    from streams.kafka_clients import Properties

__all__ = ["Admin", "Consumer", "Inform", "Producer", "TransactionalProducer"]

_PAUSE_S = 0.01
_GONE = "_AUTO_OFFSET_RESET"
_TOO_LARGE = "MSG_SIZE_TOO_LARGE"
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
        messages = call("consume", self._client.consume, n_records, timeout_s)
        self._inbox.add(cast("Record", m) for m in messages if not self._is_error(m))
        return self._inbox.take()

    def position(self, partition: Partition) -> int | None:
        """Give the next offset to read; ``None`` before the first record after ``start``."""
        (found,) = self._client.position([place_of(partition)])
        return found.offset if found.offset >= 0 else None

    def bounds(self, partition: Partition, timeout_s: float) -> Bounds:
        """Give the oldest and the last stable offset, as the broker has them now."""
        place = place_of(partition)
        return Bounds(
            *answered(
                "bounds", lambda left: self._client.get_watermark_offsets(place, left), timeout_s
            )
        )

    def committed(
        self, partitions: Iterable[Partition], timeout_s: float
    ) -> dict[Partition, Committed | None]:
        """Give what the group has committed; waits for a transaction that is being decided."""
        asked = [place_of(partition) for partition in partitions]
        found = answered("committed", lambda left: self._committed(asked, left), timeout_s)
        return {partition_of(place): position_of(place) for place in found}

    def member(self) -> object:
        """Give this membership as of now, for :meth:`TransactionalProducer.send_offsets`."""
        return self._client.consumer_group_metadata()

    def close(self) -> None:
        """Leave, telling ``revoked`` what was still assigned.

        A member with a name stays in the group until its session ends.
        """
        self._client.close()
        self._inbox.raise_kept()

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


class _Sender:
    """What both producers do: queue records, wait for them, give up."""

    def __init__(self, properties: Properties, *, inform: Inform | None = None) -> None:
        self._client = built(ProducerClient, properties, inform or ignore_news)
        self._report: Callable[[KafkaError | None, Message], None] | None = None

    def send(self, records: Iterable[Output], timeout_s: float) -> None:
        """Queue records; waits while the queue is full.

        Delivery is not waited for. A record that cannot be delivered makes a later call fail, in a
        transaction with the verdict abort.

        Raises
        ------
        RecordTooLargeError
            One was refused.
        """
        deadline = time.monotonic() + timeout_s
        for record in records:
            while not self._queued(record):
                if time.monotonic() >= deadline:
                    raise time_is_up("send", "the queue is full")
                call("send", self._client.poll, _PAUSE_S)

    def flush(self, timeout_s: float) -> None:
        """Wait until every record is delivered or has failed.

        Before ``send_offsets``: without it a transaction takes 100 ms instead of 4.
        """
        n_left = call("flush", self._client.flush, timeout_s)
        if n_left:
            raise time_is_up("flush", f"{n_left} records are not delivered")

    def drop(self) -> None:
        """Give up without a word to the broker; no other call may follow."""
        self._client.purge()
        del self._client

    def _queued(self, record: Output) -> bool:
        # By position: names would double what a record costs here.
        place = (record.topic, record.value, record.key, record.partition)
        headers: Any = record.headers or None  # a list of bytes is no list of text or bytes
        try:
            self._client.produce(*place, self._report, None, record.timestamp_ms, headers)
        except BufferError:
            return False
        except KafkaException as error:
            failure = failure_of("send", error.args[0])
            if failure.name == _TOO_LARGE:
                raise RecordTooLargeError(record, failure) from error
            raise failure from error
        return True


class TransactionalProducer(_Sender):
    """Writes records and offsets in transactions, one at a time.

    The calls of a transaction are ``begin``, ``send`` (any number), ``flush``, ``send_offsets``,
    ``commit`` or ``abort``. Each repeats itself within its time where librdkafka allows it, and
    raises a :class:`~streams.kafka_errors.KafkaCallError` otherwise.

    Parameters
    ----------
    properties
        Of :func:`~streams.kafka_clients.producer_properties`.
    inform
        As for :class:`Consumer`.
    """

    def init(self, timeout_s: float) -> None:
        """Fence older producers of the id and settle what they left; once, before ``begin``."""
        repeated_call("init", self._client.init_transactions, timeout_s)

    def begin(self) -> None:
        call("begin", self._client.begin_transaction)

    def send_offsets(
        self, offsets: Mapping[Partition, Committed], consumer: Consumer, timeout_s: float
    ) -> None:
        """Add the positions of a consumer, as the member of its group that it is now."""
        member = consumer.member()
        places = [place_of(partition, position) for partition, position in offsets.items()]
        repeated_call(
            "send offsets",
            lambda left: self._client.send_offsets_to_transaction(places, member, left),
            timeout_s,
        )

    def commit(self, timeout_s: float) -> None:
        """Commit; when the time is up the verdict is unknown, never retry."""
        try:
            repeated_call("commit", self._client.commit_transaction, timeout_s)
        except KafkaCallError as error:
            if error.verdict is Verdict.RETRY:
                raise error.settled_as(Verdict.UNKNOWN) from error
            raise

    def abort(self, timeout_s: float) -> None:
        repeated_call("abort", self._client.abort_transaction, timeout_s)


class Producer(_Sender):
    """Writes records as they come, each once and in order, without transactions.

    Parameters
    ----------
    properties
        Of :func:`~streams.kafka_clients.plain_producer_properties`.
    inform
        As for :class:`Consumer`.

    Attributes
    ----------
    n_delivered : int
        Records that the brokers have acknowledged.
    """

    def __init__(self, properties: Properties, *, inform: Inform | None = None) -> None:
        super().__init__(properties, inform=inform)
        self.n_delivered = 0
        self._error: KafkaError | None = None
        self._report = self._delivered

    @property
    def n_waiting(self) -> int:
        """Records that are sent and not yet acknowledged."""
        return len(self._client)

    def wait(self, timeout_s: float) -> None:
        """Take acknowledgements in until one came or the time is up.

        Raises
        ------
        KafkaCallError
            A record could not be delivered; said once, for the first.
        """
        call("wait", self._client.poll, timeout_s)
        error, self._error = self._error, None
        if error is not None:
            raise failure_of("deliver", error)

    def _delivered(self, error: KafkaError | None, message: Message) -> None:  # noqa: ARG002
        if error is None:
            self.n_delivered += 1
        else:
            self._error = self._error or error
