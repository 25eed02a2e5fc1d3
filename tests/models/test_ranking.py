"""Scores, order and gradients of the ranker against NumPy and finite differences."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from models.engine import Engine, View
from models.feature_names import N_FEATURES
from models.outcomes import Skip
from models.ranking import GAPS_S, best_candidates, gap_context, history_context
from tests.models.samples import SMALL, learned, sample_views

VIEWS = sample_views(300, n_titles=45)
SCORES = st.lists(st.sampled_from([-1.5, 0.0, 0.25, 1.0, 7.0]), max_size=40)


@given(scores=SCORES, k=st.integers(1, 12), seed=st.integers(0, 9))
def test_the_best_are_the_first_of_all_sorted_by_score_and_title(
    scores: list[float], k: int, seed: int
) -> None:
    n = len(scores)
    title = np.random.default_rng(seed).permutation(n).astype(np.int32)
    best = np.full(k, -1, np.int32)
    kept = best_candidates(title, np.array(scores, np.float32), n, best)
    expected = sorted(range(n), key=lambda p: (-scores[p], title[p]))[:k]
    assert best[:kept].tolist() == expected


def test_contexts_are_buckets_of_history_and_of_pauses() -> None:
    lengths = [0, 1, 2, 3, 4, 7, 8, 127, 128, 10**6]
    assert [history_context(n) for n in lengths] == [1, 1, 2, 2, 3, 3, 4, 7, 8, 8]
    gaps = [-5.0, 0.0, *GAPS_S, np.inf]
    assert [gap_context(gap) for gap in gaps] == [9, 9, 10, 11, 12, 12]


def query(engine: Engine, user_id: str, time: float) -> tuple[NDArray[np.float64], list[int]]:
    """Return the feature table of a query's candidates and the weight rows that score them."""
    engine.recommend(user_id, time)
    pool = engine.model.candidates
    n = pool.length[-1]
    return pool.feature[-1, :, :n].astype(np.float64), [0, *pool.context[-1].tolist()]


def test_a_list_is_the_order_of_linear_scores() -> None:
    engine = learned(SMALL, VIEWS)
    assert np.abs(engine.model.weights).max() > 0.1
    for n in range(6):
        lists = engine.recommend(f"user {n}", VIEWS[-1].time)
        table, rows = query(engine, f"user {n}", VIEWS[-1].time)
        scores = engine.model.weights[rows].astype(np.float64).sum(axis=0) @ table
        assert lists.score[0] == pytest.approx(np.sort(scores)[::-1][: SMALL.k], abs=1e-4)


def loss(weights: NDArray[np.float64], table: NDArray[np.float64], target: int) -> float:
    scores = weights.sum(axis=0) @ table
    return float(np.log(np.exp(scores - scores.max()).sum()) + scores.max() - scores[target])


def differences(
    weights: NDArray[np.float64], table: NDArray[np.float64], target: int
) -> NDArray[np.float64]:
    """Return the gradient of the loss by central differences."""
    slopes, step = np.zeros_like(weights), 1e-4
    for place in np.ndindex(weights.shape):
        moved = [weights.copy(), weights.copy()]
        moved[0][place] += step
        moved[1][place] -= step
        slopes[place] = (loss(moved[0], table, target) - loss(moved[1], table, target)) / 2 / step
    return slopes


def test_the_gradient_is_the_slope_of_the_loss() -> None:
    engine = learned(replace(SMALL, step_every=40, n_open_groups=8), VIEWS)
    n_checked = 0
    for n, (user, title) in enumerate((f"user {n % 6}", f"title {7 * n % 45}") for n in range(30)):
        view = VIEWS[-1]._replace(user_id=user, content_id=title, strength=0.5, is_positive=True)
        view = view._replace(time=view.time + 100 * n, group_time=view.time + 100 * n)
        table, rows = query(engine, user, view.time)
        pool = engine.model.candidates.title[-1, : table.shape[1]].tolist()
        before, weights = engine.model.gradient.copy(), engine.model.weights.astype(np.float64)
        (segment,) = engine.learn([view])
        change = engine.model.gradient - before
        if segment.judged.skip[0] != Skip.JUDGED or engine.titles.row(title) not in pool:
            assert segment.judged.depth[0] <= 0
            assert (change == 0.0).all() or not engine.model.gradient.any()
            continue
        if not engine.model.gradient.any():
            continue  # the step that this view completed has consumed the sum
        target = pool.index(engine.titles.row(title))
        expected = np.zeros_like(change)
        expected[rows] = 0.5 * differences(weights[rows], table, target)
        assert change == pytest.approx(expected, abs=2e-4)
        scores = weights[rows].sum(axis=0) @ table
        assert abs(segment.judged.depth[0] - 1 - (scores > scores[target]).sum()) <= 1
        n_checked += 1
    assert n_checked > 8


def test_what_a_tie_group_has_watched_is_no_rival_of_its_next_title() -> None:
    engine = learned(replace(SMALL, step_every=60), VIEWS)
    time = VIEWS[-1].time + 100.0
    table, rows = query(engine, "user 2", time)
    pool = engine.model.candidates.title[-1, : table.shape[1]].tolist()
    weights = engine.model.weights[rows].astype(np.float64)
    for nth, target in enumerate((3, 1, 6)):
        title = engine.titles.name(pool[target])
        before = engine.model.gradient[rows]
        list(engine.learn([View("user 2", title, time, time)]))
        change = engine.model.gradient[rows] - before
        others = [p for p in range(len(pool)) if p not in (3, 1, 6)[:nth]]
        expected = differences(weights, table[:, others], others.index(target))
        assert change == pytest.approx(expected, abs=2e-4)
    assert engine.model.gradient.any()


@settings(max_examples=10)
@given(seed=st.integers(0, 1000))
def test_contributions_are_shapley_values_of_the_candidates_mean(seed: int) -> None:
    views = sample_views(120, n_titles=30, seed=seed)
    engine = learned(SMALL, views)
    explanation = engine.explain("user 1", views[-1].time)
    table, rows = query(engine, "user 1", views[-1].time)
    weights = engine.model.weights[rows].astype(np.float64).sum(axis=0)
    titles = engine.model.candidates.title[-1, : table.shape[1]].tolist()
    assert explanation.base == pytest.approx(float((weights @ table).mean()), abs=1e-6)
    for p, title in enumerate(explanation.lists.title[0].tolist()):
        value = weights * (table[:, titles.index(title)] - table.mean(axis=1))
        assert explanation.contributions[p] == pytest.approx(value, abs=1e-6)
        assert explanation.contributions.shape[1] == N_FEATURES
