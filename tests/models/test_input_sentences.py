import math

import pytest

from models.alarms import Kind, Severity
from models.input_sentences import Change, duration_of, meaning_of, natural, unit_factor
from models.raw_statistics import NAMES


def change(statistic, before, after, *, spread=(1.0, 1.0), effect=0.1):
    return Change(statistic, before, after, *spread, effect, onset=1.6e9)


@pytest.mark.parametrize("statistic", NAMES)
def test_every_statistic_is_told_with_its_onset(statistic):
    meaning = meaning_of(change(statistic, 0.1, 0.6))
    assert meaning.what.endswith("since 2020-09-13 12:26")


@pytest.mark.parametrize(
    ("ratio", "words"),
    [
        (1 / 60, "60 times smaller: unit changed?"),
        (1 / 50, "60 times smaller: unit changed?"),
        (1_000, "1,000 times larger: unit changed?"),
        (3_600, "3,600 times larger: unit changed?"),
        (24, "24 times larger: unit changed?"),
        (7, "7.0 times larger: unit changed?"),
    ],
)
def test_a_change_of_unit_is_a_fault_and_named(ratio, words):
    meaning = meaning_of(change("view_time", 5.0, 5.0 + math.log2(ratio)))
    assert meaning.kind is Kind.INPUT_FAULT
    assert words in meaning.what
    assert meaning.before == 32.0
    assert meaning.after == pytest.approx(32.0 * ratio)


def test_people_who_watch_longer_are_no_fault():
    meaning = meaning_of(change("view_time", 5.0, 6.0))
    assert meaning.kind is Kind.DATA
    assert "2.0 times larger (32 before, 64 now)" in meaning.what


def test_another_unit_in_a_part_is_told_by_the_spread():
    meaning = meaning_of(change("view_time", 5.0, 4.0, spread=(1.0, 6.0)))
    assert meaning.kind is Kind.INPUT_FAULT
    assert "in a part of the events" in meaning.what


@pytest.mark.parametrize(
    ("after", "spread", "kind"),
    [(7.6, 4.0, Kind.INPUT_FAULT), (4.6, 1.0, Kind.DATA), (7.6, 1.0, Kind.DATA)],
)
def test_a_rating_on_another_scale_is_a_fault_and_better_ratings_are_not(after, spread, kind):
    assert meaning_of(change("rating", 3.8, after, spread=(1.0, spread))).kind is kind


@pytest.mark.parametrize(("after", "severity"), [(0.65, Severity.WARNING), (0.71, Severity.DRIFT)])
def test_twice_the_least_effect_is_more_than_a_warning(after, severity):
    assert meaning_of(change("watched_share", 0.5, after)).severity is severity


@pytest.mark.parametrize("statistic", sorted({*NAMES} - {"view_time", "rating"}))
def test_only_taste_and_rhythm_are_no_fault(statistic):
    is_data = meaning_of(change(statistic, 0.1, 0.6)).kind is Kind.DATA
    assert is_data == (statistic in {"watched_share", "hours"})


def test_extreme_values_can_be_told():
    assert natural("view_time", 1e9) > 1e300
    assert math.isfinite(natural("clock", -1e9))
    assert unit_factor(2.0**-1000).endswith("times smaller")
    assert meaning_of(change("view_time", -1e6, 1e6)).what


def test_lengths_of_time_are_in_units_for_people():
    assert [duration_of(s) for s in (5.0, -3_600.0, 259_200.0)] == ["5 s", "1.0 h", "3.0 d"]
