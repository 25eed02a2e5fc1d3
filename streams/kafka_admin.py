"""Topics and consumer groups, seen and changed from outside."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from streams.kafka_errors import KafkaCallError, Verdict, repeated
from streams.kafka_records import Committed, Partition
from streams.librdkafka import (
    AdminClient,
    ConfigResource,
    ConsumerGroupDescription,
    ConsumerGroupTopicPartitions,
    IsolationLevel,
    KafkaException,
    NewTopic,
    OffsetSpec,
    TopicCollection,
    TopicDescription,
    answered,
    built,
    call,
    failure_of,
    ignore_news,
    partition_of,
    place_of,
    time_is_up,
)
from streams.topics import TopicError, TopicSpec, TopicState

if TYPE_CHECKING:
    from concurrent.futures import Future

    from streams.kafka_clients import Properties


class Member(NamedTuple):
    """A live member of a consumer group.

    Attributes
    ----------
    name
        The static one, else what the broker gave.
    host
        Where it connects from.
    member_id
        What the broker gave.
    """

    name: str
    host: str
    member_id: str

    @property
    def is_static(self) -> bool:
        """Whether it stays in the group until its session ends, even if it was stopped."""
        return self.name != self.member_id


class Admin:
    """Makes topics, looks at them and at consumer groups, and moves the positions of a group.

    Parameters
    ----------
    properties
        Of :func:`~streams.kafka_clients.admin_properties`.
    timeout_s
        How long one answer may take.
    """

    def __init__(self, properties: Properties, *, timeout_s: float = 30.0) -> None:
        self._client = built(AdminClient, properties, ignore_news)
        self._timeout_s = timeout_s
        self._address = properties["bootstrap.servers"]

    def create(self, specs: Sequence[TopicSpec]) -> dict[str, bool]:
        """Make topics and wait until they are seen; by name, false for one that was there."""
        new = [
            NewTopic(spec.name, spec.n_partitions, spec.replication, config=spec.config)
            for spec in specs
        ]
        made = self._client.create_topics(new, operation_timeout=self._timeout_s) if new else {}
        is_made = {name: _is_made(name, future) for name, future in made.items()}
        repeated(lambda _: self._check_seen(is_made), self._timeout_s)
        return is_made

    def describe(self, names: Iterable[str]) -> dict[str, TopicState | None]:
        """Give topics as they are; ``None`` for one that is not there."""
        self._reach()
        wanted = TopicCollection(list(names))
        found = self._client.describe_topics(wanted, request_timeout=self._timeout_s)
        shapes = {name: _shape(future) for name, future in found.items()}
        configs = self._configs([name for name, shape in shapes.items() if shape])
        return {
            name: TopicState(*shape, config=configs[name]) if shape else None
            for name, shape in shapes.items()
        }

    def existing(self, names: Iterable[str]) -> dict[str, TopicState]:
        """Give topics that must be there.

        Raises
        ------
        TopicError
            One is not.
        """
        found = self.describe(names)
        missing = [name for name, state in found.items() if state is None]
        if missing:
            raise TopicError(
                f"no topic {', '.join(missing)} at {self._address}; driftline topics create makes"
                " what the settings name"
            )
        return {name: state for name, state in found.items() if state}

    def members(self, group: str) -> list[Member]:
        """Give who is in a group, those included whose session has not ended yet."""
        self._reach()

        def ask(left_s: float) -> ConsumerGroupDescription:
            asked = self._client.describe_consumer_groups([group], request_timeout=left_s)
            found: ConsumerGroupDescription = asked[group].result()
            return found

        try:
            found = answered("describe group", ask, self._timeout_s).members
        except KafkaCallError as error:
            if error.name != "GROUP_ID_NOT_FOUND":
                raise
            return []
        return [Member(m.group_instance_id or m.member_id, m.host, m.member_id) for m in found]

    def offsets_at(self, partitions: Iterable[Partition], time_ms: int) -> dict[Partition, int]:
        """Give the first offset at or after a time; a partition without one is left out."""
        wanted = {place_of(p): OffsetSpec.for_timestamp(time_ms) for p in partitions}
        committed = IsolationLevel.READ_COMMITTED

        def ask(left_s: float) -> dict[Partition, int]:
            asked = self._client.list_offsets(
                wanted, isolation_level=committed, request_timeout=left_s
            )
            return {partition_of(place): future.result().offset for place, future in asked.items()}

        found = answered("list offsets", ask, self._timeout_s)
        return {partition: offset for partition, offset in found.items() if offset >= 0}

    def move(self, group: str, positions: Mapping[Partition, Committed]) -> None:
        """Commit positions for a group; the broker refuses while it has members."""
        places = [place_of(partition, position) for partition, position in positions.items()]
        wanted = [ConsumerGroupTopicPartitions(group, places)]

        def ask(left_s: float) -> None:
            asked = self._client.alter_consumer_group_offsets(wanted, request_timeout=left_s)
            for place in asked[group].result().topic_partitions:
                if place.error is not None:
                    raise KafkaException(place.error)

        answered("move", ask, self._timeout_s)

    def _check_seen(self, names: Iterable[str]) -> None:
        unseen = [name for name, state in self.describe(names).items() if state is None]
        if unseen:
            raise time_is_up("create", f"the broker does not show {', '.join(unseen)} yet")

    def _reach(self) -> None:
        try:
            self._client.list_topics(timeout=self._timeout_s)
        except KafkaException as error:
            failure = failure_of("connect", error.args[0])
            raise KafkaCallError(
                f"no broker answers at {self._address} within {self._timeout_s:g} s",
                name=failure.name,
                text=failure.text,
                verdict=Verdict.RETRY,
            ) from error

    def _configs(self, names: Sequence[str]) -> dict[str, dict[str, str]]:
        kind = ConfigResource.Type.TOPIC
        wanted = [ConfigResource(kind, name) for name in names]
        if not wanted:
            return {}
        found = self._client.describe_configs(wanted, request_timeout=self._timeout_s)
        answers = {resource.name: call("describe", f.result) for resource, f in found.items()}
        return {
            name: {key: str(entry.value) for key, entry in entries.items()}
            for name, entries in answers.items()
        }


def _is_made(name: str, future: Future[None]) -> bool:
    try:
        call(f"create {name}", future.result)
    except KafkaCallError as error:
        if error.name != "TOPIC_ALREADY_EXISTS":
            raise
        return False
    return True


def _shape(future: Future[TopicDescription]) -> tuple[int, int] | None:
    try:
        partitions = call("describe", future.result).partitions
    except KafkaCallError as error:
        if error.name != "UNKNOWN_TOPIC_OR_PART":
            raise
        return None
    return len(partitions), min(len(partition.replicas) for partition in partitions)
