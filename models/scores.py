"""Tallies as numbers for people: metrics with their standard errors, ours beside the baselines."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from models.metrics import MRR, NDCG, Recall, mean_gain, standard_error
from models.tally import expected_gains

if TYPE_CHECKING:
    from models.tally import Counts

_METRICS = Recall, NDCG, MRR


class Scorer:
    """Names and values of everything that a tally holds.

    Parameters
    ----------
    k
        Length of the lists.
    popularities
        Names of the popularity rankings in the order of their rows, such as ``30d``.

    Examples
    --------
    >>> import numpy as np
    >>> counts = np.array([[1, 1], [2, 0], [0, 2**32 // 4]])
    >>> scores = Scorer(k=1, popularities=["all"]).scores(counts)
    >>> scores["judged"], scores["recall@1"], scores["baselines"]["random"]["recall@1"]
    (2, 0.5, 0.125)
    """

    def __init__(self, k: int, popularities: Sequence[str]) -> None:
        self.popularities = [f"popularity_{name}" for name in popularities]
        self._gains = {f"{metric.name}@{k}": metric(k).gains for metric in _METRICS}
        self._expected = {name: expected_gains(gains) for name, gains in self._gains.items()}
        self.recall_name = f"recall@{k}"

    def scores(self, counts: Counts) -> dict[str, Any]:
        """Give our metrics of one tally, and under ``baselines`` those of the others.

        Keys are ``judged``, ``recall@k``, ``recall@k_se`` and so on; a mean over no event is None.
        """
        n_judged = int(counts[0].sum())
        rows = zip(self.popularities, counts[1:-1], strict=True)
        baselines = {name: self._of_ranks(row) for name, row in rows}
        baselines["random"] = self._of_chance(counts[-1], n_judged)
        return {"judged": n_judged, **self._of_ranks(counts[0]), "baselines": baselines}

    def recall(self, counts: Counts) -> float | None:
        """Give our recall@k of one tally; None without judged events."""
        return _number(mean_gain(counts[0], self._gains[self.recall_name]))

    def best_popularity(self, counts: Counts) -> str | None:
        """Name the popularity with most hits, the first of equals; None without judged events."""
        hits = counts[1:-1, 1:].sum(axis=1)
        return self.popularities[int(hits.argmax())] if counts[0].any() and len(hits) else None

    def _of_ranks(self, row: Counts) -> dict[str, float | None]:
        values: dict[str, float | None] = {}
        for name, gains in self._gains.items():
            values[name] = _number(mean_gain(row, gains))
            values[f"{name}_se"] = _number(standard_error(row, gains))
        return values

    def _of_chance(self, row: Counts, n_judged: int) -> dict[str, float | None]:
        if not n_judged:
            return dict.fromkeys(self._expected)
        sums = {
            name: math.fsum(int(count) * gain for count, gain in zip(row, gains, strict=True))
            for name, gains in self._expected.items()
        }
        return {name: total / n_judged for name, total in sums.items()}


def _number(value: float) -> float | None:
    """Give None for NaN, which JSON does not have."""
    return None if math.isnan(value) else value
