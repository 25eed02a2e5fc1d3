"""Tallies against counting by hand, and chance against its definition."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.metrics import mrr_gain, ndcg_gain, recall_gain
from models.tally import expected_gains, tally

K = 4
EVENTS = st.lists(
    st.tuples(st.integers(0, K), st.integers(0, K), st.integers(0, 30), st.integers(0, 2)),
    max_size=40,
)


def tallied(events: list[tuple[int, int, int, int]]) -> np.ndarray:
    columns = np.array(events, np.int32).reshape(-1, 4)
    return tally(columns[:, :2], columns[:, 2], columns[:, 3], k=K, n_bins=3)


@given(events=EVENTS)
def test_rows_of_rankings_count_events_by_bin_and_rank(
    events: list[tuple[int, int, int, int]],
) -> None:
    counts = tallied(events)
    for place in np.ndindex(3, 2, K + 1):
        number, ranking, rank = place
        matches = [e for e in events if e[3] == number and e[ranking] == rank]
        assert counts[place] == len(matches)


@given(events=EVENTS, cut=st.integers(0, 40))
def test_tallies_add(events: list[tuple[int, int, int, int]], cut: int) -> None:
    parts = tallied(events[:cut]) + tallied(events[cut:])
    assert parts.tolist() == tallied(events).tolist()


@pytest.mark.parametrize("gain", [recall_gain, ndcg_gain, mrr_gain])
@given(events=EVENTS)
def test_chance_is_the_mean_over_all_places_of_the_target(
    gain: Callable[[int], float], events: list[tuple[int, int, int, int]]
) -> None:
    gains = [gain(rank) for rank in range(K + 1)]
    expected = sum(
        math.fsum(gain(place) for place in range(1, min(n, K) + 1)) / n
        for _, _, n, _ in events
        if n
    )
    row = tallied(events).sum(axis=0)[-1]
    total = sum(int(c) * g for c, g in zip(row, expected_gains(gains), strict=True))
    assert total == pytest.approx(expected, abs=1e-7)


def test_sums_of_reciprocals_stay_exact_in_a_chunk_of_a_million() -> None:
    n = 1_000_000
    zeros = np.zeros(n, np.intp)
    counts = tally(zeros[:, None], np.full(n, 3), zeros, k=3, n_bins=1)
    assert counts[0, -1, 3] == n * round(Fraction(2**32, 3))
