from types import SimpleNamespace

import pytest
from confluent_kafka import KafkaError, KafkaException

from streams.kafka import Consumer
from streams.kafka_clients import reader_properties
from streams.kafka_errors import KafkaCallError, Verdict
from streams.kafka_records import Bounds, Committed, Partition
from streams.librdkafka import _PASSING, answered, call, partition_of, place_of, position_of
from tests.kafka.broker import free_ports


def failing(*codes):
    """Give a question that fails with these errors before it is answered."""
    left = list(codes)

    def question(_):
        if left:
            raise KafkaException(KafkaError(left.pop(0)))
        return "answer"

    return question


def test_a_question_is_asked_again_while_a_leader_moves():
    question = failing(KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError._WAIT_COORD)
    assert answered("ask", question, 10) == "answer"


def test_a_question_that_nobody_answers_may_be_asked_again():
    with pytest.raises(KafkaCallError) as caught:
        answered("ask", failing(*[KafkaError._TIMED_OUT] * 100), 0)
    assert caught.value.verdict is Verdict.RETRY


def test_a_question_that_is_wrong_is_not_repeated():
    with pytest.raises(KafkaCallError, match="TOPIC_AUTHORIZATION_FAILED") as caught:
        answered("ask", failing(KafkaError.TOPIC_AUTHORIZATION_FAILED), 10)
    assert caught.value.verdict is Verdict.FATAL


def test_outside_questions_only_librdkafkas_flags_count():
    with pytest.raises(KafkaCallError) as caught:
        call("commit", failing(KafkaError._TIMED_OUT), 0)
    assert caught.value.verdict is Verdict.FATAL


def test_every_passing_error_is_one_that_librdkafka_has():
    codes = [getattr(KafkaError, name) for name in dir(KafkaError) if name.strip("_").isupper()]
    names = {KafkaError(code).name() for code in codes if isinstance(code, int)}
    assert names >= _PASSING


@pytest.mark.parametrize("method", ["bounds", "committed"])
def test_brokers_that_are_away_are_no_reason_to_end(method):
    (port,) = free_ports(1)
    kafka = {"bootstrap.servers": f"127.0.0.1:{port}", "log_level": "0"}
    consumer = Consumer(reader_properties(kafka))
    partition = Partition("views", 0)
    with pytest.raises(KafkaCallError) as caught:
        getattr(consumer, method)(partition if method == "bounds" else [partition], 0.3)
    assert caught.value.verdict is Verdict.RETRY
    consumer.close()


class Leaderless:
    """A client that saw a partition without a leader and does not look again by itself."""

    def __init__(self, error=None):
        self.error = error
        self.has_looked = False

    def get_watermark_offsets(self, _place, _timeout_s):
        if not self.has_looked:
            raise KafkaException(KafkaError(KafkaError._UNKNOWN_PARTITION))
        return 3, 7

    def list_topics(self, topic, _timeout_s):
        self.has_looked = self.error is None
        return SimpleNamespace(topics={topic: SimpleNamespace(error=self.error)})


@pytest.fixture
def consumer(monkeypatch):
    """Give a way to a consumer over a client that is given."""

    def make(client):
        monkeypatch.setattr("streams.kafka.built", lambda *_: client)
        return Consumer(reader_properties({"bootstrap.servers": "127.0.0.1:1"}))

    return make


def test_a_partition_seen_without_a_leader_is_looked_for_again(consumer):
    assert consumer(Leaderless()).bounds(Partition("views", 0), 10) == Bounds(3, 7)


def test_a_topic_that_is_gone_is_not_waited_for(consumer):
    gone = Leaderless(KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART))
    with pytest.raises(KafkaCallError, match="UNKNOWN_TOPIC_OR_PART") as caught:
        consumer(gone).bounds(Partition("views", 0), 10)
    assert caught.value.verdict is Verdict.FATAL


@pytest.mark.parametrize("position", [Committed(5), Committed(5, "text"), Committed(5, "t", 2)])
def test_a_position_comes_back_as_it_went(position):
    place = place_of(Partition("views", 3), position)
    assert (partition_of(place), position_of(place)) == (Partition("views", 3), position)


def test_no_offset_is_no_position():
    assert position_of(place_of(Partition("views", 3))) is None
