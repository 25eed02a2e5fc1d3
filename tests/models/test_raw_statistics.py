"""What is watched of raw records is added up as its definitions say."""

import math

import pytest

from models.raw_statistics import hour_of_day, signed_log


@pytest.mark.parametrize(
    "time",
    [0.0, 3_599.9, 3_600.0, 86_399.999, 86_400.0, 1.6e9 + 0.25, 2.0**53, 1e300, -1.0, -86_400.5],
)
def test_the_hour_is_that_of_the_day_in_utc(time):
    assert hour_of_day(time) == math.floor(math.fmod(time, 86_400.0) % 86_400.0 / 3_600.0)


def test_a_minute_is_one_in_either_direction():
    assert [signed_log(seconds) for seconds in (-180.0, -60.0, 0.0, 60.0)] == [-2.0, -1.0, 0.0, 1.0]
