import pytest
from prometheus_client import generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as openmetrics
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from monitoring.collector import registry_of
from monitoring.metric_table import TABLE
from tests.monitoring.feeding import (
    NOW,
    SCOPES,
    episode,
    feed,
    feed_partition,
    new_metrics,
    reaction,
    sums,
)

MOST_SERIES = 2000


def text_of(metrics):
    return generate_latest(registry_of(metrics.copy)).decode()


def series(text):
    return [line for line in text.splitlines() if line and not line.startswith("#")]


@pytest.fixture
def fed():
    return feed(new_metrics(), n_partitions=2)


@pytest.fixture
def metrics():
    return new_metrics(now=lambda: NOW)


def number(metrics, name, *key):
    return metrics.copy().numbers[name].get(key)


def test_promtool_finds_nothing_wrong_with_the_page(fed, promtool):
    assert promtool("check", "metrics", text=text_of(fed)) == (0, "")


def test_promtool_finds_nothing_wrong_before_anything_happened(metrics, promtool):
    assert promtool("check", "metrics", text=text_of(metrics)) == (0, "")


def test_every_metric_of_the_table_gets_a_value(fed):
    store = fed.copy()
    empty = [name for name, own in store.numbers.items() if not any(own.values())]
    sums_of = {name: [h.sum for h in own.values()] for name, own in store.histograms.items()}
    assert set(empty) == {"driftline_observer_failures_total", "driftline_brokers_away"}
    assert all(map(any, sums_of.values()))


def test_a_worker_with_64_partitions_has_fewer_than_2000_series():
    lines = series(text_of(feed(new_metrics(), n_partitions=64)))
    assert len(lines) < MOST_SERIES


def test_the_page_in_the_form_of_openmetrics_says_the_same(fed):
    text = openmetrics(registry_of(fed.copy)).decode()
    families = list(text_string_to_metric_families(text))
    ours = {family.name for family in families if family.name.startswith("driftline")}
    assert ours == {name.removesuffix("_total") for name in TABLE}


def test_everything_is_told_apart_by_what_became_of_it(metrics):
    metrics.assigned({3: "ready"}, change="assigned")
    counts = {"accepted": 5, "duplicate": 1, "decode": 2, "late": 1, "missing_rating": 4}
    metrics.processed(3, counts, seconds={}, judged={})
    metrics.processed(3, {"accepted": 1}, seconds={}, judged={})
    events = metrics.copy().numbers["driftline_events_total"]
    assert events == {
        ("views", "3", "accepted"): 6,
        ("views", "3", "duplicate"): 1,
        ("views", "3", "dead_letter"): 3,
    }
    assert number(metrics, "driftline_dead_letters_total", "decode") == 2
    assert number(metrics, "driftline_dead_letters_total", "range") == 0
    assert number(metrics, "driftline_quality_findings_total", "missing_rating") == 4


def test_the_size_of_a_batch_is_all_its_records(metrics):
    metrics.processed(
        0, {"accepted": 5, "schema": 2, "missing_rating": 5}, seconds={"batch": 0.1}, judged={}
    )
    metrics.processed(0, {}, seconds={}, judged={"all": {"judged": 1.0}})
    found = metrics.copy().histograms["driftline_batch_events"][()]
    assert (found.sum, sum(found.counts)) == (7, 1)


def test_hits_and_judged_events_add_up_to_recall(metrics):
    for hits in (9.0, 3.0):
        judged = {"all": sums(40.0, hits), "user:new": sums(10.0, 1.0)}
        metrics.processed(0, {}, seconds={}, judged=judged)
    judged = number(metrics, "driftline_judged_events_total")
    assert number(metrics, "driftline_hits_total", "10", "driftline") / judged == 12 / 80
    assert number(metrics, "driftline_segment_judged_events_total", "user:new") == 20
    found = number(metrics, "driftline_segment_hits_total", "10", "random", "user:new")
    assert found == 2


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        ("ILLEGAL_GENERATION", "rebalance"),
        ("_FENCED", "fenced"),
        ("_TIMED_OUT", "timeout"),
        ("_TRANSPORT", "broker"),
        ("SOMETHING_NEW", "other"),
    ],
)
def test_failed_transactions_are_counted_by_cause(metrics, error, cause):
    metrics.committed("aborted", cause=error, seconds={}, records={})
    assert number(metrics, "driftline_transaction_failures_total", cause) == 1
    assert number(metrics, "driftline_transactions_total", "aborted") == 1
    assert number(metrics, "driftline_commit_timestamp_seconds") is None


