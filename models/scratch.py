"""Working memory of the kernels: never saved, and meaningless once a query is answered."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.covisitation import N_RECENT
from models.quality_state import BLOCK_GENRES
from models.state import N_CHANNELS, N_GENRES, N_POPULARITIES, SHORTLIST_SIZE

N_BINS = (40 << 5) + 64
N_PROFILE = 128
"""Latest titles that make up the user's taste in genres and years."""
N_ENDED = 8
"""Blocks that may end in one call of the kernel, which then returns."""
N_POPULAR = 30
"""Novel titles of each popularity that become candidates."""


class Scratch(NamedTuple):
    """Working memory of a query: not state, never saved, valid for one query only.

    ``ended`` has the sums of the blocks of `models.quality_state` that ended in the latest call of
    `models.kernel.run`.
    """

    scores: NDArray[np.float32]
    touched: NDArray[np.int32]
    strong: NDArray[np.int32]
    blend: NDArray[np.float32]
    bins: NDArray[np.int32]
    excluded: NDArray[np.int32]
    query: NDArray[np.int32]
    inverse: NDArray[np.float32]
    recent: NDArray[np.int32]
    profile: NDArray[np.float32]
    lift: NDArray[np.float32]
    popular: NDArray[np.int32]
    n_popular: NDArray[np.int32]
    n_recent: NDArray[np.int32]
    values: NDArray[np.float32]
    rows: NDArray[np.int32]
    columns: NDArray[np.int32]
    increments: NDArray[np.float32]
    ended: NDArray[np.float64]


def new_scratch(n_titles: int, n_neighbors: int, k: int) -> Scratch:
    """Return working memory for a catalogue of up to ``n_titles`` and lists of ``k``."""
    n_touched = N_RECENT * n_neighbors + 1
    return Scratch(
        scores=np.zeros((n_titles, N_CHANNELS), np.float32),
        touched=np.zeros(n_touched, np.int32),
        strong=np.zeros(n_touched, np.int32),
        blend=np.zeros(n_touched, np.float32),
        bins=np.zeros(N_BINS, np.int32),
        excluded=np.zeros(n_titles, np.int32),
        query=np.zeros(1, np.int32),
        inverse=np.zeros(N_CHANNELS, np.float32),
        recent=np.zeros(N_PROFILE, np.int32),
        profile=np.zeros(N_GENRES, np.float32),
        lift=np.zeros(N_GENRES, np.float32),
        popular=np.zeros((N_POPULARITIES, max(N_POPULAR, k)), np.int32),
        n_popular=np.zeros(N_POPULARITIES, np.int32),
        n_recent=np.zeros(1, np.int32),
        values=np.zeros((N_POPULARITIES + 2, SHORTLIST_SIZE), np.float32),
        rows=np.zeros(2 * N_RECENT, np.int32),
        columns=np.zeros(2 * N_RECENT, np.int32),
        increments=np.zeros((2 * N_RECENT, N_CHANNELS), np.float32),
        ended=np.zeros((N_ENDED, BLOCK_GENRES + N_GENRES)),
    )
