"""The linear ranker's arithmetic: scores of candidates and the gradient of one observation.

A candidate ``x`` with features ``f(x)`` scores

    s(x) = (w_base + w_history[a] + w_gap[b]) · f(x)

where ``a`` is the bucket of the user's history length and ``b`` that of the time since their
last view. The watched title ``y`` against the shortlist ``S`` is one observation of a softmax
choice; its loss ``-log p(y)``, ``p = softmax(s)``, has the gradient ``Σ_x p(x) f(x) - f(y)``
for each of the three weight vectors. Watched titles outside the shortlist teach nothing:
pretending otherwise costs a quarter of the recall.

`models.ranker` turns gradients into weights (River's optimiser).

References
----------
Joachims (2002), Optimizing Search Engines using Clickthrough Data, KDD.
Cao, Qin, Liu, Tsai, Li (2007), Learning to Rank: From Pairwise to Listwise Approach, ICML, §4.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.compiled import compiled
from models.feature_names import N_FEATURES
from models.numeric import exp2_f32

N_HISTORY_BUCKETS = 8
GAPS_S = (60.0, 900.0, 43200.0)
N_CONTEXTS = 1 + N_HISTORY_BUCKETS + len(GAPS_S) + 1
LOG2_E = np.float32(1.442695)


@compiled
def history_context(n_titles: int) -> int:
    """Return the weight row of a history length: below 2, 4, 8, … 128, or more."""
    bucket = 0
    while bucket < N_HISTORY_BUCKETS - 1 and n_titles >= (2 << bucket):
        bucket += 1
    return 1 + bucket


@compiled
def gap_context(gap_s: float) -> int:
    """Return the weight row of the time since the user's last view."""
    bucket = 0
    for bound in GAPS_S:
        if gap_s >= bound:
            bucket += 1
    return 1 + N_HISTORY_BUCKETS + bucket


@compiled
def score_candidates(
    table: NDArray[np.float32],
    n: int,
    context: NDArray[np.int32],
    weights: NDArray[np.float32],
    score: NDArray[np.float32],
) -> None:
    """Write the scores of the first ``n`` candidates."""
    for p in range(n):
        score[p] = 0.0
    for feature in range(N_FEATURES):
        w = weights[0, feature] + weights[context[0], feature] + weights[context[1], feature]
        row = table[feature]
        for p in range(n):
            score[p] += w * row[p]


@compiled
def add_gradient(
    table: NDArray[np.float32],
    n: int,
    context: NDArray[np.int32],
    score: NDArray[np.float32],
    target: int,
    strength: float,
    gradient: NDArray[np.float64],
    probability: NDArray[np.float32],
) -> None:
    """Add the gradient of watching candidate ``target``, times ``strength``.

    ``probability`` is working memory of at least ``n``.
    """
    best = np.float32(-np.inf)
    for p in range(n):
        best = max(best, score[p])
    for p in range(n):
        probability[p] = exp2_f32((score[p] - best) * LOG2_E)
    total = np.float32(0.0)
    for p in range(n):
        total += probability[p]
    scale = strength / total
    for feature in range(N_FEATURES):
        row = table[feature]
        expected = np.float32(0.0)
        for p in range(n):
            expected += probability[p] * row[p]
        g = expected * scale - strength * row[target]
        gradient[0, feature] += g
        gradient[context[0], feature] += g
        gradient[context[1], feature] += g


@compiled
def best_candidates(
    title: NDArray[np.int32], score: NDArray[np.float32], n: int, best: NDArray[np.int32]
) -> int:
    """Write the positions of the highest scores, best first (ties by title); return how many."""
    kept = 0
    for p in range(n):
        if kept == len(best):
            last = best[kept - 1]
            if score[p] < score[last] or (score[p] == score[last] and title[p] > title[last]):
                continue
            kept -= 1
        at = kept
        while at > 0:
            above = best[at - 1]
            if score[above] > score[p] or (score[above] == score[p] and title[above] < title[p]):
                break
            best[at] = above
            at -= 1
        best[at] = p
        kept += 1
    return kept
