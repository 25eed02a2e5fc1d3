import math

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from monitoring import backfill as module
from monitoring.backfill import Backfill
from tests.monitoring.feeding import feed_partition, new_metrics
from tests.monitoring.server import wait_until

BEGIN = 1_700_000_040.0  # a multiple of a minute


def watched(path, moments, **options):
    """Write a file about batches that end at these moments; give it parsed."""
    metrics = new_metrics()
    metrics.assigned({0: "ready"}, change="assigned")
    with Backfill(metrics, str(path), **{"step_s": 60.0, **options}) as backfill:
        for moment in moments:
            feed_partition(metrics, 0)
            backfill.update(None, 1, event_time=moment)
    return path.read_text("utf-8")


def samples(text, name, **labels):
    """Give time and value of the samples of a series."""
    return [
        (float(sample.timestamp), sample.value)
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    ]


def test_counters_are_noted_at_the_end_of_their_step_and_begin_at_zero(tmp_path):
    text = watched(tmp_path / "om.txt", [BEGIN + 30, BEGIN + 70])
    found = samples(text, "driftline_judged_events_total")
    assert found == [(BEGIN, 0.0), (BEGIN + 60, 45.0), (BEGIN + 120, 90.0)]


def test_gauges_are_noted_from_the_first_batch_on(tmp_path):
    text = watched(tmp_path / "om.txt", [BEGIN + 30])
    assert samples(text, "driftline_users", partition="0") == [(BEGIN + 60, 100.0)]


def test_several_batches_of_one_step_make_one_sample(tmp_path):
    text = watched(tmp_path / "om.txt", [BEGIN + 10, BEGIN + 20, BEGIN + 59])
    found = samples(text, "driftline_judged_events_total")
    assert found == [(BEGIN, 0.0), (BEGIN + 60, 135.0)]


def test_time_never_goes_back_and_a_step_without_events_has_no_sample(tmp_path):
    moments = [BEGIN + 300, BEGIN, math.nan, BEGIN + 600]
    text = watched(tmp_path / "om.txt", moments)
    times = [time for time, _ in samples(text, "driftline_judged_events_total")]
    assert times == [BEGIN + 300, BEGIN + 360, BEGIN + 660]


def test_only_what_has_an_event_time_is_written_with_the_labels_of_a_scrape(tmp_path):
    text = watched(tmp_path / "om.txt", [BEGIN])
    names = {family.name for family in text_string_to_metric_families(text)}
    assert "driftline_build_info" in names
    assert not any("duration" in name or "process" in name for name in names)
    assert 'job="driftline-replay",instance="replay"' in text


def test_too_many_samples_are_thinned_and_the_latest_is_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "MAX_SAMPLES", 10)
    moments = [BEGIN + 60 * n for n in range(25)]
    found = samples(watched(tmp_path / "om.txt", moments), "driftline_judged_events_total")
    assert len(found) <= 11
    assert found[-1][1] == 25 * 45.0
    assert found == sorted(found)


def test_a_file_that_cannot_be_opened_is_an_error_at_once(tmp_path):
    with pytest.raises(OSError, match="No such file"):
        Backfill(new_metrics(), str(tmp_path / "no" / "folder"), step_s=60.0)


def test_promtool_makes_blocks_of_it_that_a_server_answers_from(tmp_path, promtool, prometheus):
    path, blocks = tmp_path / "om.txt", tmp_path / "blocks"
    watched(path, [BEGIN + 60 * n for n in range(10)])
    code, said = promtool("tsdb", "create-blocks-from", "openmetrics", path, blocks)
    assert code == 0, said
    server = prometheus([], blocks=blocks)
    asked = 'sum(increase(driftline_hits_total{job="driftline-replay"}[5m])) > 0'
    assert wait_until(lambda: server.query(asked, at=BEGIN + 600), "the past is there")
