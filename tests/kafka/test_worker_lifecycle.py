"""Workers that come, go and freeze: partitions move, every record is processed once."""

import os
import random
import signal

import pytest

from streams.exit_codes import ExitCode
from tests.kafka.worker_harness import READY, STOPPED, Feeder, Scene, wait_until
from tests.replays import simulated

GRACE_S = 10.0
N_EVENTS = 2_000
LONG_SESSION = {"KAFKA_SESSION_TIMEOUT_MS": "60000"}


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
    ("is_busy", "is_static", "protocol"),
    [
        (False, "true", "classic"),
        (True, "true", "classic"),
        (True, "false", "classic"),
        (True, "true", "consumer"),
    ],
)
def test_the_older_of_two_workers_on_a_slot_leaves(scene, is_busy, is_static, protocol):
    scene.variables["DRIFTLINE_WORKER_STATIC_MEMBERSHIP"] = is_static
    if protocol == "consumer":
        use_newer_protocol(scene)
    # One that is busy stays so for longer than its end is waited for.
    feeder = Feeder(scene, lines_of(), per_s=50 if is_busy else 10_000)
    older = scene.start()
    scene.wait_for(100 if is_busy else N_EVENTS, workers=[older])
    younger = scene.start()
    assert older.ended() == ExitCode.SLOT_TAKEN, older.gist()
    feeder.finish()
    scene.finish(younger)
    scene.check()


def test_workers_join_and_leave_under_load(broker, topic_names, tmp_path):
    """Members without a name: the partitions of one that stops move long before its session ends.

    Those that stay with the first worker are never restored again.
    """
    scene = Scene(broker, topic_names, tmp_path, n_partitions=4, **LONG_SESSION).make()
    scene.variables["DRIFTLINE_WORKER_STATIC_MEMBERSHIP"] = "false"
    feeder = Feeder(scene, lines_of(3_000), per_s=200)
    first = scene.start(slot=0)
    scene.wait_for(100, workers=[first])
    others = [scene.start(slot=1), scene.start(slot=2)]
    wait_until(lambda: all(w.says(READY) for w in others), "all have some", workers=others)
    n_before = n_ready(first, others[1])
    assert others[0].stopped(GRACE_S) == ExitCode.CLEAN
    left = [first, others[1]]
    wait_until(
        lambda: n_ready(*left) > n_before, "its partition has moved", timeout_s=20, workers=left
    )
    feeder.finish()
    scene.wait_for(workers=left)
    assert [worker.stopped() for worker in left] == [0, 0]
    scene.check()
    kept = [
        n
        for n in range(4)
        if [w.log().count(f"[{n}]: {READY}") for w in scene.workers][1:] == [0, 0]
    ]
    assert kept
    assert all(first.log().count(f"[{n}]: {READY}") == 1 for n in kept)


def test_partitions_that_stay_go_on_while_others_rest(scene):
    """A member with a name may come back within its session: until then its partitions rest."""
    scene.variables |= LONG_SESSION
    staying = scene.start(slot=0)
    wait_until(lambda: staying.says(READY), "it has some", workers=[staying])
    leaving = scene.start(slot=1)
    workers = [staying, leaving]
    scene.publish(lines_of(600))
    scene.wait_for(workers=workers)
    wait_until(lambda: leaving.says(READY), "each has one", workers=workers)
    assert leaving.stopped(GRACE_S) == ExitCode.CLEAN
    n_before = n_ready(staying)
    before = [position.offset for position in scene.committed()]
    scene.publish(lines_of(1_000)[600:])
    ends = scene.ends()
    (kept,) = (n for n in range(2) if f"[{n}]: {READY}" not in leaving.log())
    wait_until(lambda: scene.committed()[kept].offset == ends[kept], "on", workers=[staying])
    assert scene.committed()[1 - kept].offset == before[1 - kept] < ends[1 - kept]
    again = scene.start(slot=1)
    scene.wait_for(workers=[staying, again])
    assert n_ready(staying) == n_before
    scene.finish(staying, again)
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
    use_newer_protocol(scene)
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


def use_newer_protocol(scene):
    for name in ("KAFKA_SESSION_TIMEOUT_MS", "KAFKA_HEARTBEAT_INTERVAL_MS"):
        del scene.variables[name]  # the broker's, with this protocol
    scene.variables["KAFKA_GROUP_PROTOCOL"] = "consumer"


def n_ready(*workers):
    """Give how often workers have had a partition ready."""
    return sum(worker.log().count(READY) for worker in workers)
