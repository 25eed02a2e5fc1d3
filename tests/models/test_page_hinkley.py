"""Our Page-Hinkley test is River's, observation by observation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from river import drift

from models.page_hinkley import PAGE_HINKLEY_FIELDS, restart_test, update_test

DELTA, LAMBDA = 0.5, 20.0
FIELDS = ["centre", "rise", "fall", "least_rise", "most_fall"]


def alarms(values, mode):
    """Feed both tests; return where each alarmed, having compared their sums at every step."""
    river = drift.PageHinkley(min_instances=1, delta=DELTA, threshold=LAMBDA, alpha=1.0, mode=mode)
    state = np.zeros(1, np.dtype(PAGE_HINKLEY_FIELDS))
    restart_test(state[0])
    ours, theirs = [], []
    for at, value in enumerate(values):
        update_test(state[0], value, DELTA)
        river.update(value)
        expected = [
            river._x_mean.get(),
            river._sum_increase,
            river._sum_decrease,
            river._min_increase,
            river._max_decrease,
        ]
        assert [float(state[0][name]) for name in FIELDS] == expected
        rise = mode != "down" and state[0]["rise"] - state[0]["least_rise"] > LAMBDA
        fall = mode != "up" and state[0]["most_fall"] - state[0]["fall"] > LAMBDA
        if rise or fall:
            ours.append(at)
            restart_test(state[0])
        if river.drift_detected:
            theirs.append(at)
    return ours, theirs


@pytest.mark.parametrize("mode", ["up", "down", "both"])
@pytest.mark.parametrize("seed", range(5))
def test_it_alarms_where_rivers_does(mode, seed):
    rng = np.random.default_rng(seed)
    levels = np.repeat([0.0, 3.0, -2.0, -2.0, 0.5, 6.0], 60)
    ours, theirs = alarms((levels + rng.standard_normal(len(levels))).tolist(), mode)
    assert theirs
    assert ours == theirs


@given(values=st.lists(st.floats(-6.0, 6.0), max_size=80))
def test_it_is_rivers_on_any_values(values):
    ours, theirs = alarms(values, "both")
    assert ours == theirs
