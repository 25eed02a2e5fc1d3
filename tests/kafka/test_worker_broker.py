"""Brokers that stop, die, freeze and come back: the worker goes on by itself."""

import time

import pytest

from streams.exit_codes import ExitCode
from tests.kafka.worker_harness import Feeder, Scene, wait_until
from tests.replays import simulated

N_EVENTS = 1_200


@pytest.fixture
def scene(own_broker, topic_names, tmp_path):
    # Longer than brokers are away, but for the last test: a worker comes back without a restart.
    scene = Scene(own_broker, topic_names, tmp_path, KAFKA_SESSION_TIMEOUT_MS="90000")
    yield scene.make()
    scene.close()


@pytest.fixture
def away_s(outside):
    """Seconds that a broker stays away."""
    return 60 if outside.get("DRIFTLINE_SLOW_TESTS") == "1" else 10


def lines_of(n_events=N_EVENTS):
    return simulated()[0][:n_events]


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_a_broker_that_is_started_again(scene, own_broker, how):
    feeder = Feeder(scene, lines_of(), per_s=300)
    worker = scene.start()
    scene.wait_for(200, workers=[worker])
    getattr(own_broker, how)()
    own_broker.start()
    feeder.finish()
    scene.finish(worker, timeout_s=60)
    scene.check()


def test_a_broker_that_is_away_under_way_and_at_the_start(scene, own_broker, away_s):
    scene.publish(lines_of(600))
    worker = scene.start(slot=0)
    scene.wait_for(600, workers=[worker])
    scene.publish(lines_of(650)[600:])
    own_broker.kill()
    late = scene.start(slot=1)
    time.sleep(away_s)
    assert worker.is_alive
    wait_until(lambda: late.says("trying again"), "it waits", workers=[late])
    own_broker.start()
    scene.publish(lines_of()[650:])
    scene.finish(worker, late, timeout_s=60)
    scene.check()


def test_a_stop_is_obeyed_while_brokers_are_away(scene, own_broker):
    scene.publish(lines_of(800))
    worker = scene.start_failing(
        "before the offsets are sent",
        2,
        "STOP",
        DRIFTLINE_WORKER_MAX_RECORDS="300",
        DRIFTLINE_WORKER_STOP_BUDGET_S="2",
    )
    wait_until(worker.is_stopped, "stopped", workers=[worker])
    own_broker.kill()
    worker.thaw()
    late = scene.start(slot=1)
    wait_until(lambda: late.says("trying again"), "it waits", workers=[late])
    wait_until(lambda: worker.says("streams.checkpoint"), "it cannot commit", workers=[worker])
    assert late.stopped() == 0, late.gist()
    assert worker.stopped(60) == 0, worker.gist()
    own_broker.start()
    scene.publish(lines_of()[800:])
    scene.finish(scene.start(), timeout_s=60)
    scene.check()


@pytest.mark.parametrize("is_delivered", [True, False])
def test_a_commit_whose_end_is_unknown_is_settled(scene, own_broker, is_delivered):
    """The broker freezes as the commit is sent, then either reads it or dies with it unread."""
    scene.publish(lines_of(800))
    worker = scene.start_failing(
        "between offsets and commit",
        2,
        "STOP",
        DRIFTLINE_WORKER_MAX_RECORDS="300",
    )
    wait_until(worker.is_stopped, "stopped", workers=[worker])
    own_broker.freeze()
    worker.thaw()
    wait_until(lambda: worker.says("(unknown)"), "unknown", workers=[worker])
    if not is_delivered:
        own_broker.kill()
        own_broker.start()
    own_broker.thaw()
    scene.publish(lines_of()[800:])
    scene.finish(worker, timeout_s=60)
    scene.check()


def test_a_broker_that_freezes_for_longer_than_a_session_takes_no_slot(scene, own_broker):
    """The member joins again, unheard, and is told later that its name was taken: by itself."""
    scene.publish(lines_of(800))
    worker = scene.start_failing(
        "between offsets and commit",
        2,
        "STOP",
        DRIFTLINE_WORKER_MAX_RECORDS="300",
        KAFKA_SESSION_TIMEOUT_MS="3000",
    )
    wait_until(worker.is_stopped, "stopped", workers=[worker])
    own_broker.freeze()
    worker.thaw()
    wait_until(lambda: worker.says("(unknown)"), "unknown", workers=[worker])
    own_broker.thaw()
    scene.publish(lines_of()[800:])
    wait_until(lambda: not worker.is_alive or scene.n_committed() == N_EVENTS, "one or the other")
    if not worker.is_alive:
        assert worker.returncode == ExitCode.KAFKA, worker.gist()
        worker = scene.start()
    scene.finish(worker, timeout_s=60)
    scene.check()
