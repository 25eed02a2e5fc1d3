"""Real workers, scraped by a real Prometheus; every number against what they wrote."""

import json
import re
import urllib.error
import urllib.request

import pytest

from streams.exit_codes import ExitCode
from streams.kafka_records import Output
from tests.kafka.worker_harness import Feeder, Scene, wait_until
from tests.monitoring.asking import questions, silent
from tests.monitoring.conftest import prometheus  # noqa: F401  a fixture
from tests.monitoring.server import free_port
from tests.monitoring.server import wait_until as wait_for_answer
from tests.replays import simulated

ADDRESS = re.compile(r"metrics at (http://127\.0\.0\.1:\d+)/metrics")
N_EVENTS = 1_200
# Nothing drifts in so short a log, and restores are over before the first scrape.
SILENT = ("Latest detection", "/Drift", "duration of a restore")


@pytest.fixture
def scene(broker, topic_names, tmp_path):
    scene = Scene(broker, topic_names, tmp_path, DRIFTLINE_WORKER_SNAPSHOT_EVERY_S="1")
    yield scene.make()
    scene.close()


def lines_of(n_events=N_EVENTS):
    return simulated()[0][:n_events]


def address_of(worker):
    return wait_until(lambda: ADDRESS.search(worker.log()), "it serves metrics", workers=[worker])


def ask(worker, path):
    """Give status and text of a page of a worker."""
    address = ADDRESS.search(worker.log())[1]
    try:
        with urllib.request.urlopen(address + path, timeout=10) as answer:  # noqa: S310
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def status_of(worker):
    return json.loads(ask(worker, "/status")[1])


def is_caught_up(worker, scene):
    """Whether a worker is ready and says that nothing waits in any partition."""
    partitions = status_of(worker)["partitions"].values()
    lags = [partition.get("lag_events") for partition in partitions]
    return ask(worker, "/readyz")[0] == 200 and lags == [0] * scene.n_partitions


def counter(text, name, labels=""):
    """Give the sum of a metric over the series whose labels hold some text."""
    found = re.findall(rf"^{name}(?:\{{(.*)\}})? (\S+)$", text, flags=re.MULTILINE)
    return sum(float(value) for own, value in found if labels in own)


def is_away(worker):
    return counter(ask(worker, "/metrics")[1], "driftline_brokers_away") == 1


def test_the_numbers_are_those_of_what_was_written(scene):
    scene.publish(lines_of())
    bad = [Output(scene.names.views, b"u1", b"nonsense") for _ in range(3)]
    scene.write(bad)
    worker = scene.start()
    scene.wait_for(workers=[worker])
    wait_until(lambda: is_caught_up(worker, scene), "no lag", workers=[worker])
    wait_until(
        lambda: counter(ask(worker, "/metrics")[1], "driftline_snapshots_total") >= 2, "saved"
    )
    status, text = ask(worker, "/metrics")
    assert status == 200
    assert counter(text, "driftline_events_total") == N_EVENTS + 3
    assert counter(text, "driftline_dead_letters_total", 'reason="decode"') == 3
    lists = sum(map(len, scene.read(scene.names.recommendations).values()))
    sent = f'topic="{scene.names.recommendations}"'
    assert counter(text, "driftline_records_sent_total", sent) == lists
    assert counter(text, "driftline_restores_total", "restored") == scene.n_partitions
    assert counter(text, "driftline_transactions_total", "committed") >= 1
    assert counter(text, "driftline_observer_failures_total") == 0
    assert status_of(worker)["state"] == "ready"
    scene.finish(worker)
    scene.check()


def test_what_was_learned_before_a_restart_is_not_counted_again(scene):
    scene.publish(lines_of(600))
    first = scene.start()
    scene.finish(first)
    scene.publish(lines_of(700)[600:])
    second = scene.start()
    scene.wait_for(workers=[second])
    wait_until(lambda: is_caught_up(second, scene), "no lag", workers=[second])
    assert counter(ask(second, "/metrics")[1], "driftline_events_total") == 100
    scene.finish(second)


def test_it_is_alive_but_not_ready_while_brokers_are_away(scene, own_broker):
    worker = scene.start()
    wait_until(lambda: ADDRESS.search(worker.log()), "it serves metrics", workers=[worker])
    wait_until(lambda: ask(worker, "/readyz")[0] == 200, "ready", workers=[worker])
    own_broker.kill()
    assert ask(worker, "/healthz") == (200, "ok\n")
    second = scene.start(slot=1)
    wait_until(lambda: ADDRESS.search(second.log()), "it serves metrics", workers=[second])
    wait_until(lambda: is_away(second), "it says so")
    assert ask(second, "/healthz")[0] == 200
    assert ask(second, "/readyz") == (503, "joining\n")


def test_a_port_that_is_taken_is_refused_where_it_was_asked_for(scene):
    port = str(free_port())
    first = scene.start(DRIFTLINE_MONITORING_PORT=port)
    wait_until(lambda: ADDRESS.search(first.log()), "it serves metrics", workers=[first])
    second = scene.start(slot=1, DRIFTLINE_MONITORING_PORT=port)
    assert second.ended() == ExitCode.CONFIGURATION
    assert second.says(f"Error: metrics cannot be served at 127.0.0.1:{port}: Address already")
    third = scene.start(slot=2)
    wait_until(lambda: ADDRESS.search(third.log()), "it found another", workers=[third])


def test_prometheus_gets_data_for_every_panel_from_workers(scene, prometheus):  # noqa: F811
    feeder = Feeder(scene, lines_of(), per_s=100)
    workers = [scene.start(slot=slot) for slot in range(2)]
    for worker in workers:
        address_of(worker)
    targets = [ADDRESS.search(worker.log())[1].removeprefix("http://") for worker in workers]
    server = prometheus(targets)
    asked = {
        place: expression
        for place, expression in questions("20s").items()
        if not any(name in place for name in SILENT) and "ALERTS" not in expression
    }
    wait_for_answer(lambda: not silent(server, asked), lambda: silent(server, asked), 30)
    feeder.finish()
    (row,) = server.query("sum(driftline_assigned_partitions)")
    assert row[1] == scene.n_partitions
