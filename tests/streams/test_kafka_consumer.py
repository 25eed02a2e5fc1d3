"""The consumer around a client that is played: what a rebalance and a close set off."""

import threading

import pytest

import streams.kafka
from streams.kafka import Consumer
from streams.kafka_records import Partition
from streams.librdkafka import TopicPartition

PATIENCE_S = 30.0


class Client:
    """Tells of moves inside the next call of ``consume``; notes what it is asked and by whom."""

    def __init__(self):
        self.moves, self.asked, self.told = [], [], threading.Event()
        self.may_answer, self.is_asked = threading.Event(), threading.Event()
        self.may_answer.set()
        self.is_closed = False

    def subscribe(self, _topics, **callbacks):
        self._callbacks = callbacks

    def consume(self, _n, _timeout_s):
        for name, partitions in self.moves:
            self._callbacks[name](self, partitions)
        self.moves = []
        return []

    def assignment(self):
        return [TopicPartition("views", 0), TopicPartition("views", 1)]

    def get_watermark_offsets(self, place, _timeout_s):
        self.is_asked.set()
        self.may_answer.wait(PATIENCE_S)
        assert not self.is_closed
        self.asked.append(place.partition)
        if len(self.asked) == len(self.assignment()):
            self.told.set()
        return 0, 9

    def incremental_assign(self, places):
        pass

    def pause(self, places):
        pass

    def close(self):
        self._callbacks["on_revoke"](self, self.assignment())
        self.is_closed = True


class Listener:
    def __init__(self):
        self.moves = []

    def assigned(self, partitions):
        self.moves.append(("assigned", partitions))

    def revoked(self, partitions):
        self.moves.append(("revoked", partitions))

    def lost(self, partitions):
        self.moves.append(("lost", partitions))


@pytest.fixture
def listener():
    return Listener()


@pytest.fixture
def consumer(monkeypatch, listener):
    monkeypatch.setattr(streams.kafka, "built", lambda *_: Client())
    found = Consumer({})
    found.subscribe(["views"], listener)
    return found


@pytest.fixture
def client(consumer):
    return consumer._client


@pytest.mark.parametrize("move", ["on_assign", "on_revoke", "on_lost"])
def test_whatever_moves_the_brokers_of_all_partitions_are_woken(consumer, client, move):
    """Those that stay are paused meanwhile, and sleep on unless something is asked of them."""
    consumer.consume(1, 0.0)
    client.moves = [(move, [])]
    consumer.consume(1, 0.0)
    assert client.told.wait(PATIENCE_S)
    assert client.asked == [0, 1]


def test_without_a_rebalance_nobody_is_asked(consumer, client):
    for _ in range(10):
        consumer.consume(1, 0.0)
    assert not client.is_asked.is_set()


def test_one_that_is_abandoned_tells_nobody(consumer, client, listener):
    assert consumer.abandon(PATIENCE_S)
    assert client.is_closed
    assert listener.moves == []


def test_one_that_is_closed_tells_what_it_had(consumer, client, listener):
    consumer.close()
    assert client.is_closed
    assert listener.moves == [("revoked", [Partition("views", 0), Partition("views", 1)])]


def test_a_client_is_not_closed_while_it_is_asked_on_another_thread(consumer, client):
    client.may_answer.clear()
    partition = Partition("views", 0)
    asking = threading.Thread(target=consumer.bounds, args=(partition, PATIENCE_S))
    asking.start()
    assert client.is_asked.wait(PATIENCE_S)
    assert not consumer.abandon(0.05)
    assert not client.is_closed
    client.may_answer.set()
    asking.join()
    assert client.asked == [0]
