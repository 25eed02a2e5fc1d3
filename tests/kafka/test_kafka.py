import time
import uuid

import pytest

from streams.errors import SettingsError
from streams.kafka import Admin, Consumer, TransactionalProducer
from streams.kafka_clients import (
    admin_properties,
    consumer_properties,
    producer_properties,
    reader_properties,
)
from streams.kafka_errors import KafkaCallError, RecordTooLargeError, Verdict
from streams.kafka_records import Committed, Output, Partition
from streams.partitioning import partition_for
from streams.topics import TopicSpec

WAIT_S = 60
QUICK_GROUP = {"session.timeout.ms": "3000", "heartbeat.interval.ms": "300"}


class Listener:
    """Notes what moves; what it notes as new is started by `Reader` after the call."""

    def __init__(self):
        self.moves = []
        self.new = []
        self.during = lambda: None

    def assigned(self, partitions):
        self.new += partitions
        self._note("assigned", partitions)

    def revoked(self, partitions):
        self._note("revoked", partitions)

    def lost(self, partitions):
        self._note("lost", partitions)

    def _note(self, what, partitions):
        self.moves.append((what, partitions))
        self.during()


class Reader:
    """A member of a group that starts where the group is, or at 0."""

    def __init__(self, consumer, topic):
        self.consumer = consumer
        self.listener = Listener()
        consumer.subscribe([topic], self.listener)

    def turn(self, n_records=1_000):
        try:
            return self.consumer.consume(n_records, 0.1)
        finally:
            new, self.listener.new = self.listener.new, []
            for partition, position in self.consumer.committed(new, WAIT_S).items():
                self.consumer.start(partition, position.offset if position else 0)

    def read(self, n_records):
        return turns(self.turn, lambda found: len(found) >= n_records)

    def join(self):
        turns(self.turn, lambda _: any(partitions for _, partitions in self.listener.moves))


def turns(turn, is_done):
    found = []
    deadline = time.monotonic() + WAIT_S
    while not is_done(found):
        assert time.monotonic() < deadline, found
        found += turn()
    return found


def values(records):
    return [record.value() for record in records]


@pytest.fixture
def kafka(broker):
    return {"bootstrap.servers": broker.bootstrap}


@pytest.fixture
def topic(kafka, topic_names):
    Admin(admin_properties(kafka)).create([TopicSpec(topic_names.views, 1, -1, {})])
    return topic_names.views


@pytest.fixture
def out(kafka, topic_names):
    Admin(admin_properties(kafka)).create([TopicSpec(topic_names.recommendations, 4, -1, {})])
    return topic_names.recommendations


@pytest.fixture
def open_producer(kafka, topic_names):
    def build(name=topic_names.transactional_id, **properties):
        own = {key.replace("_", "."): value for key, value in properties.items()}
        producer = TransactionalProducer(producer_properties(kafka | own, transactional_id=name))
        producer.init(WAIT_S)
        return producer

    return build


@pytest.fixture
def open_reader(kafka, topic_names, topic):
    """Join the test's group; what is still open afterwards is closed."""
    consumers = []

    def build(member="", **properties):
        own = {key.replace("_", "."): value for key, value in properties.items()}
        consumer = Consumer(
            consumer_properties(kafka | QUICK_GROUP | own, group=topic_names.group, member=member)
        )
        consumers.append(consumer)
        return Reader(consumer, topic)

    yield build
    for consumer in consumers:
        consumer.close()


def commit(producer, *records):
    producer.begin()
    producer.send(records, WAIT_S)
    producer.flush(WAIT_S)
    producer.commit(WAIT_S)


def read_all(kafka, topic, n_partitions=1):
    """Read a topic from its first to its last stable offset, without a group."""
    consumer = Consumer(reader_properties(kafka))
    partitions = [Partition(topic, number) for number in range(n_partitions)]
    bounds = {partition: consumer.bounds(partition, WAIT_S) for partition in partitions}
    open_ends = {p: end for p, (first, end) in bounds.items() if first < end}
    consumer.assign({partition: bounds[partition].first for partition in open_ends})
    found = turns(
        lambda: consumer.consume(1_000, 0.05),
        lambda _: all((consumer.position(p) or 0) >= end for p, end in open_ends.items()),
    )
    consumer.close()
    return found


