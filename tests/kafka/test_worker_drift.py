"""Taste changes in a topic: Prometheus wakes somebody, shows what it is, and when it is over."""

import json
import re

import pytest

from monitoring.grafana.drift import DRIFT
from tests.kafka.worker_harness import Scene, wait_until
from tests.monitoring.asking import questions
from tests.monitoring.conftest import prometheus  # noqa: F401  a fixture
from tests.monitoring.server import quick, states
from tests.monitoring.server import wait_until as wait_for_answer
from tests.monitoring.test_rules import RULE_FILES
from tests.replays import driftline

ADDRESS = re.compile(r"metrics at http://(127\.0\.0\.1:\d+)/metrics")
N_EVENTS, N_TITLES, N_USERS = 24_000, 2_000, 600
N_SHOWN = 14_000
"""Taste has changed by then, and the episode is not over."""
ALERT, FAULT = "DriftlineDriftEpisode", "DriftlineInputFault"
N_HANDLED, N_ALARMS = "sum(driftline_events_total)", "sum(driftline_drift_alarms_total)"
OF_TARGET = ("__name__", "job", "instance")
WINDOW = "60s"


@pytest.fixture(scope="module")
def flipped(tmp_path_factory):
    """Give views and titles of a log in which everybody's taste changes, and when it does."""
    folder = tmp_path_factory.mktemp("flipped")
    size = ("--events", N_EVENTS, "--users", N_USERS, "--titles", N_TITLES)
    result = driftline("simulate", "--scenario", "taste-flip", *size, "--out", folder)
    assert result.exit_code == 0, result.output
    names = ("events", "content", "truth")
    views, titles, truth = ((folder / f"{name}.jsonl").read_bytes().splitlines() for name in names)
    return views, titles, json.loads(truth[0])


@pytest.fixture
def scene(broker, topic_names, tmp_path):
    scene = Scene(broker, topic_names, tmp_path, n_partitions=1)
    yield scene.make()
    scene.close()


def number(server, expression):
    """Give the value of an expression that has one, None while it has none."""
    rows = server.query(expression)
    return rows[0][1] if len(rows) == 1 else None


def panels(server):
    """Give what each panel about drift shows, by its series; and the mark of all dashboards."""
    asked, found = questions(WINDOW), {}
    for name in (*(f"{panel.title}/A" for panel in DRIFT.panels), "Drift"):
        rows = server.query(asked[f"driftline-quality/{name}"])
        found[name.removesuffix("/A")] = {
            tuple(text for label, text in labels.items() if label not in OF_TARGET): value
            for labels, value in rows
        }
    return found


def at_work(scene, start, folder):
    """Start a worker, and a Prometheus that scrapes it under our rules."""
    worker = scene.start()
    wait_until(lambda: ADDRESS.search(worker.log()), "it serves metrics", workers=[worker])
    return worker, start([ADDRESS.search(worker.log())[1]], rules=quick(RULE_FILES, folder))


def test_drift_fires_its_alert_is_shown_and_resolves(scene, flipped, prometheus, tmp_path):  # noqa: F811
    views, titles, truth = flipped
    n_before = truth["begin_line"] - 1
    scene.publish_content(titles)
    scene.publish(views[:n_before])
    worker, server = at_work(scene, prometheus, tmp_path)
    wait_for_answer(lambda: number(server, N_HANDLED) == n_before, "taste is as ever")
    assert not {ALERT, FAULT} & states(server).keys()
    assert number(server, N_ALARMS) == 0

    scene.publish(views[n_before:N_SHOWN])
    wait_for_answer(lambda: states(server).get(ALERT) == "firing", "the alert fires")
    wait_for_answer(lambda: number(server, N_HANDLED) == N_SHOWN, "all but the end is handled")
    wait_for_answer(lambda: all(panels(server).values()), lambda: panels(server))
    seen = panels(server)
    assert FAULT not in states(server)

    scene.publish(views[N_SHOWN:])
    wait_for_answer(lambda: ALERT not in states(server), "the alert resolves")
    wait_for_answer(lambda: number(server, N_HANDLED) == N_EVENTS, "all is handled")
    assert not any(panels(server)["Open episodes"].values())
    n_alarms = number(server, N_ALARMS)
    scene.finish(worker)

    opened, *_, closed = (json.loads(value) for value in scene.drift()[0])
    assert (opened["state"], opened["kind"]) == ("opened", "concept")
    assert (closed["state"], closed["alarms"]) == ("closed", n_alarms)
    assert opened["detected"] > truth["begin_event_time"]
    when = {("concept",): pytest.approx(opened["detected"] * 1000)}
    assert (seen["Latest detection"], seen["Drift"]) == (when, when)
    assert told(seen["Open episodes"]) == {("concept", "drift")}
    assert told(seen["Episodes opened"]) == {("concept", "drift")}
    assert told(seen["Alarms"]) == {(opened["statistic"],)}
    assert told(seen["Reactions"]) == {(reaction["name"],) for reaction in opened["reactions"]}
    assert max(seen["Detector levels"].values()) < 1
    assert {("all",), ("user:known",), ("device:tv",)} <= told(seen["Recall by scope"])


def told(series):
    """Give the series that are not 0."""
    return {key for key, value in series.items() if value}
