"""A killed worker: nothing is lost, nothing is doubled, the state is that of a clean run."""

import json
import random
import signal
import time

import pytest

from tests.drifting import lacking, permuted
from tests.kafka.failing_worker import POINTS
from tests.kafka.worker_harness import READY, Feeder, Scene, wait_until
from tests.replays import simulated

N_KILLS = 20
N_TH = {"during a restore": 1, "in the middle of a state file": 1}
N_EVENTS = 3_000
SMALL_STEPS = {
    "DRIFTLINE_WORKER_COMMIT_INTERVAL_S": "0.02",
    "DRIFTLINE_WORKER_MAX_RECORDS": "40",
    "DRIFTLINE_WORKER_SNAPSHOT_EVERY_EVENTS": "200",
}


@pytest.fixture
def scene(broker, topic_names, tmp_path):
    scene = Scene(broker, topic_names, tmp_path, **SMALL_STEPS)
    yield scene.make()
    scene.close()


def test_twenty_kills_at_random_moments_of_one_run(scene):
    moments = random.Random(7)
    lines, content = simulated()
    scene.publish_content(content)
    feeder = Feeder(scene, lines[:N_EVENTS], per_s=100)
    n_working = 0
    for n_kill in range(N_KILLS):
        worker = scene.start()
        if n_kill % 4:  # the others die while they start
            wait_until(lambda: worker.says(READY), "ready", workers=[worker])  # noqa: B023
        time.sleep(moments.uniform(0.0, 0.6))
        n_working += worker.says(READY)
        worker.kill()
    feeder.finish()
    assert n_working >= N_KILLS // 2
    scene.finish(scene.start())
    scene.check(content=content)


def test_kills_while_something_drifts_neither_lose_an_episode_nor_tell_of_it_twice(scene):
    lines, content = simulated(6_000)
    lines = lacking(permuted(lines, 3_600), "view_time", 4_500, 5_700)
    scene.publish_content(content)
    scene.publish(lines)
    moments = random.Random(11)
    for n_committed in range(2_400, 6_000, 600):
        worker = scene.start()
        scene.wait_for(n_committed + moments.randrange(600), workers=[worker])
        worker.kill()
    scene.finish(scene.start())
    told = [[json.loads(r)["state"] for r in o.drift] for o in scene.check(content=content)]
    assert [states.count("opened") for states in told] == [1, 1]
    assert "updated" in told[0]


@pytest.mark.parametrize("point", POINTS)
def test_a_kill_at_a_point_of_the_protocol(scene, point):
    lines, content = simulated()
    scene.publish_content(content)
    scene.publish(lines[:800])
    if point == "during a restore":
        killed = scene.start(DRIFTLINE_WORKER_SNAPSHOT_EVERY_EVENTS="100000")
        scene.wait_for(workers=[killed])
        killed.kill()
    failing = scene.start_failing(point, N_TH.get(point, 3))
    assert failing.ended() == -signal.SIGKILL, failing.gist()
    scene.publish(lines[800:1_000])
    scene.finish(scene.start())
    scene.check(content=content)
