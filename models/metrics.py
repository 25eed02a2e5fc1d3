"""Ranking metrics for one watched title at a time.

A judged event has one target, so everything about it is its rank: 1..k, or 0 for a miss. The
rank metrics therefore keep integer counts of ranks and nothing else; their values depend on the
events, never on how the events were cut into chunks.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.integer[Any]]
Snapshot = dict[str, NDArray[Any]]


def recall_gain(rank: int) -> float:
    """Gain of a hit whatever its rank: recall@k, which is the hit rate for a single target."""
    return float(rank > 0)


def ndcg_gain(rank: int) -> float:
    """Discounted gain 1 / log2(1 + rank); the ideal list of a single target gains 1."""
    return 1.0 / math.log2(1 + rank) if rank else 0.0


def mrr_gain(rank: int) -> float:
    """Reciprocal of the rank."""
    return 1.0 / rank if rank else 0.0


def mean_gain(counts: Sequence[int] | Integers, gains: Sequence[float]) -> float:
    """Give the mean gain of events whose ranks were counted; NaN when there are none."""
    n = int(sum(counts))
    return math.fsum(int(c) * g for c, g in zip(counts, gains, strict=True)) / n if n else math.nan


def standard_error(counts: Sequence[int] | Integers, gains: Sequence[float]) -> float:
    """Give the standard error of :func:`mean_gain` for independent events; NaN without events.

    The square root of the plug-in variance over n, for recall the binomial sqrt(p (1 - p) / n).
    Events of one user are correlated, so the error over users is larger: read it as a lower bound.
    """
    n, mean = int(sum(counts)), mean_gain(counts, gains)
    if not n:
        return math.nan
    squares = math.fsum(int(c) * (g - mean) ** 2 for c, g in zip(counts, gains, strict=True))
    return math.sqrt(squares) / n


class _RankMetric:
    name: ClassVar[str]

    def __init__(self, k: int = 10) -> None:
        if k < 1:
            raise ValueError(f"k must be at least 1, not {k}")
        self.k = k
        self.gains = [self._gain(rank) for rank in range(k + 1)]
        self.counts = np.zeros(k + 1, np.int64)

    @staticmethod
    def _gain(rank: int) -> float:
        raise NotImplementedError

    def update(self, rank: int) -> None:
        """Count one judged event by the rank of its target; 0 and ranks beyond k are misses."""
        if rank < 0:
            raise ValueError(f"a rank is 0 or more, not {rank}")
        self.counts[rank if rank <= self.k else 0] += 1

    def update_many(self, ranks: Integers) -> None:
        """Count judged events, as :meth:`update` would one by one."""
        within = np.where(ranks > self.k, 0, ranks)
        self.counts += np.bincount(within, minlength=self.k + 1)

    def get(self) -> float:
        """Mean over the judged events; NaN before the first."""
        return mean_gain(self.counts, self.gains)

    def standard_error(self) -> float:
        """See :func:`standard_error`."""
        return standard_error(self.counts, self.gains)

    def snapshot(self) -> Snapshot:
        """Give the state as arrays that share no memory with the metric."""
        return {"counts": self.counts.copy()}

    def restore(self, snapshot: Mapping[str, NDArray[Any]]) -> None:
        """Take the state of a metric with the same k."""
        counts = snapshot["counts"]
        if counts.shape != self.counts.shape:
            raise ValueError(f"snapshot of k = {counts.size - 1}, not {self.k}")
        self.counts = counts.astype(np.int64)


class Recall(_RankMetric):
    r"""Recall@k: the share of judged events whose title was in the list of k.

    .. math:: \frac{1}{n} \sum_{e} [1 \le r_e \le k]

    where :math:`r_e` is the rank of the watched title of event e among n judged events. An event
    has one target, so this is hit rate@k as well. Order of events is irrelevant; O(1) an event,
    k + 1 integers of memory.

    Parameters
    ----------
    k
        Length of the lists, at least 1.

    Attributes
    ----------
    counts : int64[k + 1]
        Judged events by rank; element 0 counts the misses.

    Examples
    --------
    >>> metric = Recall(k=10)
    >>> for rank in (1, 0, 4, 0):
    ...     metric.update(rank)
    >>> metric.get(), metric.standard_error()
    (0.5, 0.25)
    """

    name = "recall"
    _gain = staticmethod(recall_gain)


class NDCG(_RankMetric):
    r"""NDCG@k: hits discounted by the logarithm of their rank.

    .. math:: \frac{1}{n} \sum_{e : 1 \le r_e \le k} \frac{1}{\log_2 (1 + r_e)}

    with symbols, parameters, attributes and costs as in :class:`Recall`.

    References
    ----------
    Järvelin, Kekäläinen (2002). Cumulated gain-based evaluation of IR techniques. ACM TOIS 20(4),
    section 2.

    Examples
    --------
    >>> metric = NDCG(k=10)
    >>> for rank in (1, 3, 0):
    ...     metric.update(rank)
    >>> metric.get()
    0.5
    """

    name = "ndcg"
    _gain = staticmethod(ndcg_gain)


class MRR(_RankMetric):
    r"""MRR@k: mean reciprocal rank, a miss counting 0.

    .. math:: \frac{1}{n} \sum_{e : 1 \le r_e \le k} \frac{1}{r_e}

    with symbols, parameters, attributes and costs as in :class:`Recall`.

    References
    ----------
    Voorhees (1999). The TREC-8 question answering track report. TREC-8, section 2.

    Examples
    --------
    >>> metric = MRR(k=10)
    >>> for rank in (1, 2, 0):
    ...     metric.update(rank)
    >>> metric.get()
    0.5
    """

    name = "mrr"
    _gain = staticmethod(mrr_gain)
