"""What a rebalance asks of a worker, with clients and a disk that are played."""

import json
import threading
import time
from types import SimpleNamespace

import pytest

from streams.assignment import Accepts, Assignment
from streams.checkpoint import Held, Outcome
from streams.kafka_records import Bounds, Committed, Partition
from streams.local_store import LocalStore
from streams.partition import SHARED_SLICE, AssignedPartition
from streams.pipeline import Pipeline
from streams.saving import Saver
from streams.settings import Settings
from streams.snapshots import Manifest, owner_of, write_snapshot
from streams.worker_settings import WorkerSettings

LEAVING, STAYING = Partition("views", 0), Partition("views", 1)
PATIENCE_S = 30.0


class Consumer:
    """Answers what a group has committed and what a topic holds; notes what is started."""

    def __init__(self, committed=None, end=100):
        self._committed, self._end = committed, end
        self.may_answer = threading.Event()
        self.may_answer.set()
        self.started = {}

    def committed(self, partitions, timeout_s):  # noqa: ARG002
        self.may_answer.wait(PATIENCE_S)
        return dict.fromkeys(partitions, self._committed)

    def bounds(self, partition, timeout_s):  # noqa: ARG002
        return Bounds(0, self._end)

    def start(self, partition, offset):
        self.started[partition] = offset


class Checkpoint:
    """Commits at once, or refuses; notes what it committed."""

    def __init__(self, outcome=Outcome.COMMITTED):
        self.held, self.outcome, self.commits = {}, outcome, []

    @property
    def n_held(self):
        return sum(held.n_records for held in self.held.values())

    def commit(self):
        positions = {p: held.position for p, held in self.held.items() if held.position}
        if self.outcome is Outcome.COMMITTED:
            self.commits.append(positions)
            self.held = {partition: Held() for partition in self.held}
        return self.outcome


@pytest.fixture
def settings(tmp_path):
    return Settings(worker=WorkerSettings(snapshot_folder=str(tmp_path), stop_budget_s=PATIENCE_S))


def assignment_of(settings, consumer, checkpoint, saver):
    """Give an assignment with two partitions at offset 7, ready."""
    membership = SimpleNamespace(consumer=consumer, checkpoint=checkpoint)
    assignment = Assignment(settings, membership, saver, accepts=Accepts())
    for partition in (LEAVING, STAYING):
        found = assignment.partitions[partition] = AssignedPartition(partition, settings)
        found.next_offset, found.is_ready = 7, True
        checkpoint.held[partition] = Held()
    return assignment


class SlowSaver(Saver):
    """A disk that holds every snapshot up until it is let go on."""

    def __init__(self):
        super().__init__(3)
        self.may_write = threading.Event()

    def _write(self, *arguments, **named):
        self.may_write.wait(PATIENCE_S)
        return super()._write(*arguments, **named)


def test_who_gives_a_partition_up_does_not_wait_for_its_snapshot(settings, tmp_path):
    saver, checkpoint = SlowSaver(), Checkpoint()
    assignment = assignment_of(settings, Consumer(), checkpoint, saver)
    assignment.revoked([LEAVING])
    assert set(assignment.partitions) == {STAYING}
    assert not (tmp_path / owner_of(0)).exists()
    saver.may_write.set()
    assert saver.finish(PATIENCE_S)
    assert (tmp_path / owner_of(0) / f"{7:020d}").is_dir()


def test_the_commit_names_the_snapshot_that_is_to_come(settings):
    saver, checkpoint = SlowSaver(), Checkpoint()
    saver.may_write.set()
    assignment_of(settings, Consumer(), checkpoint, saver).revoked([LEAVING])
    (positions,) = checkpoint.commits
    assert list(positions) == [LEAVING]
    assert positions[LEAVING].offset == 7
    assert json.loads(positions[LEAVING].metadata) == {"coming": 7}


def test_nothing_is_saved_of_what_could_not_be_committed(settings, tmp_path):
    saver = SlowSaver()
    saver.may_write.set()
    checkpoint = Checkpoint(Outcome.ABORTED)
    assignment = assignment_of(settings, Consumer(), checkpoint, saver)
    assignment.revoked([LEAVING])
    assert saver.finish(PATIENCE_S)
    assert list(tmp_path.iterdir()) == []
    assert set(assignment.partitions) == {STAYING}
    assert set(checkpoint.held) == {STAYING}


