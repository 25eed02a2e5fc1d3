import http.client
import json
import socket
import sys
import threading

import pytest

from monitoring import exporter as module
from monitoring.exporter import Exporter
from tests.monitoring.feeding import feed, new_metrics
from tests.monitoring.server import wait_until


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def metrics(clock):
    return new_metrics(clock=clock)


@pytest.fixture
def exporter(metrics):
    with Exporter(metrics, host="127.0.0.1", port=0, healthy_within_s=30) as found:
        yield found


def place(exporter):
    host, _, port = exporter.address.removeprefix("http://").rpartition(":")
    return host, int(port)


def ask(exporter, path, method="GET", **headers):
    connection = http.client.HTTPConnection(*place(exporter), timeout=10)
    connection.request(method, path, headers=headers)
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()
    return answer.status, body, answer.headers


def test_metrics_come_as_text_or_openmetrics_as_asked_for(exporter, metrics):
    feed(metrics)
    status, text, headers = ask(exporter, "/metrics")
    assert status == 200
    assert headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert "driftline_judged_events_total 45.0\n" in text
    wanted = "application/openmetrics-text; version=1.0.0"
    _, text, headers = ask(exporter, "/metrics", Accept=wanted)
    assert headers["Content-Type"].startswith(wanted)
    assert text.endswith("# EOF\n")


def test_it_is_healthy_while_the_loop_ticks(exporter, metrics, clock):
    metrics.ticked(is_ready=False, is_broker_away=True)
    clock.now += 29
    assert ask(exporter, "/healthz")[:2] == (200, "ok\n")
    clock.now += 2
    status, text, _ = ask(exporter, "/healthz")
    assert (status, text) == (503, "the loop has not begun a turn for 31 s\n")


def test_it_is_ready_when_all_partitions_are_restored(exporter, metrics):
    assert ask(exporter, "/readyz")[:2] == (503, "joining\n")
    metrics.assigned({0: "ready", 1: "restoring"}, change="assigned")
    assert ask(exporter, "/readyz")[:2] == (503, "1 of 2 partitions are restored\n")
    metrics.assigned({0: "ready", 1: "ready"}, change="restored")
    metrics.ticked(is_ready=True, is_broker_away=False)
    assert ask(exporter, "/readyz")[:2] == (200, "ok\n")


def test_it_is_not_ready_while_it_stands_still(exporter, metrics, clock):
    metrics.ticked(is_ready=True, is_broker_away=False)
    clock.now += 31
    assert ask(exporter, "/readyz")[0] == 503


def test_it_is_not_ready_while_it_drains():
    metrics = new_metrics(is_draining=lambda: True)
    metrics.ticked(is_ready=True, is_broker_away=False)
    with Exporter(metrics, host="127.0.0.1", port=0) as exporter:
        assert ask(exporter, "/readyz")[:2] == (503, "draining\n")
        assert json.loads(ask(exporter, "/status")[1])["state"] == "draining"


def test_the_status_is_one_object_for_people_and_scripts(exporter, metrics, clock):
    feed(metrics)
    _, text, headers = ask(exporter, "/status")
    found = json.loads(text)
    assert headers["Content-Type"] == "application/json"
    assert found["state"] == "ready"
    assert found["partitions"]["0"]["state"] == "ready"
    assert found["partitions"]["0"]["lag_events"] == 3
    assert found["events"] == {"accepted": 90, "duplicate": 2, "dead_letter": 1}
    assert found["quality"]["recall@10"] == 0.2
    assert found["open_drift_episodes"]["concept"] == 1
    clock.now += 31
    assert json.loads(ask(exporter, "/status")[1])["state"] == "stuck"


def test_the_status_before_the_first_event_has_no_means(exporter):
    found = json.loads(ask(exporter, "/status")[1])
    assert found["state"] == "starting"
    assert found["quality"]["recall@10"] is None


@pytest.mark.parametrize("path", ["/metrics", "/healthz", "/status", "/nowhere"])
def test_head_gives_what_get_does_without_a_body(exporter, path):
    status, body, headers = ask(exporter, path, "HEAD")
    expected = ask(exporter, path)
    assert (status, body) == (expected[0], "")
    assert headers["Content-Type"] == expected[2]["Content-Type"]


def test_other_paths_are_not_found_and_the_answer_says_what_there_is(exporter):
    for path in ("/metrics/", "/healthz2", "/favicon.ico"):
        status, text, _ = ask(exporter, path)
        assert status == 404
        assert "/metrics" in text


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "BREW"])
def test_other_methods_are_not_allowed(exporter, method):
    status, _, headers = ask(exporter, "/metrics", method)
    assert status == 405
    assert headers["Allow"] == "GET, HEAD"


def test_what_is_no_request_is_refused_and_harms_nobody(exporter):
    with socket.create_connection(place(exporter), timeout=10) as client:
        client.sendall(b"GET /metrics and more HTTP/1.1\r\n\r\n")
        assert b" 400 " in client.recv(1000)
    assert ask(exporter, "/status")[0] == 200


def test_a_page_that_fails_says_so_and_harms_nobody(exporter, metrics, monkeypatch):
    monkeypatch.setattr(metrics.store, "copy", lambda: 1 / 0)
    status, text, _ = ask(exporter, "/metrics")
    assert status == 500
    assert "ZeroDivisionError" in text
    assert ask(exporter, "/readyz")[0] == 503


def test_it_is_served_on_this_machine_only_unless_told_otherwise(exporter):
    assert place(exporter)[0] == "127.0.0.1"


def test_a_port_that_is_taken_is_an_error_at_once(exporter, metrics):
    with pytest.raises(OSError, match="in use"):
        Exporter(metrics, host="127.0.0.1", port=place(exporter)[1])


def test_the_port_is_free_again_afterwards(metrics):
    with Exporter(metrics, host="127.0.0.1", port=0) as first:
        port = place(first)[1]
    with Exporter(metrics, host="127.0.0.1", port=port) as second:
        assert ask(second, "/")[0] == 200


def test_threads_take_quick_turns_only_while_it_serves(metrics):
    before_s = sys.getswitchinterval()
    with Exporter(metrics, host="127.0.0.1", port=0):
        assert sys.getswitchinterval() < before_s
    assert sys.getswitchinterval() == before_s


def test_clients_that_say_nothing_are_sent_away_and_others_served_again(exporter, monkeypatch):
    monkeypatch.setattr(module, "CLIENT_S", 0.5)
    silent = [
        socket.create_connection(place(exporter), timeout=30) for _ in range(module.MAX_CLIENTS)
    ]

    def is_served():
        try:
            return ask(exporter, "/")[0] == 200
        except (OSError, http.client.HTTPException):
            return False

    wait_until(is_served, "a place is free again")
    for client in silent:
        assert client.recv(100) == b""
        client.close()


def test_a_client_that_dribbles_is_sent_away(exporter, monkeypatch):
    monkeypatch.setattr(module, "CLIENT_S", 0.5)
    with socket.create_connection(place(exporter), timeout=30) as client:

        def is_sent_away():
            try:
                client.sendall(b"G")
            except OSError:
                return True
            return False

        wait_until(is_sent_away, "the connection is ended")


def test_the_loop_is_not_stopped_by_whoever_reads(exporter, metrics):
    feed(metrics, n_partitions=8)
    errors = []

    def scrape():
        for _ in range(5):
            status, text, _ = ask(exporter, "/metrics")
            if status != 200 or "driftline_events_total" not in text:
                errors.append(text)

    threads = [threading.Thread(target=scrape) for _ in range(4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        feed(metrics, n_partitions=8)
    assert errors == []
