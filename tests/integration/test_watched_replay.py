"""A replay that is scraped while it runs, and one whose past is written down."""

import json
import re
import subprocess
import sys
import urllib.request

import pytest

from monitoring.exporter import Exporter
from tests.monitoring.feeding import new_metrics
from tests.replays import N_EVENTS, driftline, refusal, replay, result_of


def totals(text, name):
    """Give the last value of every series of a counter by its labels."""
    found = {}
    for line in re.findall(rf"^{name}\{{(.*)\}} (\S+) \d+$", text, flags=re.MULTILINE):
        labels, value = line
        found[tuple(re.findall(r'(\w+)="([^"]*)"', labels))] = float(value)
    return found


@pytest.fixture(scope="module")
def noted(whole, tmp_path_factory):
    """Give the file of a replay of two partitions and its summary."""
    path = tmp_path_factory.mktemp("noted") / "om.txt"
    options = ("--content", whole.content, "--partitions", 2, "--openmetrics", path)
    summary = replay(whole.log, *options)
    return path.read_text("utf-8"), summary


def test_watching_changes_no_result(whole, noted):
    alone = replay(whole.log, "--content", whole.content, "--partitions", 2)
    assert result_of(noted[1]) == result_of(alone)


def test_the_counters_end_where_the_summary_does(noted):
    text, summary = noted
    (judged,) = totals(text, "driftline_judged_events_total").values()
    assert judged == summary["judged"]
    events = totals(text, "driftline_events_total")
    assert sum(events.values()) == N_EVENTS
    hits = totals(text, "driftline_hits_total")
    found = {dict(labels)["model"]: value / judged for labels, value in hits.items()}
    assert found["driftline"] == pytest.approx(summary["recall@10"])
    for name, scores in summary["baselines"].items():
        assert found[name] == pytest.approx(scores["recall@10"])
    segments = totals(text, "driftline_segment_judged_events_total")
    assert {dict(labels)["segment"]: value for labels, value in segments.items()} == {
        name: scores["judged"] for name, scores in summary["segments"].items()
    }


def test_a_running_replay_is_scraped(whole):
    """The log comes by standard input, which stays open until the page was read."""
    words = [sys.executable, "-m", "streams", "replay", "-", "--format", "jsonl", "--quiet"]
    options = ["--json", "--serve-metrics", ":0"]
    with subprocess.Popen(
        [*words, *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        line = process.stderr.readline().decode()
        (address,) = re.findall(r"http://127\.0\.0\.1:\d+", line)
        with urllib.request.urlopen(f"{address}/healthz", timeout=60) as answer:  # noqa: S310
            assert answer.read() == b"ok\n"
        with urllib.request.urlopen(f"{address}/metrics", timeout=60) as answer:  # noqa: S310
            assert b"driftline_judged_events_total 0.0" in answer.read()
        out, _ = process.communicate(whole.log.read_bytes())
    assert process.returncode == 0
    assert json.loads(out)["records"] == N_EVENTS


def test_a_port_that_is_taken_is_refused_in_one_sentence(whole):
    with Exporter(new_metrics(), host="127.0.0.1", port=0) as other:
        port = other.address.rpartition(":")[2]
        sentence = refusal("replay", whole.log, "--serve-metrics", f":{port}")
    assert sentence.startswith(f"metrics cannot be served at 127.0.0.1:{port}: Address already")


@pytest.mark.parametrize("text", [":", ":x", ":70000", "localhost:", "9108x"])
def test_what_is_no_address_is_refused(whole, text):
    assert "no address" in refusal("replay", whole.log, "--serve-metrics", text)


def test_a_file_that_cannot_be_written_is_refused_before_anything_is_read(whole, tmp_path):
    path = tmp_path / "no" / "om.txt"
    assert refusal("replay", whole.log, "--openmetrics", path) == (
        f"{path}: cannot write: No such file or directory"
    )


def test_a_disk_that_is_full_at_the_end_leaves_the_result(whole):
    result = driftline(
        "replay", whole.log, "--quiet", "--json", "--limit", 500, "--openmetrics", "/dev/full"
    )
    assert result.exit_code == 2
    assert json.loads(result.stdout)["records"] == 500
    assert "Error: /dev/full: cannot write: No space left on device" in result.stderr
