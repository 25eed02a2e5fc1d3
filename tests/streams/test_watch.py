"""What a watch tells of a worker, with partitions, clients and clocks that are played."""

from collections import deque
from types import SimpleNamespace

import pytest

from monitoring.watcher import Watcher
from streams.ends import End, Written
from streams.kafka_records import Partition
from streams.pipeline import Pipeline, Wanted
from streams.settings import Settings
from streams.watch import Watch
from tests.replays import arrivals, simulated

FIRST, SECOND = Partition("views", 0), Partition("views", 1)


class Noting(Watcher):
    """Notes what it is told, in order."""

    def __init__(self):
        self.noted = []

    def assigned(self, states, *, change, seconds=None):
        self.noted.append((change, dict(states), seconds))

    def committed(self, outcome, *, cause, seconds, records):
        self.noted.append((outcome, cause, seconds, records))

    def saved(self, partition, *, seconds, n_bytes):
        self.noted.append(("saved", partition, seconds, n_bytes))

    def measured(self, partition, sizes):
        self.noted.append(("measured", partition, sizes))

    def ticked(self, *, is_ready, is_broker_away):
        self.noted.append(("ticked", is_ready, is_broker_away))

    def processed(self, partition, counts, *, seconds, judged):  # noqa: ARG002
        self.noted.append(("processed", partition, counts))


class Clock:
    def __init__(self):
        self.now_s = 100.0

    def __call__(self):
        return self.now_s


class Consumer:
    """Knows where partitions end and where it is in them."""

    def __init__(self):
        self.ends, self.positions = {}, {}

    def end_seen(self, partition):
        return self.ends.get(partition)

    def position(self, partition):
        return self.positions.get(partition)


class Stage:
    """A worker's parts as far as they are looked at."""

    def __init__(self):
        self.clock, self.noting, self.consumer = Clock(), Noting(), Consumer()
        self.assignment = SimpleNamespace(partitions={}, change="")
        self.checkpoint = SimpleNamespace(ended=deque())
        self.saver = SimpleNamespace(ended=deque())
        self.watch = Watch(self.noting, clock=self.clock)

    def give(self, partition, *, is_ready=False):
        pipeline = Pipeline(Settings(), partition.number)
        found = SimpleNamespace(
            partition=partition, pipeline=pipeline, is_ready=is_ready, next_offset=0
        )
        self.assignment.partitions[partition] = found
        self.assignment.change = "assigned"
        return found

    def told(self):
        """Look, and give what was told since."""
        self.noting.noted.clear()
        self.watch.look(self.assignment, self.checkpoint, self.saver, self.consumer)
        return list(self.noting.noted)


@pytest.fixture
def stage():
    return Stage()


def test_partitions_come_become_ready_and_go(stage):
    assert stage.told() == []
    found = stage.give(FIRST)
    assert stage.told() == [("assigned", {0: "restoring"}, None)]
    assert stage.told() == []
    stage.clock.now_s += 7
    found.is_ready = True
    assert stage.told() == [("restored", {0: "ready"}, 7.0)]
    del stage.assignment.partitions[FIRST]
    stage.assignment.change = "lost"
    assert stage.told() == [("lost", {}, None)]


def test_it_is_ready_once_it_has_joined_and_all_are_restored(stage):
    def is_ready():
        stage.told()
        stage.watch.beat()
        return stage.noting.noted[-1][1]

    assert not is_ready()
    stage.assignment.change = "assigned"
    assert is_ready()  # there may be more workers than partitions
    found = stage.give(FIRST)
    assert not is_ready()
    found.is_ready = True
    assert is_ready()


def test_a_beat_says_whether_brokers_are_away(stage):
    stage.watch.is_broker_away = True
    stage.watch.beat()
    assert stage.noting.noted == [("ticked", False, True)]


def test_ends_of_transactions_and_snapshots_are_told_once(stage):
    stage.checkpoint.ended.append(End("committed", "", {"commit": 0.1}, {"outcomes": 2}))
    stage.saver.ended.append(Written(3, 0.5, None))
    assert stage.told() == [
        ("committed", "", {"commit": 0.1}, {"outcomes": 2}),
        ("saved", 3, 0.5, None),
    ]
    assert stage.told() == []


def test_lag_is_measured_once_a_second_where_the_end_is_known(stage):
    found = stage.give(FIRST, is_ready=True)
    stage.give(SECOND)
    stage.consumer.ends = {FIRST: 9, SECOND: 9}
    found.next_offset, stage.consumer.positions = 4, {FIRST: 5}
    lag = {"lag_events": 4.0, "lag_seconds": 0.0}
    assert [n for n in stage.told() if n[0] == "measured"] == [("measured", 0, lag)]
    stage.clock.now_s += 0.9
    assert stage.told() == []
    stage.clock.now_s += 0.1
    lag = {"lag_events": 4.0, "lag_seconds": 1.0}
    assert stage.told() == [("measured", 0, lag)]


def test_batches_are_told_from_where_a_partition_became_ready(stage):
    found = stage.give(FIRST)
    records = arrivals(simulated()[0][:60])
    found.pipeline.process(records[:40], Wanted())  # its restore
    found.is_ready = True
    stage.told()
    handled = found.pipeline.process(records[40:], Wanted())
    stage.noting.noted.clear()
    stage.watch.processed(found, handled, decode_s=0.1, batch_s=0.2)
    (told,) = [n for n in stage.noting.noted if n[0] == "processed"]
    assert told[1] == 0
    assert told[2]["accepted"] == 20


def test_a_partition_that_comes_again_is_told_anew(stage):
    for n_before in (10, 30):
        found = stage.give(FIRST)
        stage.told()
        records = arrivals(simulated()[0][: n_before + 5])
        found.pipeline.process(records[:n_before], Wanted())
        found.is_ready = True
        stage.told()
        handled = found.pipeline.process(records[n_before:], Wanted())
        stage.noting.noted.clear()
        stage.watch.processed(found, handled, decode_s=0.1, batch_s=0.2)
        told = next(n for n in stage.noting.noted if n[0] == "processed")
        assert told[2]["accepted"] == 5
        stage.assignment.partitions.clear()
        stage.told()
