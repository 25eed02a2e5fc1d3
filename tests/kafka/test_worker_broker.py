"""Brokers that stop, die, freeze and come back: the worker goes on by itself."""

import time

import pytest

from tests.kafka.worker_harness import READY, Feeder, Scene, wait_until
from tests.replays import simulated

N_EVENTS = 1_200


@pytest.fixture
def scene(own_broker, topic_names, tmp_path):
    # Longer than brokers are away: a member comes back without a rebalance.
    scene = Scene(own_broker, topic_names, tmp_path, KAFKA_SESSION_TIMEOUT_MS="90000")
    yield scene.make()
    scene.close()


DEFAULTS = {
    "KAFKA_SESSION_TIMEOUT_MS": "45000",
    "KAFKA_HEARTBEAT_INTERVAL_MS": "3000",
    "KAFKA_TRANSACTION_TIMEOUT_MS": "15000",
}


@pytest.fixture
def away(outside):
    """Give seconds that a broker stays away, and the timeouts that it outlasts."""
    return (60, DEFAULTS) if outside.get("DRIFTLINE_SLOW_TESTS") == "1" else (8, {})


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


@pytest.fixture
def brief(own_broker, topic_names, tmp_path, away):
    """Give a scene whose sessions and transactions end before the broker is back."""
    scene = Scene(own_broker, topic_names, tmp_path, **away[1])
    yield scene.make()
    scene.close()


@pytest.mark.parametrize("how", ["freeze", "kill"])
def test_brokers_away_for_longer_than_sessions_and_transactions_last(brief, own_broker, away, how):
    """One worker is in the midst of a commit, one has nothing to do, one starts: all go on."""
    scene, away_s = brief, away[0]
    idle = scene.start(slot=1)
    wait_until(lambda: idle.log().count(READY) == scene.n_partitions, "ready", workers=[idle])
    busy = scene.start_failing("between offsets and commit", 2, "STOP")
    wait_until(lambda: busy.says(READY), "it has some", workers=[busy])
    feeder = Feeder(scene, lines_of(), per_s=300)
    wait_until(busy.is_stopped, "stopped", workers=[busy])
    getattr(own_broker, how)()
    late = scene.start(slot=2)
    busy.thaw()
    time.sleep(away_s)
    own_broker.mend()
    wait_until(lambda: late.says("assigned: "), "it is a member", workers=[late])
    feeder.finish()
    scene.finish(idle, busy, late, timeout_s=60 + 2 * away_s)
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