def test_a_commit_has_a_time_and_counts_its_records(metrics):
    metrics.committed("committed", cause="", seconds={}, records={"drift": 2})
    assert number(metrics, "driftline_commit_timestamp_seconds") == NOW
    assert number(metrics, "driftline_records_sent_total", "drift") == 2
    assert number(metrics, "driftline_records_sent_total", "outcomes") == 0


def test_a_partition_that_goes_takes_its_levels_along(metrics):
    feed(metrics, n_partitions=2)
    metrics.assigned({1: "ready"}, change="revoked")
    lag = metrics.copy().numbers["driftline_lag_events"]
    assert set(lag) == {("views", "1")}
    assert number(metrics, "driftline_assigned_partitions") == 1
    assert number(metrics, "driftline_rebalances_total", "revoked") == 1
    assert number(metrics, "driftline_events_total", "views", "0", "accepted") == 90


def test_a_partition_that_is_restored_is_ready(metrics):
    metrics.assigned({0: "restoring"}, change="assigned")
    assert number(metrics, "driftline_ready_partitions") == 0
    metrics.assigned({0: "ready"}, change="restored", seconds=3.0)
    assert number(metrics, "driftline_ready_partitions") == 1
    assert metrics.copy().histograms["driftline_restore_duration_seconds"][()].sum == 3.0


def test_a_failed_snapshot_leaves_the_time_of_the_one_before(metrics):
    metrics.assigned({0: "ready"}, change="assigned")
    metrics.saved(0, seconds=0.1, n_bytes=5)
    metrics.saved(0, seconds=0.1, n_bytes=None)
    assert number(metrics, "driftline_snapshot_timestamp_seconds", "views", "0") == NOW
    assert number(metrics, "driftline_snapshots_total", "failed") == 1


def test_weights_are_means_over_the_partitions_that_are_here(metrics):
    metrics.assigned({0: "ready", 1: "ready"}, change="assigned")
    metrics.measured(0, {"weight:fast": 1.0})
    metrics.measured(1, {"weight:fast": 3.0})
    assert number(metrics, "driftline_ranker_weight", "fast") == 2.0
    metrics.assigned({1: "ready"}, change="lost")
    assert number(metrics, "driftline_ranker_weight", "fast") == 3.0
    metrics.assigned({}, change="revoked")
    assert number(metrics, "driftline_ranker_weight", "fast") is None


def test_evictions_go_on_counting_when_a_partition_comes_back(metrics):
    for states, seen in (({0: "ready"}, 4), ({}, 0), ({0: "ready"}, 1)):
        metrics.assigned(states, change="assigned")
        metrics.measured(0, {"evicted:users": seen})
    assert number(metrics, "driftline_evictions_total", "users") == 5


def test_an_episode_is_open_until_it_is_closed(metrics):
    for state, n_open in (("opened", 1), ("updated", 1), ("closed", 0)):
        metrics.drifted(episode(state))
        found = number(metrics, "driftline_drift_open_episodes", "concept", "drift")
        assert found == n_open
    assert number(metrics, "driftline_drift_episodes_total", "concept", "drift") == 1
    assert number(metrics, "driftline_drift_detected_timestamp_seconds", "concept") == NOW
    assert number(metrics, "driftline_drift_onset_timestamp_seconds", "concept") == NOW - 100


def test_an_episode_that_becomes_severe_is_counted_as_such_and_no_more_as_a_warning(metrics):
    metrics.drifted(episode("opened", severity="warning"))
    metrics.drifted(episode("updated", severity="drift"))
    assert number(metrics, "driftline_drift_open_episodes", "concept", "warning") == 0
    assert number(metrics, "driftline_drift_open_episodes", "concept", "drift") == 1


