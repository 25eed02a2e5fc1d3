"""What driftline uses of confluent_kafka, with its errors as ours; the only file that imports it.

The clients are not safe to fork: build them in the process that uses them.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from concurrent.futures import wait
from typing import TYPE_CHECKING, TypeVar

from confluent_kafka import (
    OFFSET_INVALID,
    ConsumerGroupTopicPartitions,
    IsolationLevel,
    KafkaError,
    KafkaException,
    Message,
    TopicCollection,
    TopicPartition,
)
from confluent_kafka import Consumer as ConsumerClient
from confluent_kafka import Producer as ProducerClient
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # not marked as exported
    AdminClient,
    ConfigResource,
    ConsumerGroupDescription,
    NewTopic,
    OffsetSpec,
    TopicDescription,
)

from streams.background import in_background
from streams.errors import SettingsError
from streams.kafka_errors import KafkaCallError, Verdict, repeated, verdict_of
from streams.kafka_records import Committed, Partition
from streams.logging_lines import CLIENT_LOG

if TYPE_CHECKING:
    from streams.kafka_clients import Properties

__all__ = [
    "AdminClient",
    "ConfigResource",
    "ConsumerClient",
    "ConsumerGroupDescription",
    "ConsumerGroupTopicPartitions",
    "Inform",
    "IsolationLevel",
    "KafkaError",
    "KafkaException",
    "Message",
    "NewTopic",
    "OffsetSpec",
    "ProducerClient",
    "TopicCollection",
    "TopicDescription",
    "TopicPartition",
    "answered",
    "built",
    "call",
    "failure_of",
    "ignore_news",
    "partition_of",
    "partitions_of",
    "place_of",
    "position_of",
    "repeated_call",
    "time_is_up",
    "within",
]

_log = logging.getLogger(CLIENT_LOG)
_Client = TypeVar("_Client")
_Answer = TypeVar("_Answer")
Inform = Callable[[str, str], None]

# librdkafka marks errors as retriable in transactions only. These pass by themselves: brokers are
# away or have just come, or a partition's or group's leader moves.
_PASSING = frozenset(
    {
        "_ALL_BROKERS_DOWN",
        "_RESOLVE",
        "_TIMED_OUT",
        "_TIMED_OUT_QUEUE",
        "_TRANSPORT",
        "_UNKNOWN_PARTITION",  # or without a leader, as its topic exists
        "_WAIT_COORD",
        "BROKER_NOT_AVAILABLE",
        "COORDINATOR_LOAD_IN_PROGRESS",
        "COORDINATOR_NOT_AVAILABLE",
        "FENCED_LEADER_EPOCH",
        "LEADER_NOT_AVAILABLE",
        "NETWORK_EXCEPTION",
        "NOT_COORDINATOR",
        "NOT_LEADER_FOR_PARTITION",
        "OFFSET_NOT_AVAILABLE",
        "REQUEST_TIMED_OUT",
        "UNKNOWN_LEADER_EPOCH",
        "UNSTABLE_OFFSET_COMMIT",
    }
)


def built(kind: Callable[..., _Client], properties: Properties, inform: Inform) -> _Client:
    """Make a client that logs as Python does.

    Raises
    ------
    SettingsError
        librdkafka refuses a property.
    """
    own = {"logger": _log, "error_cb": lambda error: inform(error.name(), error.str())}
    try:
        return kind({**properties, **own})
    except KafkaException as error:
        raise SettingsError(f"kafka: {error.args[0].str()}") from error


def call(name: str, function: Callable[..., _Answer], *arguments: object) -> _Answer:
    """Call a client; what it raises comes out as a :class:`KafkaCallError`."""
    try:
        return function(*arguments)
    except KafkaException as error:
        raise failure_of(name, error.args[0]) from error


def repeated_call(name: str, function: Callable[[float], _Answer], timeout_s: float) -> _Answer:
    """Repeat a call, which gets the seconds left, while librdkafka allows it."""
    return repeated(lambda left_s: call(name, function, left_s), timeout_s)


def answered(name: str, question: Callable[[float], _Answer], timeout_s: float) -> _Answer:
    """Ask what may be asked twice, which gets the seconds left, until somebody answers.

    Raises
    ------
    KafkaCallError
        With the verdict retry when nobody did: it may be asked again at any time.
    """
    return repeated(lambda left_s: _asked(name, question, left_s), timeout_s)


def _asked(name: str, question: Callable[[float], _Answer], left_s: float) -> _Answer:
    try:
        return call(name, question, left_s)
    except KafkaCallError as error:
        if error.name in _PASSING and error.verdict is Verdict.FATAL:
            raise error.settled_as(Verdict.RETRY) from error
        raise


def failure_of(name: str, error: KafkaError) -> KafkaCallError:
    """Give an error of librdkafka as the failure of the call of that name."""
    verdict = verdict_of(
        is_fatal=error.fatal(),
        needs_abort=error.txn_requires_abort(),
        is_retriable=error.retriable(),
    )
    return KafkaCallError(name, name=error.name(), text=error.str(), verdict=verdict)


def time_is_up(name: str, text: str) -> KafkaCallError:
    """Give the failure of a call that may go on as long as wanted."""
    return KafkaCallError(name, name="_TIMED_OUT", text=text, verdict=Verdict.RETRY)


def within(timeout_s: float, call: Callable[[], object]) -> bool:
    """Call in another thread and wait so long; return whether it has come back."""
    return bool(wait([in_background(call, "closing")], timeout_s).done)


def place_of(partition: Partition, position: Committed | None = None) -> TopicPartition:
    """Give a partition, and a position in it, as the client names them."""
    if position is None:
        return TopicPartition(partition.topic, partition.number, OFFSET_INVALID)
    place = (partition.topic, partition.number, position.offset, position.metadata)
    if position.leader_epoch is None:
        return TopicPartition(*place)
    return TopicPartition(*place, position.leader_epoch)


def partition_of(place: TopicPartition) -> Partition:
    """Give the partition that a client's place is in."""
    return Partition(place.topic, place.partition)


def position_of(place: TopicPartition) -> Committed | None:
    """Give the committed position, ``None`` where there is none."""
    if place.offset < 0:
        return None
    return Committed(place.offset, place.metadata or "", place.leader_epoch)


def partitions_of(places: Iterable[TopicPartition]) -> list[Partition]:
    """Give the partitions of a client's places in their order."""
    return sorted(map(partition_of, places))


def ignore_news(name: str, text: str) -> None:
    """Say nothing: librdkafka's own log says the same."""
