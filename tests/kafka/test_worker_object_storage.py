"""Workers whose snapshots are in object storage: killed, and with the storage away."""

import re
import signal

import pytest

from streams.exit_codes import ExitCode
from streams.snapshots import newest_snapshot, offsets, owner_of
from tests.kafka.worker_harness import READY, STOPPED, Scene, wait_until
from tests.replays import simulated

N_BEFORE, N_EVENTS = 600, 1_200
REFUSED = "the ones before it stay"
AWAY = "trying again"
QUICK = {
    "DRIFTLINE_WORKER_SNAPSHOT_EVERY_EVENTS": "200",
    "DRIFTLINE_WORKER_STORE_BUDGET_S": "0.5",
    "DRIFTLINE_SNAPSHOT_STORE_TIMEOUT": "500ms",
}


@pytest.fixture
def scene_on(broker, topic_names, tmp_path):
    """Give a way to make a scene whose snapshots are on a server."""
    made = []

    def scene_on(server):
        url = {"DRIFTLINE_WORKER_SNAPSHOT_FOLDER": server.new_bucket()}
        scene = Scene(broker, topic_names, tmp_path, **server.variables(), **QUICK, **url)
        made.append(scene)
        return scene.make()

    yield scene_on
    for scene in made:
        scene.close()


def lines_of(begin, end):
    return simulated()[0][begin:end]


def n_saved(scene):
    """Give how many partitions have a snapshot."""
    return sum(bool(offsets(scene.snapshots / owner_of(n))) for n in range(scene.n_partitions))


def saved(scene, worker):
    """Let a worker process the first lines and save each partition."""
    scene.publish(lines_of(0, N_BEFORE))
    scene.wait_for(workers=[worker])
    wait_until(lambda: n_saved(scene) == scene.n_partitions, "all saved", workers=[worker])


def files(scene, number):
    """Give the names of all files in a partition's places."""
    return [name.partition("/")[2] for name in (scene.snapshots / owner_of(number)).files()]


def begins(worker):
    """Give the offsets of the snapshots that a worker restored."""
    ready = re.findall(rf"{READY} (\d+), (\d+) records replayed", worker.log())
    return sorted(int(offset) - int(n_replayed) for offset, n_replayed in ready)


def newest(scene):
    found = [newest_snapshot(scene.snapshots / owner_of(n))[0] for n in range(scene.n_partitions)]
    return sorted(snapshot.manifest.next_offset for snapshot in found)


def test_a_worker_killed_between_state_and_manifest_goes_on_from_the_snapshot_before(scene_on, s3):
    scene = scene_on(s3)
    # The manifest of the third snapshot is the sixth object.
    failing = scene.start_failing("before an object is sent", n_calls=6)
    saved(scene, failing)
    expected = newest(scene)
    scene.publish(lines_of(N_BEFORE, N_EVENTS))
    assert failing.ended() == -signal.SIGKILL, failing.gist()
    names = [name for n in range(scene.n_partitions) for name in files(scene, n)]
    assert sorted(names) == ["manifest.json"] * 2 + ["state.safetensors"] * 3
    worker = scene.start()
    scene.finish(worker)
    assert begins(worker) == expected
    scene.check()


def test_storage_that_is_away_costs_snapshots_and_nothing_else(scene_on, own_s3):
    scene = scene_on(own_s3)
    worker = scene.start()
    saved(scene, worker)
    own_s3.freeze()
    scene.publish(lines_of(N_BEFORE, N_EVENTS))
    wait_until(lambda: worker.says(REFUSED), "a snapshot refused", workers=[worker])
    scene.wait_for(workers=[worker])
    own_s3.thaw()
    scene.finish(worker)
    scene.check()


def test_a_restore_waits_for_storage_that_is_away(scene_on, own_s3):
    scene = scene_on(own_s3)
    killed = scene.start()
    saved(scene, killed)
    killed.kill()
    expected = newest(scene)
    own_s3.freeze()
    impatient = scene.start(DRIFTLINE_WORKER_STORE_WAIT_S="0")
    assert impatient.ended() == ExitCode.SNAPSHOT, impatient.gist()
    assert impatient.says("cannot list it")
    worker = scene.start()
    wait_until(lambda: worker.says(AWAY), "the storage missed", workers=[worker])
    own_s3.thaw()
    scene.finish(worker)
    assert begins(worker) == expected
    scene.check()


def test_an_upload_that_hangs_holds_up_no_stop(scene_on, own_s3):
    scene = scene_on(own_s3)
    worker = scene.start(
        DRIFTLINE_WORKER_STOP_BUDGET_S="0.5",
        DRIFTLINE_WORKER_STORE_BUDGET_S="600",
        DRIFTLINE_SNAPSHOT_STORE_TIMEOUT="600s",
    )
    wait_until(lambda: worker.log().count(READY) == scene.n_partitions, "ready", workers=[worker])
    own_s3.freeze()
    scene.publish(lines_of(0, N_BEFORE))
    scene.wait_for(workers=[worker])
    assert worker.stopped() == ExitCode.CLEAN
    assert worker.says(STOPPED)
