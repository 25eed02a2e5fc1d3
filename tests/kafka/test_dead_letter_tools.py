import pytest

from streams.dead_letter_records import dead_letter_output
from streams.errors import RejectedEvent
from streams.kafka import Producer, TransactionalProducer
from streams.kafka_clients import plain_producer_properties, producer_properties
from streams.kafka_records import Output
from streams.topics import TopicSpec
from tests.kafka.commands import WAIT_S, Place
from tests.records import StoredRecord

REASONS = ("late", "decode", "late")


@pytest.fixture
def place(broker, topic_names):
    """Give topics with three dead letters, one of an aborted transaction, and a foreign record."""
    place = Place(broker, topic_names, n_partitions=2)
    # The records are years old, and the broker looks for such ones all the time.
    kept = {"retention.ms": "-1"}
    place.admin.create(
        [TopicSpec(name, 2, -1, kept) for name in (topic_names.views, topic_names.dead_letter)]
    )
    place.make()
    producer = TransactionalProducer(
        producer_properties(place.kafka, transactional_id=topic_names.transactional_id)
    )
    producer.init(WAIT_S)
    for outputs, is_kept in (([letter(place, 9, "range")], False), (letters(place), True)):
        producer.begin()
        producer.send(outputs, WAIT_S)
        producer.flush(WAIT_S)
        (producer.commit if is_kept else producer.abort)(WAIT_S)
    foreign = Producer(plain_producer_properties(place.kafka))
    foreign.send([Output(topic_names.dead_letter, b"k", b"v", partition=0)], WAIT_S)
    foreign.flush(WAIT_S)
    return place


def letters(place):
    return [letter(place, offset, reason) for offset, reason in enumerate(REASONS)]


def letter(place, offset, reason):
    timestamp_ms = 1_641_038_400_000 + 86_400_000 * offset
    headers = [("trace", b"\xff"), ("driftline.forget", None)]
    original = Output(place.names.views, b"7", b"\x1b{%d" % offset, headers, timestamp_ms, 1)
    rejected = RejectedEvent(reason, "what is wrong")
    return dead_letter_output(StoredRecord(original, offset), rejected, place.names.dead_letter)


def lines_of(result):
    assert result.exit_code == 0, (result.output, result.exception)
    return result.stdout.splitlines()


def test_a_list_counts_what_was_committed_and_shows_the_latest(place):
    *counts, latest = lines_of(place.run("dead-letter", "list", "--limit", 1))
    assert [line.split() for line in counts[:3]] == [
        ["2", "late"],
        ["1", "decode"],
        ["3", "dead", "letters"],
    ]
    assert counts[3] == "1 records are no dead letters of driftline"
    assert latest.startswith("2022-01-03 12:00:00.000  1 ")
    assert latest.endswith(f"late: what is wrong  ({place.names.views}[1] 2)")


def test_a_list_may_be_of_a_reason_and_a_time(place):
    lines = lines_of(place.run("dead-letter", "list", "--reason", "late", "--since", "2022-01-02"))
    assert lines[0].split() == ["1", "late"]


def test_one_is_shown_with_all_it_holds(place):
    found = place.read(place.names.dead_letter)
    (record,) = [r for own in found.values() for r in own if r.value() == b"\x1b{1"]
    lines = lines_of(place.run("dead-letter", "show", record.partition(), record.offset()))
    assert "reason     decode: what is wrong" in lines
    assert f"replay of  {place.names.views}/1/1" in lines
    assert "header     trace: base64:/w==" in lines
    assert lines[-1] == "base64:G3sx"


def test_where_none_is_a_sentence_says_so(place):
    assert "no dead letter at offset 77" in place.refusal("dead-letter", "show", 1, 77)
    assert "has 2 partitions" in place.refusal("dead-letter", "show", 2, 0)
    assert "is no time" in place.refusal("dead-letter", "list", "--since", "+2d")


def test_nothing_is_replayed_without_being_asked_twice(place):
    lines = lines_of(place.run("dead-letter", "replay"))
    assert lines[-1] == "Nothing was written; --yes writes them."
    assert not any(place.read(place.names.views).values())


def test_the_originals_are_replayed_into_their_partition(place):
    lines = lines_of(place.run("dead-letter", "replay", "--reason", "late", "--yes"))
    assert [line.split() for line in lines[:2]] == [["2", "late"], ["2", "dead", "letters"]]
    assert lines[-1] == "They are written."
    by_partition = place.read(place.names.views)
    assert [len(records) for records in by_partition.values()] == [0, 2]
    for offset, record in zip((0, 2), list(by_partition.values())[1], strict=True):
        assert (record.key(), record.value()) == (b"7", b"\x1b{%d" % offset)
        assert record.timestamp()[1] == 1_641_038_400_000 + 86_400_000 * offset
        replayed = f"{place.names.views}/1/{offset}".encode()
        assert record.headers() == [("trace", b"\xff"), ("driftline.replay-of", replayed)]


def test_no_more_are_replayed_than_asked_for(place):
    lines_of(place.run("dead-letter", "replay", "--limit", 1, "--yes"))
    assert sum(map(len, place.read(place.names.views).values())) == 1
