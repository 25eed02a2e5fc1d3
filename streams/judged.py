"""Sums over judged events for observers: by segment, for our lists and every baseline.

The sums are plain numbers by name, ``judged``, ``skipped:REASON`` and ``GAIN:MODEL``, where a gain
is ``hits``, ``ndcg`` or ``mrr`` and a model ``driftline``, ``popularity_30d``, … or ``random``.
Over ``judged`` they are the means that `models.evaluation` reports.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models.metrics import mrr_gain, ndcg_gain, recall_gain
from models.outcomes import SEGMENTS, Outcomes, Skip
from models.tally import Counts, expected_gains, tally

ALL = "all"
OURS = "driftline"
RANDOM = "random"
SKIPPED = {Skip.COLD: "cold", Skip.REPEAT: "repeat", Skip.NOT_POSITIVE: "not_positive"}
_GAINS = {"hits": recall_gain, "ndcg": ndcg_gain, "mrr": mrr_gain}
_N_CELLS = 16


def models_of(popularities: Sequence[str]) -> list[str]:
    """Name our model and the baselines.

    >>> models_of(["30d", "all"])
    ['driftline', 'popularity_30d', 'popularity_all', 'random']
    """
    return [OURS, *(f"popularity_{name}" for name in popularities), RANDOM]


class JudgedSums:
    """Keeps outcomes until their sums are taken: adding costs next to nothing.

    Parameters
    ----------
    popularities
        Names of the popularities that are judged beside our lists.
    k
        Length of the lists.

    Attributes
    ----------
    n_kept : int
        Events that are kept.
    """

    def __init__(self, popularities: Sequence[str], *, k: int) -> None:
        self.k = k
        self.n_kept = 0
        self._models = models_of(popularities)
        by_rank = [[gain(rank) for rank in range(k + 1)] for gain in _GAINS.values()]
        self._gains = np.array(by_rank).T
        self._expected = np.array([expected_gains(gains) for gains in by_rank]).T
        self._kept: list[Outcomes] = []

    def add(self, outcomes: Sequence[Outcomes]) -> None:
        """Keep outcomes of accepted events."""
        self._kept += outcomes
        self.n_kept += sum(len(chunk.skip) for chunk in outcomes)

    def take(self) -> dict[str, dict[str, float]]:
        """Give the sums of what was kept by segment, all first; empty when there was nothing."""
        kept, self._kept, self.n_kept = self._kept, [], 0
        if not kept:
            return {}
        skip = np.concatenate([chunk.skip for chunk in kept])
        cells = self._cells(kept, skip == Skip.JUDGED)
        skips = np.bincount(skip, minlength=len(Skip)).tolist()
        found = {ALL: self._sums(cells.sum(axis=0))}
        found[ALL] |= {f"skipped:{name}": skips[reason] for reason, name in SKIPPED.items()}
        for name, (bit, is_set) in SEGMENTS.items():
            has_bit = (np.arange(_N_CELLS) & bit) > 0
            found[name] = self._sums(cells[has_bit == is_set].sum(axis=0))
        return found

    def _cells(self, kept: Sequence[Outcomes], is_judged: NDArray[np.bool_]) -> Counts:
        """Tally the judged events, one cell for each combination of the bits of segments."""
        ranks = np.concatenate([np.column_stack((c.rank, c.popularity_rank)) for c in kept])
        ranks = ranks[is_judged]
        ranks = np.where((ranks > 0) & (ranks <= self.k), ranks, 0)
        n_candidates = np.concatenate([chunk.random_n for chunk in kept])[is_judged]
        bits = np.concatenate([chunk.segment_bits for chunk in kept])[is_judged] & (_N_CELLS - 1)
        return tally(ranks, n_candidates, bits, k=self.k, n_bins=_N_CELLS)

    def _sums(self, counts: Counts) -> dict[str, float]:
        gains = [*(counts[:-1] @ self._gains), counts[-1] @ self._expected]
        named = {
            f"{gain}:{model}": float(value)
            for model, row in zip(self._models, gains, strict=True)
            for gain, value in zip(_GAINS, row, strict=True)
        }
        return {"judged": float(counts[0].sum()), **named}