def failure(call, *arguments):
    with pytest.raises(KafkaCallError) as caught:
        call(*arguments)
    return caught.value.name, caught.value.verdict


def test_aborted_records_are_never_read(kafka, topic, open_producer):
    producer = open_producer()
    commit(producer, Output(topic, None, b"1"))
    producer.begin()
    producer.send([Output(topic, None, b"aborted")], WAIT_S)
    producer.flush(WAIT_S)
    producer.abort(WAIT_S)
    commit(producer, Output(topic, None, b"2"))
    assert values(read_all(kafka, topic)) == [b"1", b"2"]


def test_an_open_transaction_hides_what_comes_after_it(kafka, topic, open_producer):
    first, second = open_producer(), open_producer(uuid.uuid4().hex)
    first.begin()
    first.send([Output(topic, None, b"1")], WAIT_S)
    first.flush(WAIT_S)
    commit(second, Output(topic, None, b"2"))
    assert read_all(kafka, topic) == []
    first.commit(WAIT_S)
    assert values(read_all(kafka, topic)) == [b"1", b"2"]


def test_a_record_comes_back_byte_for_byte(kafka, topic, open_producer):
    headers = [("a", b"\x00\xff"), ("a", None), ("b", b"")]
    time_ms = int(time.time() * 1_000) - 3_600_001
    commit(open_producer(), Output(topic, b"\xfe", None, headers=headers, timestamp_ms=time_ms))
    (record,) = read_all(kafka, topic)
    assert (record.key(), record.value(), record.headers()) == (b"\xfe", None, headers)
    assert record.timestamp() == (1, time_ms)


def test_a_key_goes_to_the_partition_that_java_would_choose(kafka, out, open_producer):
    keys = [f"user-{number}" for number in range(50)]
    commit(open_producer(), *(Output(out, key.encode(), b"") for key in keys))
    found = {record.key().decode(): record.partition() for record in read_all(kafka, out, 4)}
    assert found == {key: partition_for(key, 4) for key in keys}


def test_offsets_and_their_metadata_commit_with_the_records(
    kafka, topic, out, open_producer, open_reader
):
    place = Partition(topic, 0)
    producer, reader = open_producer(), open_reader()
    commit(producer, *(Output(topic, None, b"%d" % number) for number in range(3)))
    epoch = reader.read(3)[-1].leader_epoch()
    assert reader.consumer.committed([place], WAIT_S) == {place: None}
    for finish, metadata in ((producer.abort, "aborted"), (producer.commit, "snapshot-é")):
        producer.begin()
        producer.send([Output(out, None, metadata.encode())], WAIT_S)
        producer.flush(WAIT_S)
        producer.send_offsets({place: Committed(2, metadata, epoch)}, reader.consumer, WAIT_S)
        finish(WAIT_S)
    found = reader.consumer.committed([place], WAIT_S)
    assert found == {place: Committed(2, "snapshot-é", epoch)}
    assert epoch is not None
    assert values(read_all(kafka, out, 4)) == ["snapshot-é".encode()]


def test_offset_metadata_has_a_limit(topic, open_producer, open_reader):
    producer, reader = open_producer(), open_reader()
    reader.join()
    for n_bytes, outcome in ((4_095, None), (4_096, ("OFFSET_METADATA_TOO_LARGE", Verdict.ABORT))):
        producer.begin()
        offsets = {Partition(topic, 0): Committed(0, "x" * n_bytes)}
        if outcome is None:
            producer.send_offsets(offsets, reader.consumer, WAIT_S)
            producer.commit(WAIT_S)
        else:
            assert failure(producer.send_offsets, offsets, reader.consumer, WAIT_S) == outcome
            producer.abort(WAIT_S)


def test_a_partition_delivers_nothing_before_it_is_started(topic, open_producer, open_reader):
    commit(open_producer(), *(Output(topic, None, b"%d" % number) for number in range(5)))
    reader = open_reader()
    consumer, listener = reader.consumer, reader.listener
    assert turns(lambda: consumer.consume(10, 0.1), lambda _: listener.new) == []
    assert consumer.consume(10, 1.0) == []
    consumer.start(Partition(topic, 0), 3)
    assert values(turns(lambda: consumer.consume(10, 0.1), len)) == [b"3", b"4"]
    consumer.pause(Partition(topic, 0))
    assert consumer.consume(10, 0.3) == []
    consumer.start(Partition(topic, 0), 1)
    assert values(turns(lambda: consumer.consume(10, 0.1), lambda f: len(f) > 3)) == [
        b"1",
        b"2",
        b"3",
        b"4",
    ]


