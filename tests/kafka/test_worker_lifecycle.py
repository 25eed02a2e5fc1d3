"""Workers that come, go and freeze: partitions move, every record is processed once."""

import itertools
import os
import random
import signal

import pytest

from streams.exit_codes import ExitCode
from streams.kafka_records import Partition
from tests.kafka.worker_harness import READY, STOPPED, Feeder, Scene, wait_until
from tests.replays import simulated

GRACE_S = 10.0
N_EVENTS = 2_000


@pytest.fixture
def scene(broker, topic_names, tmp_path):
    scene = Scene(broker, topic_names, tmp_path)
    yield scene.make()
    scene.close()


def lines_of(n_events=N_EVENTS):
    return simulated()[0][:n_events]


def test_a_stop_under_load_is_clean_and_nothing_is_processed_again(scene):
    feeder = Feeder(scene, lines_of(), per_s=500)
    worker = scene.start()
    scene.wait_for(200, workers=[worker])
    assert worker.stopped(GRACE_S) == ExitCode.CLEAN, worker.gist()
    assert worker.says(STOPPED)
    ends = [position.offset for position in scene.committed()]
    feeder.finish()
    assert sum(ends) < N_EVENTS
    second = scene.start()
    scene.finish(second)
    for end in ends:
        assert second.says(f"{READY} {end}, 0 records replayed"), second.gist()
    scene.check()


def test_a_zombie_is_refused_and_nothing_is_doubled(scene):
    """It sleeps through its session and its transaction, and another worker takes over.

    Its commit is refused; it drops all it has and joins again without a restart.
    """
    scene.publish(lines_of(1_000))
    zombie = scene.start_failing(
        "between offsets and commit", 2, "STOP", DRIFTLINE_WORKER_MAX_RECORDS="100"
    )
    wait_until(zombie.is_stopped, "stopped", workers=[zombie])
    successor = scene.start(slot=1)
    scene.wait_for(workers=[successor])
    zombie.thaw()
    wait_until(lambda: zombie.says("new clients in"), "it begins anew", workers=[zombie])
    assert zombie.says("FENCED")
    scene.publish(lines_of(1_200)[1_000:])
    scene.finish(successor, zombie)
    scene.check()


@pytest.mark.parametrize(
    ("is_busy", "is_static"), [(False, "true"), (True, "true"), (True, "false")]
)
def test_the_older_of_two_workers_on_a_slot_leaves(scene, is_busy, is_static):
    scene.variables["DRIFTLINE_WORKER_STATIC_MEMBERSHIP"] = is_static
    feeder = Feeder(scene, lines_of(1_000), per_s=200 if is_busy else 10_000)
    older = scene.start()
    scene.wait_for(200 if is_busy else 1_000, workers=[older])
    younger = scene.start()
    assert older.ended() == ExitCode.SLOT_TAKEN, older.gist()
    feeder.finish()
    scene.finish(younger)
    scene.check()


def test_workers_join_and_leave_under_load(broker, topic_names, tmp_path):
    scene = Scene(broker, topic_names, tmp_path, n_partitions=4).make()
    feeder = Feeder(scene, lines_of(3_000), per_s=200)
    first = scene.start(slot=0)
    scene.wait_for(100, workers=[first])
    others = [scene.start(slot=1), scene.start(slot=2)]
    wait_until(lambda: all(w.says(READY) for w in others), "all have some", workers=others)
    assert others[0].stopped(GRACE_S) == ExitCode.CLEAN
    left = [first, others[1]]
    wait_until(
        lambda: sum(w.log().count(READY) for w in scene.workers) >= 4 + 2 + 1,
        "its partition has moved",
        workers=left,
    )
    feeder.finish()
    scene.wait_for(workers=left)
    assert [worker.stopped() for worker in left] == [0, 0]
    scene.check()
    kept = [
        n
        for n in range(4)
        if first.log().count(f"[{n}]: {READY}") == 1
        and not any(w.says(f"[{n}]: {READY}") for w in others)
    ]
    assert kept
    for number in kept:
        assert longest_pause_s(scene, number) < 2.0  # one that waits for a session takes 3


def test_a_member_without_a_name_leaves_when_it_stops(scene):
    """Its partitions move at once; those of one with a name would rest for the session."""
    scene.variables |= {
        "DRIFTLINE_WORKER_STATIC_MEMBERSHIP": "false",
        "KAFKA_SESSION_TIMEOUT_MS": "60000",
    }
    workers = [scene.start(slot=0), scene.start(slot=1)]
    scene.publish(lines_of(600))
    scene.wait_for(workers=workers)
    wait_until(lambda: all(w.says(READY) for w in workers), "each has one", workers=workers)
    leaving, staying = workers
    n_before = staying.log().count(READY)
    assert leaving.stopped(GRACE_S) == ExitCode.CLEAN
    scene.publish(lines_of(1_000)[600:])
    scene.finish(staying, timeout_s=20)
    assert staying.log().count(READY) > n_before
    scene.check()


def test_processes_are_started_again_and_ended_together(scene):
    feeder = Feeder(scene, lines_of(1_200), per_s=200)
    parent = scene.start("--processes", "2")
    wait_until(lambda: parent.log().count(READY) >= scene.n_partitions, "ready", workers=[parent])
    scene.wait_for(100, workers=[parent])
    os.kill(random.Random(5).choice(parent.children()), signal.SIGKILL)
    wait_until(lambda: parent.says("starts again in 1 s"), "noticed", workers=[parent])
    wait_until(lambda: len(parent.children()) == 2, "started again", workers=[parent])
    feeder.finish()
    scene.wait_for(workers=[parent])
    parent.send(signal.SIGINT)
    assert parent.ended() == ExitCode.CLEAN, parent.gist()
    scene.publish(lines_of(1_500)[1_200:])
    again = scene.start("--processes", "2")
    scene.wait_for(workers=[again])
    assert again.stopped() == ExitCode.CLEAN, again.gist()
    scene.check()


def test_the_newer_group_protocol(scene):
    """Members that the broker assigns partitions to; one is killed and comes back."""
    for name in ("KAFKA_SESSION_TIMEOUT_MS", "KAFKA_HEARTBEAT_INTERVAL_MS"):
        del scene.variables[name]  # the broker's, with this protocol
    scene.variables["KAFKA_GROUP_PROTOCOL"] = "consumer"
    feeder = Feeder(scene, lines_of(1_500), per_s=200)
    workers = [scene.start(slot=0), scene.start(slot=1)]
    wait_until(lambda: all(w.says(READY) for w in workers), "each has one", workers=workers)
    scene.wait_for(300, workers=workers)
    workers[0].kill()
    workers[0] = scene.start(slot=0)
    wait_until(lambda: workers[0].says(READY), "it has one again", workers=workers)
    feeder.finish()
    scene.finish(*workers)
    scene.check()


def longest_pause_s(scene, number):
    """Give the longest time between two lists of a partition."""
    topic = scene.names.recommendations
    records = scene.read(topic)[Partition(topic, number)]
    times = [record.timestamp()[1] for record in records]
    return max(later - earlier for earlier, later in itertools.pairwise(times)) / 1_000
