"""What the ranker sees of a candidate: base-two logarithms of evidence.

With logarithms a linear score multiplies evidence, so that "often follows what you watched" and
"popular right now" weigh as odds do. Every feature is finite for every title:

- ``forward``, ``backward``, ``fast``, ``last_step``: log2(1e-4 + share of the co-visitation mass);
- ``views``: log2(1 + views); ``popularity_*``: log2(0.3 + popularity now);
- ``age``: log2(1 + hours since first seen); ``idle``: log2(1 + minutes since last seen);
- ``genre_lift``: log2(0.1 + mean lift of its genres for this user);
- ``year_distance``: log2(1 + |release year - the user's mean|), 0 where unknown;
- ``creator_matches``: how many of the last ten titles share a creator;
- ``*_peak``: 4 sqrt(share of the largest value among the candidates).

The table is feature by candidate, so that each feature is one vector loop.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models import feature_names as f
from models.compiled import compiled
from models.numeric import exp2_f32, log2_f32
from models.popularity import N_DECAYED, RATES
from models.scratch import Scratch
from models.state import MAX_CREATORS, MAX_GENRES, N_CHANNELS, Candidates, Titles

N_CREATOR_MATCHES = 10


@compiled
def _log(row: NDArray[np.float32], n: int, offset: float) -> None:
    """Replace each value by log2(offset + value)."""
    add = np.float32(offset)
    for p in range(n):
        row[p] = log2_f32(row[p] + add)


@compiled
def _peak(values: NDArray[np.float32], n: int, out: NDArray[np.float32]) -> None:
    """Write 4 sqrt(value / largest value)."""
    largest = np.float32(1e-30)
    for p in range(n):
        largest = max(largest, values[p])
    inverse = np.float32(1.0) / largest
    for p in range(n):
        out[p] = np.float32(4.0) * np.sqrt(values[p] * inverse)


@compiled
def describe_covisits(candidates: Candidates, slot: int, n: int, scratch: Scratch) -> None:
    """Fill the co-visitation features."""
    title, table = candidates.title[slot], candidates.feature[slot]
    for p in range(n):
        for c in range(N_CHANNELS):
            table[c, p] = scratch.scores[title[p], c] * scratch.inverse[c]
    _peak(table[0], n, table[f.FORWARD_PEAK])
    _peak(table[3], n, table[f.LAST_PEAK])
    for c in range(N_CHANNELS):
        _log(table[c], n, 1e-4)


@compiled
def describe_popularity(
    titles: Titles,
    candidates: Candidates,
    slot: int,
    n: int,
    time: float,
    values: NDArray[np.float32],
) -> None:
    """Fill the features of views, popularities, age and idleness."""
    title, table = candidates.title[slot], candidates.feature[slot]
    idle, views = values[N_DECAYED], table[f.VIEWS]
    for p in range(n):
        x = title[p]
        for h in range(N_DECAYED):
            values[h, p] = titles.popularity[x, h]
        idle[p] = max(time - titles.popularity_time[x], 0.0)
        table[f.AGE, p] = max(time - titles.first_seen[x], 0.0) * (1.0 / 3600.0)
        views[p] = titles.views[x]
    for h in range(N_DECAYED):
        rate = np.float32(-RATES[h])
        for p in range(n):
            values[h, p] *= exp2_f32(idle[p] * rate)
        for p in range(n):
            table[f.POPULARITY + h, p] = log2_f32(values[h, p] + np.float32(0.3))
    for p in range(n):
        table[f.IDLE, p] = log2_f32(np.float32(1.0) + idle[p] * np.float32(1.0 / 60.0))
    _log(table[f.AGE], n, 1.0)
    _log(views, n, 1.0)
    _peak(values[3], n, table[f.POPULARITY_12H_PEAK])
    _peak(values[2], n, table[f.POPULARITY_2D_PEAK])


@compiled
def _shares_creator(titles: Titles, x: int, y: int) -> bool:
    for c in range(MAX_CREATORS):
        if titles.creators[x, c] < 0:
            return False
        for other in range(MAX_CREATORS):
            if titles.creators[x, c] == titles.creators[y, other]:
                return True
    return False


@compiled
def describe_content(
    titles: Titles, candidates: Candidates, slot: int, n: int, scratch: Scratch, mean_year: float
) -> None:
    """Fill the features of genre, release year and creators."""
    title, table = candidates.title[slot], candidates.feature[slot]
    n_recent = min(scratch.n_recent[0], N_CREATOR_MATCHES)
    for p in range(n):
        x = title[p]
        lift, n_genres = np.float32(0.0), 0
        for g in range(MAX_GENRES):
            genre = titles.genres[x, g]
            if genre < 0:
                break
            lift += scratch.lift[genre]
            n_genres += 1
        table[f.GENRE_LIFT, p] = lift / np.float32(n_genres) if n_genres else np.float32(1.0)
        distance = abs(titles.year[x] - np.float32(mean_year))
        table[f.YEAR_DISTANCE, p] = np.float32(0.0) if np.isnan(distance) else distance
        matches = np.float32(0.0)
        if titles.creators[x, 0] >= 0:
            for q in range(n_recent):
                if _shares_creator(titles, x, scratch.recent[q]):
                    matches += np.float32(1.0)
        table[f.CREATOR_MATCHES, p] = matches
    _log(table[f.GENRE_LIFT], n, 0.1)
    _log(table[f.YEAR_DISTANCE], n, 1.0)
