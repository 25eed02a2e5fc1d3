import numpy as np
import pytest

from models.day_hours import DAY_S, FEWEST, DayHours


def days(hours, shares, *, may_learn=True):
    """Let days pass with views by these shares of the hours; return what was said of each."""
    found = []
    for share in shares:
        hours.counts += 1_000 * np.asarray(share)
        hours.day = getattr(hours, "day", 0) + 1
        found.append(hours.moved(hours.day * DAY_S, may_learn=may_learn))
    return found


def evening(hour=20):
    return np.eye(24)[hour]


def begun():
    hours = DayHours()
    assert hours.moved(0.0, may_learn=True) is None
    return hours


def test_the_first_day_and_the_days_that_make_the_usual_say_nothing():
    assert days(begun(), [evening(3), *[evening()] * 4]) == [None, None, None, None, 0.0]


def test_the_share_of_views_in_other_hours_is_told():
    hours = begun()
    days(hours, [evening()] * 5)
    assert days(hours, [0.75 * evening() + 0.25 * evening(8)]) == [pytest.approx(0.25)]


def test_a_day_that_may_not_be_learned_leaves_the_usual_alone():
    hours = begun()
    days(hours, [evening()] * 5)
    assert days(hours, [evening(8)] * 3, may_learn=False) == [1.0] * 3
    assert days(hours, [evening()]) == [0.0]


def test_a_day_with_few_views_says_nothing():
    hours = begun()
    days(hours, [evening()] * 5)
    hours.counts[8] += FEWEST - 1
    assert hours.moved(99 * DAY_S, may_learn=True) is None


def test_time_that_goes_back_ends_no_day():
    hours = begun()
    days(hours, [evening()] * 5)
    hours.counts[8] += 500
    assert hours.moved(DAY_S, may_learn=True) is None
    assert hours.counts[8] == 500


def test_restored_it_continues_as_if_uninterrupted():
    hours, other = begun(), DayHours()
    days(hours, [evening()] * 5)
    hours.counts[7] += 200
    other.restore(hours.snapshot())
    for each in (hours, other):
        assert each.moved(50 * DAY_S, may_learn=True) == 1.0
