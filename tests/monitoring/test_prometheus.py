"""A real Prometheus scrapes an exporter: alerts fire, expressions return data."""

import threading

import pytest

from monitoring.exporter import Exporter
from tests.monitoring.asking import questions, silent
from tests.monitoring.feeding import NOW, episode, feed, new_metrics
from tests.monitoring.server import quick, states, wait_until
from tests.monitoring.test_rules import ALERTS, FOLDER, RULE_FILES


class Feeder(threading.Thread):
    """Tells observers of a turn a tenth of a second, until it is told to end."""

    def __init__(self, metrics):
        super().__init__(daemon=True)
        self.metrics = metrics
        self._is_over = threading.Event()

    def run(self):
        while not self._is_over.wait(0.1):
            feed(self.metrics, n_partitions=2)

    def end(self):
        self._is_over.set()
        self.join()


@pytest.fixture
def metrics():
    return new_metrics(n_failures=lambda: 1)


@pytest.fixture
def target(metrics):
    with Exporter(metrics, host="127.0.0.1", port=0) as exporter:
        yield exporter.address.removeprefix("http://")


@pytest.fixture
def feeder(metrics):
    feeder = Feeder(metrics)
    feeder.start()
    yield feeder
    feeder.end()


def test_every_expression_of_the_dashboards_returns_data(prometheus, target, feeder, tmp_path):
    server = prometheus([target], rules=quick(RULE_FILES, tmp_path))
    asked = questions()
    assert len(asked) > 50
    wait_until(lambda: not silent(server, asked), lambda: silent(server, asked))
    assert feeder.is_alive()


def test_a_drift_episode_fires_its_alert_and_resolves_it(prometheus, metrics, target, tmp_path):
    metrics.assigned({0: "ready"}, change="assigned")
    server = prometheus([target], rules=quick(RULE_FILES, tmp_path))
    wait_until(lambda: server.query("driftline_drift_open_episodes"), "metrics are scraped")
    assert "DriftlineDriftEpisode" not in states(server)
    metrics.drifted(episode("opened"))
    wait_until(lambda: states(server).get("DriftlineDriftEpisode") == "firing", "it fires")
    (row,) = server.query("driftline_drift_detected_timestamp_seconds * 1000")
    assert (row[0]["kind"], row[1]) == ("concept", NOW * 1000)
    metrics.drifted(episode("closed"))
    wait_until(lambda: "DriftlineDriftEpisode" not in states(server), "it resolves")


def test_the_server_reads_our_configuration_and_knows_every_alert(prometheus):
    server = prometheus([], rules=[FOLDER / "rules" / path.name for path in RULE_FILES])
    groups = server.api("rules")["groups"]
    found = {rule["name"] for group in groups for rule in group["rules"]}
    assert set(ALERTS) <= found
    wait_until(lambda: states(server).get("DriftlineAbsent") == "pending", "nobody is there")
