"""Properties of the clients: what was set by the user, what suits driftline, what it insists on.

They are laid over one another in the order default, user's, owned. The owned ones are those of
:data:`streams.kafka_settings.OWNED`, which no user's can reach here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from streams.errors import SettingsError
from streams.topics import DEAD_LETTER_BYTES

if TYPE_CHECKING:
    from collections.abc import Mapping

    Properties = dict[str, str | int | bool]

_CONSUMER_DEFAULTS: Properties = {
    # The default of 1,000 ms is how long a full queue is not refilled, however soon it is read: a
    # catch-up would wait nine tenths of its time.
    "fetch.queue.backoff.ms": 10,
}
_PRODUCER_DEFAULTS: Properties = {
    # Without these two a transaction hangs far beyond its timeout after a broker's restart, until
    # it is fenced: https://github.com/confluentinc/librdkafka/issues/5511 and 5456.
    "metadata.max.age.ms": 1_000,
    "topic.metadata.refresh.interval.ms": 500,
    # The default of 100 ms is what a transaction waits for its first partitions.
    "retry.backoff.ms": 2,
    "linger.ms": 5,
    "batch.size": 262_144,
    "compression.type": "lz4",
    # A dead letter is an input record and its headers.
    "message.max.bytes": DEAD_LETTER_BYTES,
    # Longer than any planned pause, and as long as a crash may hide a partition's new records.
    "transaction.timeout.ms": 15_000,
}

# Two names of one property.
_LIFETIMES = frozenset({"message.timeout.ms", "delivery.timeout.ms"})
# librdkafka's default.
_SESSION_MS = 45_000
# How long a tool waits for brokers that are away before it gives its records up.
_DELIVERY_MS = 120_000


def admin_properties(kafka: Mapping[str, str]) -> Properties:
    """Give the properties of a client that looks after topics.

    Raises
    ------
    SettingsError
        The brokers are not named.
    """
    if not kafka.get("bootstrap.servers"):
        raise SettingsError(
            "kafka.bootstrap.servers is not set; KAFKA_BOOTSTRAP_SERVERS=host:9092 names a broker"
        )
    return {"client.id": "driftline", **kafka}


def consumer_properties(kafka: Mapping[str, str], *, group: str, member: str) -> Properties:
    """Give the properties of a member of a consumer group.

    Parameters
    ----------
    kafka
        The user's.
    group
        Name of the consumer group.
    member
        Name of the member, stable over restarts: it comes back to its partitions without a
        rebalance while its session lasts. Empty for a member without a name of its own.

    Examples
    --------
    >>> kafka = {"bootstrap.servers": "b:9092", "group.protocol": "consumer"}
    >>> "partition.assignment.strategy" in consumer_properties(kafka, group="g", member="g-0")
    False
    """
    owned: Properties = {
        "group.id": group,
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "auto.offset.reset": "error",
        "isolation.level": "read_committed",
    }
    if member:
        owned["group.instance.id"] = member
    if is_classic(kafka):
        # With the newer protocol the broker assigns, and librdkafka refuses the property.
        owned["partition.assignment.strategy"] = "cooperative-sticky"
    return {**_CONSUMER_DEFAULTS, **admin_properties(kafka), **owned}


def is_classic(kafka: Mapping[str, str]) -> bool:
    """Whether the members share out partitions themselves, and the youngest of a name stays.

    With the newer group protocol the brokers do, and the oldest of a name stays.

    Examples
    --------
    >>> is_classic({}), is_classic({"group.protocol": "consumer"})
    (True, False)
    """
    return kafka.get("group.protocol", "classic").lower() == "classic"


def session_timeout_s(kafka: Mapping[str, str]) -> float:
    """Give the seconds after which the group takes a silent member for gone.

    Examples
    --------
    >>> session_timeout_s({}), session_timeout_s({"session.timeout.ms": "6000"})
    (45.0, 6.0)
    """
    return float(kafka.get("session.timeout.ms", _SESSION_MS)) / 1_000


def reader_properties(kafka: Mapping[str, str]) -> Properties:
    """Give the properties of a consumer that is told its partitions and commits nothing."""
    # A consumer without a group cannot be made; this one is never joined.
    return consumer_properties(kafka, group="driftline-reader", member="")


def producer_properties(kafka: Mapping[str, str], *, transactional_id: str) -> Properties:
    """Give the properties of the transactional producer of one worker.

    Examples
    --------
    >>> kafka = {"bootstrap.servers": "b:9092", "transaction.timeout.ms": "10000"}
    >>> producer_properties(kafka, transactional_id="w-0")["message.timeout.ms"]
    '10000'
    """
    properties: Properties = {
        **_PRODUCER_DEFAULTS,
        **admin_properties(kafka),
        "transactional.id": transactional_id,
        "enable.idempotence": True,
        "partitioner": "murmur2_random",
    }
    if not _LIFETIMES & properties.keys():
        # A record that outlives its transaction is of no use, and librdkafka refuses the setting.
        properties["message.timeout.ms"] = properties["transaction.timeout.ms"]
    return properties


def plain_producer_properties(kafka: Mapping[str, str]) -> Properties:
    """Give the properties of a producer without transactions, for tools.

    Examples
    --------
    >>> plain_producer_properties({"bootstrap.servers": "b:9092"})["enable.idempotence"]
    True
    """
    properties: Properties = {**_PRODUCER_DEFAULTS, **admin_properties(kafka)}
    del properties["transaction.timeout.ms"]
    if not _LIFETIMES & properties.keys():
        properties["message.timeout.ms"] = _DELIVERY_MS
    return {**properties, "enable.idempotence": True, "partitioner": "murmur2_random"}
