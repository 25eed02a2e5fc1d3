"""Prequential evaluation: what was judged before it was learned, added up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from models.exposure import CatalogCoverage, Novelty, PopularityBias
from models.outcomes import SEGMENTS, Segment, Skip
from models.recent import RecentRanks
from models.scores import Scorer
from models.tally import tally
from models.windows import Windows

if TYPE_CHECKING:
    from models.exposure import Exposure
    from models.metrics import Snapshot
    from models.outcomes import Outcomes
    from models.tally import Counts


SLIDING = (1000, 5000)
"""Judged events in a sliding window."""

_N_CELLS = 16  # one for each combination of the four bits; every segment is a union of cells


class Evaluation:
    """Everything that prequential evaluation reports, from integer counts of ranks.

    Each judged event was ranked against the whole catalogue, without sampled negatives, before it
    was learned. Beside our list stand popularity at several half-lives, by exact rank, and the
    exact expectation of a random order of the same candidates. As all values are functions of
    counts, no cut of the events into chunks changes any of them.

    Parameters
    ----------
    popularities
        Names of the popularity baselines, in the order of the columns of their ranks.
    k
        Length of the lists, 1..255.
    window
        Judged events a row of :meth:`series`, until there are more than 4,096 rows; then rows are
        joined in pairs, again and again.
    n_recent
        Latest judged events kept one by one, at least the longest sliding window.

    Notes
    -----
    Halves are exact while half of the judged events are among the `n_recent` latest, so up to
    262,144 judged events by default. Beyond that they meet at the end of the window nearest to the
    middle, off by half a window at most: 0.2 % of the judged events at first, and 0.025 % at most
    from two million on. ``halves.*.judged`` says where they met.

    Standard errors take events as independent; see :func:`models.metrics.standard_error`.

    About 0.2 µs an event in chunks of 512. Memory is 20 kB, a byte a title, `n_recent` times 4
    bytes and one more a ranking (1.6 MB), and the windows: 0.8 kB each, so 3.3 MB at most.

    References
    ----------
    Gama, Sebastião, Rodrigues (2013). On evaluating stream learning algorithms. Machine Learning
    90(3), section 3 (prequential error and its sliding windows).
    Vinagre, Jorge, Gama (2014). Evaluation of recommender systems in streaming environments.
    REDD workshop at RecSys, arXiv:1504.08175.

    Examples
    --------
    >>> from models.outcomes import Outcomes
    >>> evaluation = Evaluation(["all"], k=2)
    >>> evaluation.update(Outcomes(
    ...     skip=np.array([Skip.COLD, Skip.JUDGED, Skip.JUDGED], np.int8),
    ...     rank=np.array([0, 2, 0]),
    ...     segment_bits=np.array([0, Segment.COLD_USER, 0]),
    ...     popularity_rank=np.array([[0], [7], [1]]),
    ...     random_n=np.array([0, 8, 8]),
    ...     lists=np.array([[-1, -1], [4, 3], [4, -1]]),
    ...     event_time=np.array([0.0, 1.0, 2.0]),
    ... ))
    >>> summary = evaluation.summary(n_titles=8)
    >>> [summary[name] for name in ("events", "judged", "cold", "recall@2", "recall@2_se")]
    [3, 2, 1, 0.5, 0.3535533905932738]
    >>> summary["baselines"]["random"]["recall@2"], summary["segments"]["user:new"]["recall@2"]
    (0.25, 1.0)
    """

    def __init__(
        self,
        popularities: Sequence[str],
        *,
        k: int = 10,
        window: int = 1000,
        n_recent: int = 131_072,
    ) -> None:
        if not 1 <= k <= np.iinfo(np.uint8).max:
            raise ValueError(f"k must be in 1..255, not {k}")
        if n_recent < max(SLIDING):
            raise ValueError(f"n_recent must be at least {max(SLIDING)}, not {n_recent}")
        self.k = k
        self.n_events = 0
        self.coverage = CatalogCoverage()
        self.novelty = Novelty()
        self.popularity_bias = PopularityBias()
        self._scorer = Scorer(k, popularities)
        shape = len(popularities) + 2, k + 1
        self._cells = np.zeros((_N_CELLS, *shape), np.int64)
        self._skips = np.zeros(len(Skip), np.int64)
        self._windows = Windows(shape, width=window)
        self._recent = RecentRanks(n_recent, len(popularities) + 1)

    @property
    def n_judged(self) -> int:
        """Number of judged events."""
        return self._windows.n_judged

    def update(self, outcomes: Outcomes) -> None:
        """Add a chunk of accepted events."""
        judged = np.flatnonzero(outcomes.skip == Skip.JUDGED)
        if len(judged):
            self._add_ranks(outcomes, judged)
            self.coverage.update_many(outcomes.lists[judged])
            if outcomes.exposure is not None:
                self._add_exposure(outcomes.exposure, judged)
        self._skips += np.bincount(outcomes.skip, minlength=len(Skip))
        self.n_events += len(outcomes.skip)

    def recall(self, last: int | None = None) -> float | None:
        """Recall@k of all judged events, or of the `last` ones; None before the first."""
        return self._scorer.recall(self._total() if last is None else self._latest(last))

    def summary(self, n_titles: int | None = None) -> dict[str, Any]:
        """Give the whole result as plain values under the names of ``replay --json``.

        `n_titles` is the size of the catalogue, of which coverage is given as a share.
        """
        names = "judged", "cold", "repeats", "not_positive"
        return {
            "k": self.k,
            "events": self.n_events,
            **dict(zip(names, self._skips.tolist(), strict=True)),
            "never_seen": int(self._where(Segment.NEVER_SEEN, is_set=True)[0].sum()),
            **self._scorer.scores(self._total()),
            "best_popularity": self._scorer.best_popularity(self._total()),
            "halves": self._halves(),
            "segments": self._segments(),
            "sliding": {str(n): self._scorer.scores(self._latest(n)) for n in SLIDING},
            **self._exposure(n_titles),
        }

    def series(self) -> list[dict[str, Any]]:
        """Give one row a window, oldest first; the last may be incomplete.

        ``events`` and ``judged`` count up to the end of the window, the metrics are the window's
        own. Popularity is the one that is best overall.
        """
        best = self._scorer.best_popularity(self._total())
        windows = self._windows
        ends = zip(windows.events.tolist(), windows.times.tolist(), windows.counts, strict=True)
        rows, n_judged = [], 0
        for events, time, counts in ends:
            scores = self._scorer.scores(counts)
            n_judged += scores["judged"]
            end = {"events": events, "event_time": time, "judged": n_judged}
            rows.append({**end, **self._row(scores, best)})
        return rows

    def snapshot(self) -> Snapshot:
        """Give the state as arrays that share no memory with it."""
        state = {
            "n_events": np.array(self.n_events),
            "cells": self._cells.copy(),
            "skips": self._skips.copy(),
        }
        for name, part in self._parts().items():
            state |= {f"{name}.{key}": array for key, array in part.snapshot().items()}
        return state

    def restore(self, snapshot: Mapping[str, NDArray[Any]]) -> None:
        """Take the state of an evaluation with the same parameters."""
        if snapshot["cells"].shape != self._cells.shape:
            raise ValueError("snapshot of an evaluation with other baselines or another k")
        self.n_events = int(snapshot["n_events"])
        self._cells = snapshot["cells"].astype(np.int64)
        self._skips = snapshot["skips"].astype(np.int64)
        for name, part in self._parts().items():
            names = [key for key in snapshot if key.startswith(f"{name}.")]
            part.restore({key.removeprefix(f"{name}."): snapshot[key] for key in names})

    def _parts(self) -> dict[str, Any]:
        return {
            "windows": self._windows,
            "recent": self._recent,
            "coverage": self.coverage,
            "novelty": self.novelty,
            "popularity_bias": self.popularity_bias,
        }

    def _add_ranks(self, outcomes: Outcomes, judged: NDArray[np.intp]) -> None:
        ranks = np.column_stack((outcomes.rank, outcomes.popularity_rank))[judged]
        ranks = np.where((ranks > 0) & (ranks <= self.k), ranks, 0).astype(np.uint8)
        n_candidates = outcomes.random_n[judged]
        _, windows = self._windows.places(len(judged))
        n_windows = int(windows[-1]) + 1
        bins = windows * _N_CELLS + (outcomes.segment_bits[judged] & (_N_CELLS - 1))
        counts = tally(ranks, n_candidates, bins, k=self.k, n_bins=n_windows * _N_CELLS)
        counts = counts.reshape(n_windows, *self._cells.shape)
        self._cells += counts.sum(axis=0)
        self._windows.add(
            counts.sum(axis=1),
            n=len(judged),
            events=self.n_events + 1 + judged,
            times=outcomes.event_time[judged],
        )
        self._recent.add(ranks, n_candidates)

    def _add_exposure(self, exposure: Exposure, judged: NDArray[np.intp]) -> None:
        list_views = exposure.list_views[judged]
        self.novelty.update_many(list_views, exposure.n_views[judged])
        self.popularity_bias.update_many(list_views, exposure.target_views[judged])

    def _total(self) -> Counts:
        counts: Counts = self._cells.sum(axis=0)
        return counts

    def _where(self, bit: Segment, *, is_set: bool) -> Counts:
        has_bit = (np.arange(_N_CELLS) & bit) > 0
        counts: Counts = self._cells[has_bit == is_set].sum(axis=0)
        return counts

    def _latest(self, n: int) -> Counts:
        ranks, n_candidates = self._recent.last(n)
        one_bin = np.zeros(len(ranks), np.intp)
        counts: Counts = tally(ranks, n_candidates, one_bin, k=self.k, n_bins=1)[0]
        return counts

    def _halves(self) -> dict[str, Any]:
        n_second = self.n_judged - self.n_judged // 2
        if n_second <= len(self._recent):
            second = self._latest(n_second)
        else:
            n_windows = round(self.n_judged / 2 / self._windows.width)
            second = self._windows.counts[n_windows:].sum(axis=0)
        first = self._total() - second
        return {"first": self._scorer.scores(first), "second": self._scorer.scores(second)}

    def _segments(self) -> dict[str, Any]:
        return {
            name: self._scorer.scores(self._where(bit, is_set=is_set))
            for name, (bit, is_set) in SEGMENTS.items()
        }

    def _exposure(self, n_titles: int | None) -> dict[str, Any]:
        values: dict[str, Any] = {"titles_listed": self.coverage.get()}
        if n_titles:
            values["catalog_coverage"] = self.coverage.share(n_titles)
        for metric in (self.novelty, self.popularity_bias):
            if metric.sums.any():
                values[metric.name] = metric.get()
        return values

    def _row(self, scores: dict[str, Any], best: str | None) -> dict[str, Any]:
        recall, k = self._scorer.recall_name, self.k
        baselines = scores["baselines"]
        return {
            recall: scores[recall],
            f"ndcg@{k}": scores[f"ndcg@{k}"],
            f"mrr@{k}": scores[f"mrr@{k}"],
            f"popularity_{recall}": baselines[best][recall] if best else None,
            f"random_{recall}": baselines["random"][recall],
        }
