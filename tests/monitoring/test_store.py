import pytest

from monitoring.metric import Label, counter, gauge, histogram
from monitoring.store import MAX_VALUES, Store

EVENTS = counter("events_total", "events", "E.", Label("topic", "topics"), Label("kind", ("a",)))
PLACED = counter("placed_total", "events", "P.", Label("partition", "partitions"))
OPEN = counter("open_total", "events", "O.", Label("statistic", "statistics"))
LEVEL = gauge("level", "", "L.", Label("partition", "partitions"))
TIMES = histogram("times_seconds", "seconds", "T.", limits=(1.0, 2.0))
TABLE = {metric.name: metric for metric in (EVENTS, PLACED, OPEN, LEVEL, TIMES)}


@pytest.fixture
def store():
    return Store(TABLE, {"topics": ("views",), "statistics": ("rank",)})


def test_counters_whose_labels_are_known_begin_at_zero(store):
    assert store.numbers["events_total"] == {("views", "a"): 0.0}
    assert store.numbers["open_total"] == {("rank",): 0.0}


def test_gauges_are_absent_until_they_are_set(store):
    assert store.numbers["level"] == {}
    store.set("level", "0", value=3.0)
    assert store.numbers["level"] == {("0",): 3.0}


def test_counters_of_a_partition_begin_at_zero_when_it_is_created(store):
    assert store.numbers["placed_total"] == {}
    store.create(partitions="3")
    assert store.numbers["placed_total"] == {("3",): 0.0}
    store.add("placed_total", "3", n=2)
    store.create(partitions="3")
    assert store.numbers["placed_total"] == {("3",): 2.0}


def test_unforeseen_values_of_a_known_label_are_counted_as_other(store):
    store.add("events_total", "views", "surprise")
    assert store.numbers["events_total"][("views", "other")] == 1.0


def test_open_labels_are_bounded(store):
    for n in range(3 * MAX_VALUES):
        store.add("open_total", f"statistic {n}")
    own = store.numbers["open_total"]
    assert len(own) == 1 + MAX_VALUES + 1
    assert sum(own.values()) == 3 * MAX_VALUES
    assert own[("other",)] == 2 * MAX_VALUES


def test_partitions_are_not_bounded_because_the_topic_bounds_them(store):
    for n in range(3 * MAX_VALUES):
        store.set("level", str(n), value=1.0)
    assert len(store.numbers["level"]) == 3 * MAX_VALUES


def test_observations_are_counted_up_to_and_including_a_limit(store):
    for value in (0.5, 1.0, 1.5, 9.0):
        store.observe("times_seconds", value=value)
    found = store.histograms["times_seconds"][()]
    assert (found.counts, found.sum) == ([2, 1, 1], 12.0)


def test_a_partition_that_is_gone_takes_its_gauges_and_leaves_its_counters(store):
    store.create(partitions="0")
    store.add("placed_total", "0")
    for partition in ("0", "1"):
        store.set("level", partition, value=1.0)
    store.drop("partition", "0")
    assert store.numbers["level"] == {("1",): 1.0}
    assert store.numbers["placed_total"] == {("0",): 1.0}


def test_a_copy_is_of_one_moment(store):
    store.add("events_total", "views", "a")
    store.observe("times_seconds", value=1.0)
    copy = store.copy()
    store.add("events_total", "views", "a")
    store.observe("times_seconds", value=1.0)
    assert copy.numbers["events_total"][("views", "a")] == 1.0
    assert copy.histograms["times_seconds"][()].counts == [1, 0, 0]
