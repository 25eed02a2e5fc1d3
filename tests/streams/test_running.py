from __future__ import annotations

import math
import statistics
from collections import deque
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.running import OutlierBounds, RunningMedians, quantile, upper_bound

VALUES = st.floats(0.0, 1e308)
OBSERVATIONS = st.lists(st.tuples(st.sampled_from("abcde"), st.floats(0.0, 1e6)), max_size=120)


@given(st.lists(st.floats(0.0, 1e6), min_size=1), st.floats(0.0, 1.0))
def test_quantile_interpolates_like_numpy(values: list[float], q: float) -> None:
    assert quantile(sorted(values), q) == pytest.approx(np.quantile(values, q), rel=1e-9, abs=1e-9)


@given(OBSERVATIONS)
def test_medians_are_exact_after_every_observation(
    observations: list[tuple[str, float]],
) -> None:
    medians = RunningMedians(max_titles=10)
    for n, (title, value) in enumerate(observations, 1):
        medians.observe(title, value)
        own = [value for other, value in observations[:n] if other == title]
        everybodys = [value for _, value in observations[:n]]
        assert medians.of_title(title) == pytest.approx(statistics.median(own[-15:]))
        assert medians.overall() == pytest.approx(statistics.median(everybodys[-255:]))


def test_an_unknown_title_has_the_median_of_all() -> None:
    medians = RunningMedians(max_titles=10)
    assert medians.typical("a") is None

    medians.observe("a", 1.0)
    medians.observe("b", 5.0)

    assert (medians.typical("a"), medians.typical("new")) == (1.0, 3.0)


def test_the_title_observed_longest_ago_makes_room() -> None:
    medians = RunningMedians(max_titles=2)
    for title, value in [("a", 1.0), ("b", 2.0), ("a", 3.0), ("c", 7.0)]:
        medians.observe(title, value)

    assert [medians.of_title(title) for title in "abc"] == [2.0, None, 7.0]


def test_memory_is_bounded_on_a_stream_of_new_titles() -> None:
    medians = RunningMedians(max_titles=50)
    for n in range(5000):
        medians.observe(f"title {n}", 1.0)

    assert medians.snapshot()["rings"].shape == (50, 15)


@given(OBSERVATIONS, OBSERVATIONS)
def test_restored_medians_continue_as_if_uninterrupted(
    before: list[tuple[str, float]], after: list[tuple[str, float]]
) -> None:
    uninterrupted, restored = RunningMedians(max_titles=3), RunningMedians(max_titles=3)
    for observation in before:
        uninterrupted.observe(*observation)
    restored.restore(uninterrupted.snapshot())
    for observation in after:
        uninterrupted.observe(*observation)
        restored.observe(*observation)
        for title in "abcde":
            assert restored.of_title(title) == uninterrupted.of_title(title)
        assert restored.overall() == uninterrupted.overall()


def log_normal(n: int, seed: int) -> list[float]:
    random = Random(seed)
    return [random.lognormvariate(3.0, 1.0) for _ in range(n)]


def test_the_bound_is_the_fence_of_the_last_255_views_every_64() -> None:
    bounds, bound = OutlierBounds(), math.inf
    recent: deque[float] = deque(maxlen=255)
    for n, view_time in enumerate(log_normal(1000, seed=3), 1):
        assert bounds.clip(view_time, 100.0) == min(view_time, bound)
        recent.append(math.log1p(view_time))
        if n >= 100 and (n - 100) % 64 == 0:
            lower, upper = np.quantile(recent, [0.25, 0.75])
            bound = math.expm1(upper + 1.5 * max(upper - lower, 1.0))


def test_nothing_is_clipped_before_100_views() -> None:
    bounds = OutlierBounds()

    assert [bounds.clip(10.0, None) for _ in range(99)] == [10.0] * 99
    assert bounds.clip(1e9, None) == 1e9
    assert bounds.clip(1e9, None) < 100.0


def test_lengths_have_their_own_bounds() -> None:
    bounds = OutlierBounds()
    for _ in range(100):
        bounds.clip(10.0, 15.0)

    assert bounds.clip(5000.0, 15.0) < 100.0
    for other in (None, 6000.0, 1e300, 1e-300):
        assert bounds.clip(5000.0, other) == 5000.0


def test_a_bound_that_was_too_low_widens_by_itself() -> None:
    bounds = OutlierBounds()
    for view_time in [10.0] * 200 + [1000.0] * 400:
        clipped = bounds.clip(view_time, None)

    assert clipped == 1000.0


def test_ten_percent_of_absurd_views_do_not_lift_the_bound() -> None:
    bounds = OutlierBounds()
    views = [1e7 if n % 10 == 0 else view for n, view in enumerate(log_normal(2000, seed=5))]
    clipped = [bounds.clip(view, None) for view in views]

    assert max(clipped[200:]) < 5000.0


@given(st.lists(VALUES, min_size=1))
def test_extreme_views_give_a_bound_and_no_error(views: list[float]) -> None:
    assert upper_bound(sorted(map(math.log1p, views))) > 0.0


def test_buckets_are_bounded() -> None:
    bounds = OutlierBounds()
    for exponent in range(-300, 300):
        bounds.clip(1.0, 10.0**exponent)

    assert len(bounds.snapshot()["lengths"]) <= 66


@pytest.mark.parametrize("cut", [0, 1, 99, 100, 163, 164, 700])
def test_restored_bounds_continue_as_if_uninterrupted(cut: int) -> None:
    views = log_normal(800, seed=7)
    durations = [None, 20.0, 40.0]
    uninterrupted, restored = OutlierBounds(), OutlierBounds()
    for n, view in enumerate(views[:cut]):
        uninterrupted.clip(view, durations[n % 3])
    restored.restore(uninterrupted.snapshot())
    for n, view in enumerate(views[cut:]):
        assert restored.clip(view, durations[n % 3]) == uninterrupted.clip(view, durations[n % 3])
