"""Rank metrics against the definition, recomputed after every event."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.metrics import MRR, NDCG, Recall

METRICS = Recall, NDCG, MRR
K = 10
RANKS = st.lists(st.integers(0, K + 2), max_size=60)


def gain(metric: type[Recall | NDCG | MRR], rank: int) -> float:
    if not 1 <= rank <= K:
        return 0.0
    return {"recall": 1.0, "ndcg": 1 / math.log2(rank + 1), "mrr": 1 / rank}[metric.name]


@pytest.mark.parametrize("metric_class", METRICS)
@given(ranks=RANKS)
def test_every_prefix_equals_the_mean_of_gains(
    metric_class: type[Recall | NDCG | MRR], ranks: list[int]
) -> None:
    metric = metric_class(K)
    for n, rank in enumerate(ranks, start=1):
        metric.update(rank)
        gains = np.array([gain(metric_class, r) for r in ranks[:n]])
        assert metric.get() == pytest.approx(gains.mean(), abs=1e-12)
        assert metric.standard_error() == pytest.approx(gains.std() / math.sqrt(n), abs=1e-12)


@pytest.mark.parametrize("metric_class", METRICS)
@given(ranks=RANKS, cut=st.integers(0, 60))
def test_chunks_and_single_events_agree(
    metric_class: type[Recall | NDCG | MRR], ranks: list[int], cut: int
) -> None:
    one_by_one, chunked = metric_class(K), metric_class(K)
    for rank in ranks:
        one_by_one.update(rank)
    for part in (ranks[:cut], ranks[cut:]):
        chunked.update_many(np.array(part, np.int16))
    assert chunked.counts.tolist() == one_by_one.counts.tolist()


@pytest.mark.parametrize("metric_class", METRICS)
def test_a_mean_over_nothing_is_not_a_number(metric_class: type[Recall | NDCG | MRR]) -> None:
    assert math.isnan(metric_class().get())
    assert math.isnan(metric_class().standard_error())


def test_recall_has_the_binomial_standard_error() -> None:
    metric = Recall(K)
    metric.update_many(np.repeat([1, 0], [30, 70]))
    assert metric.standard_error() == pytest.approx(math.sqrt(0.3 * 0.7 / 100))


def test_negative_ranks_are_refused() -> None:
    metric = Recall(K)
    with pytest.raises(ValueError, match="-1"):
        metric.update(-1)
    with pytest.raises(ValueError, match="negative"):
        metric.update_many(np.array([-1]))
    assert metric.counts.sum() == 0


def test_lists_without_places_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        Recall(0)


def test_a_restored_metric_continues() -> None:
    metric, other = NDCG(K), NDCG(K)
    metric.update(3)
    saved = metric.snapshot()
    metric.update(1)
    other.restore(saved)
    other.update(1)
    assert other.get() == metric.get()
    assert saved["counts"].sum() == 1


def test_a_snapshot_of_another_k_is_refused() -> None:
    with pytest.raises(ValueError, match="k = 5"):
        Recall(K).restore(Recall(5).snapshot())
