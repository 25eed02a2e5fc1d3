"""What goes into the kernel and what comes out, row by row."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.state import N_POPULARITIES

N_SOURCES = 3
"""Source titles named in a reason."""


class Options(NamedTuple):
    """Numbers that do not change over an engine's life; see `models.engine.EngineConfig`."""

    n_neighbors: int
    slow_half_life: float
    fast_half_life: float
    events_per_title: float
    step_every: int
    weak_strength: float
    is_served: bool
    is_watched: bool


class Batch(NamedTuple):
    """Events in order: what happened. ``group_time`` is the time as given, ``time`` as clipped.

    ``device`` and ``source`` are numbers of labels, -1 where there is none to watch.
    """

    user: NDArray[np.int32]
    title: NDArray[np.int32]
    time: NDArray[np.float64]
    group_time: NDArray[np.float64]
    strength: NDArray[np.float32]
    is_positive: NDArray[np.bool_]
    is_emitted: NDArray[np.bool_]
    device: NDArray[np.int16]
    source: NDArray[np.int16]


class Lists(NamedTuple):
    """Recommendations with reasons, one row a list, -1 where a list is shorter.

    Attributes
    ----------
    title : int32[n, k]
    score : float32[n, k]
    kind : int8[n, k]
        One of the kinds in `models.reasons`.
    genre : int16[n, k]
        The genre of a ``NEW_IN_GENRE``.
    source : int32[n, k, N_SOURCES]
        The watched titles that contribute most to a ``BECAUSE_YOU_WATCHED``, strongest first.
    share : float32[n, k, N_SOURCES]
        Their exact shares of the listed title's co-visitation mass.
    """

    title: NDArray[np.int32]
    score: NDArray[np.float32]
    kind: NDArray[np.int8]
    genre: NDArray[np.int16]
    source: NDArray[np.int32]
    share: NDArray[np.float32]


class Judged(NamedTuple):
    """What came of each event before it was learned, row by row of the batch.

    Attributes
    ----------
    skip : int8[n]
        `models.outcomes.Skip`: judged, or why not.
    rank : int16[n]
        Rank of the watched title in the list, 0 when absent.
    depth : int16[n]
        Rank in the whole shortlist, 0 when absent, -1 when not judged or the shortlist is gone.
    segment : int32[n]
        Bits of `models.outcomes.Segment`.
    popularity_rank : int32[n, N_POPULARITIES]
        Rank in each popularity's own list of k, 0 when absent.
    n_candidates : int32[n]
        Novel titles the watched one was among, 0 when it was never seen before.
    listed : int32[n, k]
        The list that was judged, -1 where there is none.
    listed_views, views, n_views : int32[n, k], int32[n], int64[n]
        Views so far of each listed title, of the watched title and of all titles.
    """

    skip: NDArray[np.int8]
    rank: NDArray[np.int16]
    depth: NDArray[np.int16]
    segment: NDArray[np.int32]
    popularity_rank: NDArray[np.int32]
    n_candidates: NDArray[np.int32]
    listed: NDArray[np.int32]
    listed_views: NDArray[np.int32]
    views: NDArray[np.int32]
    n_views: NDArray[np.int64]


def new_lists(n: int, k: int) -> Lists:
    """Return room for ``n`` lists of ``k``."""
    return Lists(
        title=np.full((n, k), -1, np.int32),
        score=np.zeros((n, k), np.float32),
        kind=np.zeros((n, k), np.int8),
        genre=np.full((n, k), -1, np.int16),
        source=np.full((n, k, N_SOURCES), -1, np.int32),
        share=np.zeros((n, k, N_SOURCES), np.float32),
    )


def new_judged(n: int, k: int) -> Judged:
    """Return room for the outcomes of ``n`` events with lists of ``k``."""
    return Judged(
        skip=np.zeros(n, np.int8),
        rank=np.zeros(n, np.int16),
        depth=np.full(n, -1, np.int16),
        segment=np.zeros(n, np.int32),
        popularity_rank=np.zeros((n, N_POPULARITIES), np.int32),
        n_candidates=np.zeros(n, np.int32),
        listed=np.full((n, k), -1, np.int32),
        listed_views=np.full((n, k), -1, np.int32),
        views=np.zeros(n, np.int32),
        n_views=np.zeros(n, np.int64),
    )