def test_an_error_of_a_listener_is_raised_and_costs_no_record(topic, open_producer, open_reader):
    producer, reader = open_producer(), open_reader()
    reader.join()

    def refuse():
        raise RuntimeError("full disk")

    reader.listener.during = refuse
    commit(producer, Output(topic, None, b"1"))
    open_reader().turn()  # its coming is told to the first inside the next call, after the record
    with pytest.raises(RuntimeError, match="full disk"):
        reader.consumer.consume(1_000, 3.0)
    reader.listener.during = lambda: None
    assert values(reader.read(1)) == [b"1"]


def test_partitions_move_and_the_giver_can_still_commit(topic, open_producer, open_reader):
    place = Partition(topic, 0)
    producer, first = open_producer(), open_reader()
    commit(producer, *(Output(topic, None, b"%d" % number) for number in range(4)))
    first.read(4)

    def hand_over():
        producer.begin()
        producer.send_offsets({place: Committed(3)}, first.consumer, WAIT_S)
        producer.commit(WAIT_S)

    first.listener.during = hand_over
    first.consumer.close()
    assert first.listener.moves[-1] == ("revoked", [place])
    assert values(open_reader().read(1)) == [b"3"]


def test_a_named_member_comes_back_to_its_partitions_without_a_word_to_others(
    topic, open_producer, open_reader
):
    commit(open_producer(), Output(topic, None, b"1"))
    first = open_reader("slot-0")
    first.read(1)
    first.consumer.close()
    began = time.monotonic()
    assert values(open_reader("slot-0").read(1)) == [b"1"]
    assert time.monotonic() - began < 3  # its session is still there


def test_a_record_too_large_is_named_and_the_transaction_goes_on(kafka, topic, open_producer):
    producer = open_producer()
    large = Output(topic, b"k", bytes(2_000_000))
    producer.begin()
    with pytest.raises(RecordTooLargeError) as caught:
        producer.send([Output(topic, None, b"before"), large], WAIT_S)
    assert caught.value.record is large
    producer.send([Output(topic, None, b"after")], WAIT_S)
    producer.flush(WAIT_S)
    producer.commit(WAIT_S)
    assert values(read_all(kafka, topic)) == [b"before", b"after"]


def test_send_waits_while_the_queue_is_full(kafka, topic, open_producer):
    producer = open_producer(queue_buffering_max_messages="10")
    commit(producer, *(Output(topic, None, b"%d" % number) for number in range(100)))
    assert len(read_all(kafka, topic)) == 100


def test_a_refused_record_asks_for_an_abort_and_the_producer_recovers(kafka, topic, open_producer):
    producer = open_producer()
    next_year_ms = int((time.time() + 365 * 86_400) * 1_000)
    refused = Output(topic, None, b"x", timestamp_ms=next_year_ms)
    assert failure(commit, producer, refused) == ("INVALID_TIMESTAMP", Verdict.ABORT)
    producer.abort(WAIT_S)
    # The broker misses the sequence number of what it refused, so the next one is refused too.
    again = Output(topic, None, b"1")
    assert failure(commit, producer, again) == ("OUT_OF_ORDER_SEQUENCE_NUMBER", Verdict.ABORT)
    producer.abort(WAIT_S)
    commit(producer, again)
    assert values(read_all(kafka, topic)) == [b"1"]


def test_a_producer_whose_id_was_taken_over_is_of_no_more_use(kafka, topic, open_producer):
    zombie = open_producer()
    zombie.begin()
    zombie.send([Output(topic, None, b"zombie")], WAIT_S)
    zombie.flush(WAIT_S)
    commit(open_producer(), Output(topic, None, b"heir"))
    assert failure(zombie.commit, WAIT_S) == ("_FENCED", Verdict.FATAL)
    zombie.drop()
    assert values(read_all(kafka, topic)) == [b"heir"]


