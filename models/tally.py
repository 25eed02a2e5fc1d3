"""Judged events as integer counts: one small table for ours, each baseline and chance.

A tally has one row a ranking, k + 1 columns. The rows of real rankings count events by rank,
misses in column 0. The last row is the ranking at random, of which only the expectation is kept:
it depends on the number n of candidates through 1/n, or through n itself when n < k. So columns
1..k-1 of that row count events by n, column k sums 1/n in fixed point, and column 0 counts events
whose target was no candidate. Tallies add, exactly and in any order.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from models.metrics import Integers

Counts = NDArray[np.int64]

# Unit of the sums of 1/n. A float64 holds two million of them exactly, more than a chunk has.
RECIPROCAL = 1 << 32


def tally(
    ranks: Integers, n_candidates: Integers, bins: Integers, *, k: int, n_bins: int
) -> Counts:
    """Count judged events by bin, ranking and rank.

    Parameters
    ----------
    ranks : integer[n, m]
        Rank of the target in each of m rankings, 1..k, or 0 for a miss.
    n_candidates : integer[n]
        Number of candidates when the target is one of them, else 0.
    bins : integer[n]
        Bin of each event, below `n_bins`.
    k
        Length of the lists.
    n_bins
        Number of bins.

    Returns
    -------
    int64[n_bins, m + 1, k + 1]
    """
    n_rankings = ranks.shape[1]
    shape = n_bins, n_rankings + 1, k + 1
    n_cells = n_bins * shape[1] * shape[2]
    rows = bins.astype(np.intp) * (shape[1] * shape[2])
    cells = (rows[:, None] + np.arange(n_rankings) * (k + 1)) + ranks
    is_small = n_candidates < k
    chance = rows + n_rankings * (k + 1) + np.where(is_small, n_candidates, k)
    weights = np.rint(RECIPROCAL / np.maximum(n_candidates, k))
    weights[is_small] = 1.0
    counts = np.bincount(cells.ravel(), minlength=n_cells)
    counts += np.bincount(chance, weights, n_cells).astype(np.int64)
    return counts.reshape(shape)


def expected_gains(gains: Sequence[float]) -> list[float]:
    """Give the gain that each column of the last row of a tally stands for, for gains by rank 0..k.

    A target among n candidates in random order gains the mean of ``gains[1..n]``, ranks beyond k
    gaining nothing.

    Examples
    --------
    >>> expected_gains([0.0, 1.0, 0.5, 0.25])[:3]
    [0.0, 1.0, 0.75]
    """
    k = len(gains) - 1
    by_n = [sum(gains[1 : n + 1]) / n for n in range(1, k)]
    return [0.0, *by_n, sum(gains[1:]) / RECIPROCAL]