def test_an_episode_goes_with_its_partition(metrics):
    metrics.assigned({0: "ready", 1: "ready"}, change="assigned")
    metrics.drifted(episode("opened", partition=0))
    metrics.drifted(episode("opened", partition=1))
    metrics.assigned({1: "ready"}, change="lost")
    assert number(metrics, "driftline_drift_open_episodes", "concept", "drift") == 1


def test_dates_of_drift_never_go_back(metrics):
    metrics.drifted(episode("opened"))
    metrics.drifted(episode("opened", episode="e0", partition=1, detected=NOW - 50))
    assert number(metrics, "driftline_drift_detected_timestamp_seconds", "concept") == NOW


def test_the_beginning_is_that_of_the_latest_detection(metrics):
    metrics.drifted(episode("opened", onset=NOW - 1))
    metrics.drifted(episode("opened", episode="e2", detected=NOW + 9, onset=NOW - 100))
    assert number(metrics, "driftline_drift_onset_timestamp_seconds", "concept") == NOW - 100


def test_an_episode_that_was_open_before_is_open_and_dated_but_not_counted(metrics):
    metrics.drifted(episode("updated"))
    assert number(metrics, "driftline_drift_open_episodes", "concept", "drift") == 1
    assert number(metrics, "driftline_drift_detected_timestamp_seconds", "concept") == NOW
    assert number(metrics, "driftline_drift_episodes_total", "concept", "drift") == 0


def test_reactions_are_counted_by_name(metrics):
    metrics.drifted(reaction("fast_side_boosted"))
    assert number(metrics, "driftline_drift_reactions_total", "fast_side_boosted") == 1
    assert number(metrics, "driftline_drift_reactions_total", "view_time_imputed") == 0


def test_the_level_of_a_statistic_is_the_highest_and_recall_the_mean_of_the_partitions(metrics):
    metrics.assigned({0: "ready", 1: "ready"}, change="assigned")
    metrics.measured(0, {"level:rank": 0.9, "recall:genre:Horror": 0.1})
    metrics.measured(1, {"level:rank": 0.5, "recall:genre:Horror": 0.3})
    assert number(metrics, "driftline_drift_statistic_ratio", "rank") == 0.9
    assert number(metrics, "driftline_drift_scope_recall_ratio", "genre:Horror") == 0.2
    metrics.assigned({1: "ready"}, change="lost")
    assert number(metrics, "driftline_drift_statistic_ratio", "rank") == 0.5
    metrics.assigned({}, change="revoked")
    assert number(metrics, "driftline_drift_statistic_ratio", "rank") is None
    assert number(metrics, "driftline_drift_scope_recall_ratio", "genre:Horror") is None


def test_no_more_scopes_are_shown_than_fit(metrics):
    feed(metrics)
    metrics.measured(0, {"recall:genre:one too many": 0.9})
    shown = metrics.copy().numbers["driftline_drift_scope_recall_ratio"]
    assert set(shown) == {(scope,) for scope in SCOPES}


def test_alarms_are_counted_by_statistic(metrics):
    metrics.drifted(episode("alarm", statistic="view_time", severity="warning"))
    assert number(metrics, "driftline_drift_alarms_total", "view_time", "warning") == 1
    assert number(metrics, "driftline_drift_open_episodes", "concept", "drift") == 0


def test_failures_of_observers_are_shown():
    metrics = new_metrics(n_failures=lambda: 7)
    assert number(metrics, "driftline_observer_failures_total") == 7


def test_what_is_scraped_in_the_midst_of_the_work_belongs_together():
    metrics = new_metrics()
    metrics.assigned({0: "ready"}, change="assigned")
    copies = []
    for _ in range(50):
        feed_partition(metrics, 0, n_events=20)
        copies.append(metrics.copy())
    for store in copies:
        hits = store.numbers["driftline_hits_total"][("10", "driftline")]
        assert hits / store.numbers["driftline_judged_events_total"][()] == 0.9