def test_a_member_whose_name_was_taken_over_commits_nothing(topic, open_producer, open_reader):
    producer, zombie = open_producer(), open_reader("slot-0")
    zombie.join()
    open_reader("slot-0").join()
    producer.begin()
    offsets = {Partition(topic, 0): Committed(0)}
    name, verdict = failure(producer.send_offsets, offsets, zombie.consumer, WAIT_S)
    assert (name, verdict) == ("FENCED_INSTANCE_ID", Verdict.ABORT)
    producer.abort(WAIT_S)
    with pytest.raises(KafkaCallError) as caught:
        turns(lambda: zombie.consumer.consume(1, 0.1), lambda _: False)
    assert caught.value.verdict is Verdict.FATAL
    assert "fenced by other consumer with same group.instance.id" in caught.value.text


def test_an_offset_that_retention_has_passed_is_an_error(kafka, topic, open_producer):
    commit(open_producer(), Output(topic, None, b"1"))
    consumer = Consumer(reader_properties(kafka))
    consumer.assign({Partition(topic, 0): 500})
    with pytest.raises(KafkaCallError, match=rf"read {topic}\[0\]: _AUTO_OFFSET_RESET"):
        turns(lambda: consumer.consume(10, 0.1), lambda _: False)
    consumer.close()


def test_brokers_that_are_away_are_waited_for(own_broker, kafka, topic):
    news = []
    properties = producer_properties(kafka, transactional_id=uuid.uuid4().hex)
    own_broker.stop()
    producer = TransactionalProducer(properties, inform=lambda name, _: news.append(name))
    assert failure(producer.init, 0.5) == ("_TIMED_OUT", Verdict.RETRY)
    own_broker.start()
    producer.init(WAIT_S)
    commit(producer, Output(topic, None, b"1"))
    assert set(news) <= {"_TRANSPORT", "_ALL_BROKERS_DOWN"}
    assert news


def test_transactions_go_on_soon_after_a_restart_of_the_broker(
    own_broker, kafka, topic, out, *, open_producer, open_reader
):
    place = Partition(topic, 0)
    # The session must outlast the restart, or the group starts anew.
    producer, reader = open_producer(), open_reader(session_timeout_ms="20000")
    reader.join()
    for number in range(2):
        producer.begin()
        producer.send([Output(out, None, b"%d" % number)], WAIT_S)
        producer.flush(WAIT_S)
        producer.send_offsets({place: Committed(number)}, reader.consumer, WAIT_S)
        producer.commit(WAIT_S)
        if number == 0:
            own_broker.restart()
            began = time.monotonic()
    assert time.monotonic() - began < 10
    assert sorted(values(read_all(kafka, out, 4))) == [b"0", b"1"]
    assert reader.consumer.committed([place], WAIT_S)[place].offset == 1


def test_a_commit_without_an_answer_is_settled_by_the_next_producer(
    own_broker, kafka, topic, out, *, open_producer, open_reader
):
    place = Partition(topic, 0)
    producer, reader = open_producer(), open_reader()
    reader.join()
    producer.begin()
    producer.send([Output(out, None, b"x")], WAIT_S)
    producer.flush(WAIT_S)
    producer.send_offsets({place: Committed(7)}, reader.consumer, WAIT_S)
    own_broker.freeze()
    assert failure(producer.commit, 1.0) == ("_TIMED_OUT", Verdict.UNKNOWN)
    began = time.monotonic()
    producer.drop()
    assert time.monotonic() - began < 5
    own_broker.thaw()
    open_producer()
    is_committed = reader.consumer.committed([place], WAIT_S)[place] == Committed(7)
    assert values(read_all(kafka, out, 4)) == ([b"x"] if is_committed else [])


@pytest.mark.parametrize(
    "properties",
    [{"heap.opts": "-Xmx1g"}, {"linger.ms": "soon"}, {"message.timeout.ms": "99999"}],
)
def test_properties_that_librdkafka_refuses_are_a_settings_error(properties):
    kafka = {"bootstrap.servers": "127.0.0.1:1"} | properties
    with pytest.raises(SettingsError, match=r"^kafka: "):
        TransactionalProducer(producer_properties(kafka, transactional_id="w-0"))


@pytest.mark.parametrize("properties", [{}, {"group.protocol": "consumer"}])
def test_both_group_protocols_are_accepted(properties):
    kafka = {"bootstrap.servers": "127.0.0.1:1"} | properties
    Consumer(consumer_properties(kafka, group="g", member="g-0"), inform=lambda *_: None).close()