def test_a_broker_that_does_not_answer_holds_up_no_turn(settings):
    """The question is asked on another thread; each turn only looks whether it is answered."""
    consumer, checkpoint = Consumer(), Checkpoint()
    assignment = assignment_of(settings, consumer, checkpoint, SlowSaver())
    assignment.partitions.pop(LEAVING)
    consumer.may_answer.clear()
    assignment.assigned([LEAVING])
    assert not any(assignment.restore_some() for _ in range(100))
    consumer.may_answer.set()
    turn_until(lambda: assignment.partitions[LEAVING].is_ready, assignment.restore_some)
    assert consumer.started == {LEAVING: 0}


def turn_until(is_so, turn):
    deadline = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < deadline
        turn()
        time.sleep(0.001)


def test_the_next_owner_waits_for_the_snapshot_that_is_coming(settings, tmp_path):
    consumer = Consumer(Committed(7, '{"coming":7}'))
    steps = restored(settings, consumer)
    assert not any(next(steps) for _ in range(50))
    save(settings, tmp_path, 7)
    turn_until(lambda: LEAVING in consumer.started, lambda: next(steps, None))
    assert consumer.started == {LEAVING: 7}


def test_it_waits_for_none_where_it_does_not_see_the_ones_before(settings, tmp_path):
    """The folder is another one: what the former owner writes will never be there."""
    save(settings, tmp_path, 3)
    records, read = Reader(range(3, 7)), []
    steps = restored(
        settings, Consumer(Committed(7, '{"snapshot":5,"coming":7}')), records, read=read
    )
    turn_until(lambda: read, lambda: next(steps, None))
    assert read == [3]
    steps.close()


def restored(settings, consumer, reader=None, read=None):
    def read_from(offset):
        read.append(offset)
        return reader

    found = AssignedPartition(LEAVING, settings)
    return found.restored(consumer, read_from, titles={}, is_history_optional=False)


def test_a_snapshot_without_an_array_of_this_version_is_passed_over(settings, tmp_path, caplog):
    save(settings, tmp_path, 3)
    save(settings, tmp_path, 5, without="gate.")
    read = []
    steps = restored(settings, Consumer(Committed(7)), Reader(range(3, 7)), read=read)
    turn_until(lambda: read, lambda: next(steps, None))
    steps.close()
    assert read == [3]
    assert "snapshot passed over" in caplog.text


def save(settings, folder, offset, without=None):
    """Write a snapshot of an empty state, without the arrays whose names begin so."""
    manifest = Manifest(
        kind="pipeline",
        next_offset=offset,
        fingerprint=settings.fingerprint(),
        settings=settings.decisive(),
        topic=LEAVING.topic,
        partition=LEAVING.number,
    )
    arrays = Pipeline(settings, LEAVING.number).snapshot()
    if without is not None:
        arrays = {name: array for name, array in arrays.items() if not name.startswith(without)}
    write_snapshot(LocalStore(folder) / owner_of(LEAVING.number), manifest, arrays)


class Reader:
    """Gives records that are no events, as many as it is asked for; notes how many that was."""

    def __init__(self, offsets):
        self._left, self.asked, self.is_closed = list(offsets), [], False

    def consume(self, n_records, timeout_s):
        self.asked.append((n_records, timeout_s))
        given, self._left = self._left[:n_records], self._left[n_records:]
        return [no_event(offset) for offset in given]

    def position(self, partition):  # noqa: ARG002
        return None

    def close(self):
        self.is_closed = True


def no_event(offset):
    return SimpleNamespace(
        topic=lambda: LEAVING.topic,
        partition=lambda: LEAVING.number,
        offset=lambda: offset,
        key=lambda: b"k",
        value=lambda: b"{}",
        headers=lambda: None,
        leader_epoch=lambda: 0,
    )


def test_beside_others_a_step_of_catching_up_is_small_and_waits_for_nothing(settings):
    end = 3 * SHARED_SLICE
    reader, read = Reader(range(end)), []
    consumer = Consumer(Committed(end), end=end)
    found = AssignedPartition(LEAVING, settings)
    found.is_alone = False

    def read_from(offset):
        read.append(offset)
        return reader

    steps = found.restored(consumer, read_from, titles={}, is_history_optional=False)
    turn_until(lambda: found.is_ready, lambda: next(steps, None))
    assert reader.asked == [(SHARED_SLICE, 0.0)] * 3
    assert reader.is_closed
    assert found.next_offset == end
