"""Kafka's producers as driftline uses them: in transactions for workers, without for tools.

Every error comes out as a :class:`~streams.kafka_errors.KafkaCallError` with a verdict, except
properties that librdkafka refuses, which are a ``SettingsError``.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from streams.kafka_errors import KafkaCallError, RecordTooLargeError, Verdict
from streams.kafka_records import Committed, Output, Partition
from streams.librdkafka import (
    Inform,
    KafkaError,
    KafkaException,
    Message,
    ProducerClient,
    built,
    call,
    failure_of,
    ignore_news,
    place_of,
    repeated_call,
    time_is_up,
    within,
)

if TYPE_CHECKING:
    from streams.kafka import Consumer
    from streams.kafka_clients import Properties

_PAUSE_S = 0.01
_DROP_S = 5.0
_TOO_LARGE = "MSG_SIZE_TOO_LARGE"


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

    def drop(self, timeout_s: float = _DROP_S) -> bool:
        """Give up without a word to the broker; return whether it was done within the time.

        No other call may follow. Its threads may need a while to end; they are left to it then.
        """
        clients = [self._client]
        del self._client
        clients[0].purge()
        return within(timeout_s, clients.clear)

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
