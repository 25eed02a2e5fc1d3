"""Names and values that tallies get."""

from __future__ import annotations

import numpy as np

from models.scores import Scorer


def tally(*rows: list[int]) -> np.ndarray:
    return np.array([*rows, [0, 0, 0]], np.int64)


def test_the_popularity_with_most_hits_is_best() -> None:
    scorer = Scorer(2, ["7d", "all"])
    assert scorer.best_popularity(tally([1, 1, 1], [2, 1, 0], [1, 0, 2])) == "popularity_all"


def test_the_first_of_equal_popularities_is_best() -> None:
    scorer = Scorer(2, ["7d", "all"])
    assert scorer.best_popularity(tally([3, 0, 0], [1, 2, 0], [1, 0, 2])) == "popularity_7d"


def test_nothing_judged_scores_none_everywhere() -> None:
    scorer = Scorer(2, ["all"])
    counts = tally([0, 0, 0], [0, 0, 0])
    scores = scorer.scores(counts)
    assert scores["judged"] == 0
    assert scores["recall@2"] is None
    assert scores["baselines"]["popularity_all"]["ndcg@2_se"] is None
    assert scores["baselines"]["random"]["mrr@2"] is None
    assert scorer.best_popularity(counts) is None
    assert scorer.recall(counts) is None
