"""The last judged events one by one, for sliding windows and exact halves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from models.metrics import Integers, Snapshot


class RecentRanks:
    """Ring of the ranks of the latest judged events.

    Memory is ``size * (n_rankings + 4)`` bytes whatever happens; adding costs two copies.

    Parameters
    ----------
    size
        Number of events kept.
    n_rankings
        Rankings judged at each event.

    Examples
    --------
    >>> recent = RecentRanks(size=2, n_rankings=1)
    >>> recent.add(np.array([[1], [0], [3]]), np.array([50, 0, 48]))
    >>> recent.last(5)[0].tolist()
    [[0], [3]]
    """

    def __init__(self, size: int, n_rankings: int) -> None:
        self.size = size
        self._ranks = np.zeros((size, n_rankings), np.uint8)
        self._n_candidates = np.zeros(size, np.int32)
        self._n_added = 0

    def __len__(self) -> int:
        return min(self._n_added, self.size)

    def add(self, ranks: Integers, n_candidates: Integers) -> None:
        """Keep more events, in order: ranks ``[n, n_rankings]``, numbers of candidates ``[n]``."""
        kept = min(len(ranks), self.size)
        at = self._n_added + len(ranks) - kept
        slots = np.arange(at, at + kept) % self.size
        self._ranks[slots] = ranks[len(ranks) - kept :]
        self._n_candidates[slots] = n_candidates[len(ranks) - kept :]
        self._n_added += len(ranks)

    def last(self, n: int) -> tuple[NDArray[np.uint8], NDArray[np.int32]]:
        """Copy the latest `n` events, or all that are kept if fewer, oldest first."""
        slots = np.arange(self._n_added - min(n, len(self)), self._n_added) % self.size
        return self._ranks[slots], self._n_candidates[slots]

    def snapshot(self) -> Snapshot:
        """Give the kept events, oldest first."""
        ranks, n_candidates = self.last(self.size)
        return {"ranks": ranks, "n_candidates": n_candidates}

    def restore(self, snapshot: Mapping[str, NDArray[Any]]) -> None:
        """Take the events of a ring of the same size."""
        if snapshot["ranks"].shape[1:] != self._ranks.shape[1:]:
            raise ValueError("snapshot of another number of rankings")
        self._n_added = 0
        self.add(snapshot["ranks"], snapshot["n_candidates"])
