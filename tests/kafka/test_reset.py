import json
import time
from datetime import UTC, datetime, timedelta

import pytest

from streams.kafka import Consumer, Producer
from streams.kafka_clients import consumer_properties, plain_producer_properties
from streams.kafka_errors import KafkaCallError
from streams.kafka_records import Committed, Output, Partition
from streams.snapshots import owner_of
from streams.stores import MANIFEST_FILE
from tests.kafka.commands import WAIT_S, Place

N_RECORDS = 5


class Listener:
    def __init__(self):
        self.n_assigned = 0

    def assigned(self, partitions):
        self.n_assigned += len(partitions)

    def revoked(self, partitions):
        pass

    def lost(self, partitions):
        pass


@pytest.fixture
def place(broker, topic_names, tmp_path):
    place = Place(broker, topic_names, tmp_path / "snapshots").make()
    write(place, [0] * N_RECORDS + [1] * N_RECORDS + [2] * N_RECORDS)
    return place


def write(place, numbers):
    """Write a record to each partition named."""
    producer = Producer(plain_producer_properties(place.kafka))
    topic = place.names.views
    producer.send([Output(topic, b"k", b"v", partition=n) for n in numbers], WAIT_S)
    while producer.n_waiting:
        producer.wait(1)


def move(place, *offsets):
    """Commit an offset in each partition, as a worker that was here before."""
    partitions = [Partition(place.names.views, number) for number in range(len(offsets))]
    positions = map(Committed, offsets)
    place.admin.move(place.names.group, dict(zip(partitions, positions, strict=True)))


def offsets(place):
    return [position and position.offset for position in place.committed()]


def snapshot(place, partition, offset):
    found = place.folder / owner_of(partition) / f"{offset:020d}"
    found.mkdir(parents=True)
    (found / MANIFEST_FILE).touch()


def joined(place, member):
    """Give a live member of the group."""
    quick = {"session.timeout.ms": "3000", "heartbeat.interval.ms": "300"}
    properties = consumer_properties(place.kafka | quick, group=place.names.group, member=member)
    consumer, listener = Consumer(properties), Listener()
    consumer.subscribe([place.names.views], listener)
    deadline = time.monotonic() + WAIT_S
    while listener.n_assigned < place.n_partitions:
        assert time.monotonic() < deadline
        consumer.consume(1, 0.1)
    return consumer


def test_to_earliest_sets_every_partition_to_what_is_left(place):
    move(place, 5, 3, 1)
    result = place.run("reset", "--to-earliest")
    assert result.exit_code == 0, result.output
    assert result.output.splitlines() == [
        "partition  from  to  state made from",
        "0          5     0   the first view",
        "1          3     0   the first view",
        "2          1     0   the first view",
        "The offsets are set.",
    ]
    assert offsets(place) == [0, 0, 0]


def test_a_dry_run_shows_the_same_and_changes_nothing(place):
    move(place, 5, 3, 1)
    result = place.run("reset", "--to-offset", "2", "--dry-run")
    assert result.exit_code == 0, result.output
    assert "1          3     2   the first view" in result.output
    assert result.output.endswith("Nothing was changed.\n")
    assert offsets(place) == [5, 3, 1]


def test_a_group_that_never_committed_can_be_set_too(place):
    result = place.run("reset", "--to-offset", "2", "--partition", "1")
    assert result.exit_code == 0, result.output
    assert "1          none  2   the first view" in result.output
    assert offsets(place) == [None, 2, None]


def test_snapshots_above_the_new_offset_are_left_and_named(place):
    for offset in (1, 3, 5):
        snapshot(place, 0, offset)
    move(place, 5, 5, 5)
    result = place.run("reset", "--to-offset", "2")
    assert result.exit_code == 0, result.output
    assert "0          5     2   snapshot 1" in result.output
    assert "2 snapshots above the new offsets stay on disk" in result.output
    assert [json.loads(position.metadata) for position in place.committed()] == [
        {"snapshot": 1},
        {"snapshot": None},
        {"snapshot": None},
    ]
    assert len(list((place.folder / owner_of(0)).iterdir())) == 3


def test_to_datetime_and_by_duration_go_by_the_time_of_writing(place):
    time.sleep(1.5)
    between = datetime.now(UTC) - timedelta(seconds=0.5)
    write(place, [0, 0])
    move(place, 0, 0, 0)
    assert place.run("reset", "--to-datetime", between.isoformat()).exit_code == 0
    assert offsets(place) == [N_RECORDS, N_RECORDS, N_RECORDS]  # the end, where nothing is later
    assert place.run("reset", "--by-duration", "1h").exit_code == 0
    assert offsets(place) == [0, 0, 0]
    future = datetime.now(UTC) + timedelta(hours=1)
    assert place.run("reset", "--to-datetime", future.isoformat()).exit_code == 0
    assert offsets(place) == [N_RECORDS + 2, N_RECORDS, N_RECORDS]


def test_a_group_that_is_alive_is_refused_by_the_names_of_its_members(place):
    move(place, 5, 5, 5)
    member = joined(place, "g-0")
    sentence = place.refusal("reset", "--to-earliest")
    assert f"the group {place.names.group} has live members: g-0 on " in sentence
    assert place.refusal("reset", "--to-earliest", "--dry-run") == sentence
    with pytest.raises(KafkaCallError, match="move: UNKNOWN_MEMBER_ID"):
        move(place, 0, 0, 0)
    member.close()
    assert offsets(place) == [5, 5, 5]


def test_a_member_without_a_name_is_refused_too_and_gone_once_it_left(place):
    member = joined(place, "")
    assert "has live members: driftline-" in place.refusal("reset", "--to-earliest")
    member.close()
    assert place.run("reset", "--to-earliest").exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--to-offset", "6"], "has the offsets 0 to 5, 6 is not among them"),
        (["--to-earliest", "--partition", "3"], "has the partitions 0 to 2, no 3"),
    ],
)
def test_what_the_topic_does_not_have_is_refused(place, arguments, sentence):
    assert sentence in place.refusal("reset", *arguments)
    assert offsets(place) == [None, None, None]


def test_a_topic_that_is_missing_is_named(broker, topic_names):
    assert topic_names.views in Place(broker, topic_names).refusal("reset", "--to-earliest")
