"""Matching and scores, on cases small enough to be counted by hand."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from models.drift_scores import Zone, match, score, total


def test_an_alarm_before_a_change_is_false_and_one_at_its_first_event_is_not() -> None:
    assert match([Zone(100, 100)], [99, 100], horizon=50) == [None, 0]


def test_the_horizon_ends_before_its_last_event() -> None:
    assert match([Zone(100, 100)], [149, 150], horizon=50) == [0, None]


def test_a_change_that_takes_time_is_detected_until_the_horizon_after_its_end() -> None:
    assert match([Zone(100, 300)], [299, 349, 350], horizon=50) == [0, 0, None]


def test_where_zones_overlap_a_change_not_told_of_yet_comes_first() -> None:
    assert match([Zone(0, 100), Zone(50, 50)], [60, 70, 80], horizon=100) == [1, 0, 1]


def test_the_order_in_which_changes_are_given_does_not_matter() -> None:
    zones = [Zone(500, 500), Zone(100, 100)]
    assert match(zones, [120, 510], horizon=50) == [1, 0]
    assert score(zones, [120, 510], horizon=50, n_events=1_000).delays == [10, 20]


def test_a_repetition_costs_precision_and_is_no_false_alarm() -> None:
    found = score([Zone(100, 100)], [110, 120], horizon=50, n_events=1_000)
    assert (found.n_detected, found.n_alarms, found.n_false) == (1, 2, 0)
    assert (found.precision, found.recall) == (0.5, 1.0)
    assert found.n_quiet == 950


def test_a_missed_change_counts_against_recall_and_has_no_delay() -> None:
    found = score([Zone(100, 100), Zone(600, 600)], [110, 300], horizon=50, n_events=1_000)
    assert (found.missed_rate, found.precision, found.delays) == (0.5, 0.5, [10])
    assert found.false_rate == 10_000 / 900
    assert found.mean_time_ratio == 900 / 10 * 0.5


def test_without_a_false_alarm_the_quiet_events_stand_for_the_time_between_two() -> None:
    found = score([Zone(100, 100)], [120], horizon=50, n_events=1_000)
    assert found.mean_time_ratio == 950 / 20


def test_without_changes_only_false_alarms_can_be_told() -> None:
    found = score([], [10, 20], horizon=50, n_events=10_000)
    assert found.false_rate == 2.0
    assert math.isnan(found.recall)
    assert math.isnan(found.mean_time_ratio)


def test_without_alarms_nothing_is_found() -> None:
    found = score([Zone(100, 100)], [], horizon=50, n_events=1_000)
    assert (found.recall, found.mean_time_ratio, found.false_rate) == (0.0, 0.0, 0.0)
    assert math.isnan(found.precision)
    assert math.isnan(found.median_delay)


def test_streams_add_up() -> None:
    one = score([Zone(100, 100)], [110], horizon=50, n_events=1_000)
    other = score([Zone(100, 100)], [50], horizon=50, n_events=500)
    both = total([one, other])
    assert (both.n_changes, both.n_alarms, both.n_false) == (2, 2, 1)
    assert (both.n_quiet, both.delays) == (950 + 450, [10])
    assert one.delays == [10]


def test_an_alarm_every_so_many_events_is_worth_less_than_one_at_the_change() -> None:
    zones, n_events = [Zone(5_050, 5_050)], 10_000
    often = score(zones, list(range(99, n_events, 100)), horizon=1_000, n_events=n_events)
    once = score(zones, [5_130], horizon=1_000, n_events=n_events)
    assert often.recall == once.recall == 1.0
    assert often.mean_time_ratio < once.mean_time_ratio


zones = st.tuples(st.integers(0, 90), st.integers(0, 20)).map(lambda z: Zone(z[0], z[0] + z[1]))


@given(st.lists(zones, max_size=4), st.lists(st.integers(0, 99), max_size=12), st.integers(1, 30))
def test_counts_equal_those_of_counting_one_by_one(
    planted: list[Zone], alarms: list[int], horizon: int
) -> None:
    alarms = sorted(alarms)
    found = score(planted, alarms, horizon=horizon, n_events=100)
    inside = {at for z in planted for at in range(z.begin, z.end + horizon)}
    assert found.n_false == sum(at not in inside for at in alarms)
    assert found.n_quiet == sum(at not in inside for at in range(100))
    assert found.n_detected <= min(len(planted), len(alarms) - found.n_false)
    assert found.n_detected >= min(len(planted), 1) * any(at in inside for at in alarms)
    assert all(delay >= 0 for delay in found.delays)
