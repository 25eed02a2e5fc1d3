"""Candidates for one list, and their features.

Ranking the whole catalogue by the ranker would cost more than it gains: a title that neither
follows anything the user watched, nor is popular on any time scale, nor shares a creator or a
favourite genre has no chance of the first ten places. So candidates are the union of

- the ``N_COVISITED`` strongest by ``.4 forward + .2 backward + .2 fast + .2 last step``
  (each share of its channel's total),
- the first ``N_POPULAR`` novel titles of each popularity,
- the recent titles of the creators of the user's last five titles,
- the first ``N_GENRE`` novel titles of the user's two strongest genres,

all novel to the user. The cut among equal scores is exact and by title number.

`models.features` describes the candidates for the ranker.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.compiled import compiled
from models.covisitation import accumulate, add_row_total, prefetch_row, row_factors
from models.numeric import bits_of_f32
from models.popularity import ALL_TIME, promote
from models.scratch import N_BINS, N_POPULAR, Scratch
from models.state import (
    CREATOR_RECENT,
    MAX_GENRES,
    N_CHANNELS,
    N_GENRES,
    N_POPULARITIES,
    SHORTLIST_SIZE,
    Neighbors,
    Titles,
    Tops,
    Users,
)

N_COVISITED = 100
N_GENRE = 20
N_CREATOR_SOURCES = 5
LOWEST_BIN = (127 - 40) << 5
"""Blends below 2^-40 share a bin."""
PROFILE_DECAY = 0.97
FORWARD_SHARE, OTHER_SHARE = np.float32(0.4), np.float32(0.2)
"""Weights of the forward channel, and of each other one, in the blend that picks candidates."""


@compiled
def begin_query(users: Users, history: NDArray[np.int32], scratch: Scratch, user: int) -> int:
    """Mark the user's titles as excluded and return the mark."""
    query = scratch.query[0] + 1
    if query == np.int32(2147483647):
        scratch.excluded[:] = 0
        query = np.int32(1)
    scratch.query[0] = query
    start = users.start[user]
    for p in range(users.length[user]):
        scratch.excluded[history[start + p]] = query
    return query


@compiled
def score_covisits(
    titles: Titles,
    neighbors: Neighbors,
    clock: NDArray[np.float64],
    recent: NDArray[np.int32],
    n_recent: int,
    scratch: Scratch,
) -> int:
    """Fill the sparse score table from the latest titles; return how many titles it touches.

    ``scratch.inverse`` gets one over the total of each channel, 0 where there is none.
    """
    factors = np.zeros(N_CHANNELS, np.float32)
    totals, n_touched = scratch.inverse, 0
    totals[:] = 0.0
    for d in range(n_recent):
        row = recent[d]
        start, length = titles.start[row], titles.length[row]
        if d + 1 < n_recent:
            prefetch_row(neighbors, titles.start[recent[d + 1]], titles.length[recent[d + 1]])
        row_factors(titles, clock, row, d, factors)
        add_row_total(neighbors.weight, start, length, factors, totals)
        n_touched = accumulate(
            neighbors, start, length, factors, scratch.scores, scratch.touched, n_touched
        )
    for c in range(N_CHANNELS):
        totals[c] = np.float32(1.0) / totals[c] if totals[c] > 1e-30 else np.float32(0.0)
    return n_touched


@compiled
def _bin(blend: np.float32) -> int:
    """Return a bin that grows with the blend in (0, 1]: exponent and five bits of mantissa."""
    return max((bits_of_f32(blend) >> 18) - LOWEST_BIN, 0)


@compiled
def select_covisited(scratch: Scratch, n_touched: int, query: int) -> int:
    """Move the strongest novel touched titles to the front of ``strong``; return how many.

    A histogram of the blends finds the bin where the cut falls; only that bin is sorted, so the
    cut is exact, and equal blends go by title number.
    """
    bins, blend, strong, touched = scratch.bins, scratch.blend, scratch.strong, scratch.touched
    excluded, scores, inverse = scratch.excluded, scratch.scores, scratch.inverse
    w0, w1 = FORWARD_SHARE * inverse[0], OTHER_SHARE * inverse[1]
    w2, w3 = OTHER_SHARE * inverse[2], OTHER_SHARE * inverse[3]
    n = 0
    for p in range(n_touched):
        x = touched[p]
        value = (w0 * scores[x, 0] + w1 * scores[x, 1]) + (w2 * scores[x, 2] + w3 * scores[x, 3])
        strong[n], blend[n] = x, value
        n += excluded[x] != query and value > 0.0
    if n <= N_COVISITED:
        return n
    bins[:] = 0
    for p in range(n):
        bins[_bin(blend[p])] += 1
    cut, above = N_BINS, 0
    while above + bins[cut - 1] <= N_COVISITED:
        cut -= 1
        above += bins[cut]
    return _keep_above(strong, blend, n, cut - 1, N_COVISITED - above)


@compiled
def _keep_above(
    strong: NDArray[np.int32], blend: NDArray[np.float32], n: int, cut: int, n_from_cut: int
) -> int:
    """Keep the titles above bin ``cut`` and the best ``n_from_cut`` of that bin."""
    edge_title = np.empty(n_from_cut, np.int32)
    edge_key = np.full(n_from_cut, -np.inf)
    kept, n_edge = 0, 0
    for p in range(n):
        at = _bin(blend[p])
        if at > cut:
            strong[kept], blend[kept] = strong[p], blend[p]
            kept += 1
        elif at == cut and n_from_cut > 0:
            n_edge = promote(edge_title, edge_key, n_edge, strong[p], np.float64(blend[p]))
    for p in range(n_edge):
        strong[kept] = edge_title[p]
        kept += 1
    return kept


@compiled
def clear_scores(scratch: Scratch, n_touched: int) -> None:
    """Return the score table to zero."""
    for p in range(n_touched):
        for c in range(N_CHANNELS):
            scratch.scores[scratch.touched[p], c] = 0.0


@compiled
def profile_taste(
    titles: Titles, tops: Tops, recent: NDArray[np.int32], n: int, scratch: Scratch
) -> float:
    """Fill the user's decayed genre shares and their lifts; return the mean release year (or NaN).

    ``lift(g) = share of g in the user's latest titles / share of g in all views``.
    """
    profile, lift = scratch.profile, scratch.lift
    profile[:] = 0.0
    years, year_weight, total, weight = 0.0, 0.0, 0.0, 1.0
    for p in range(n):
        x = recent[p]
        if not np.isnan(titles.year[x]):
            years += weight * titles.year[x]
            year_weight += weight
        for g in range(MAX_GENRES):
            genre = titles.genres[x, g]
            if genre < 0:
                break
            profile[genre] += np.float32(weight)
            total += weight
        weight *= PROFILE_DECAY
    overall = tops.genre_mass.sum()
    for g in range(N_GENRES):
        lift[g] = 0.0 if total > 0.0 else 1.0
        if profile[g] > 0.0:
            profile[g] /= np.float32(total)
            lift[g] = profile[g] * np.float32(overall / max(tops.genre_mass[g], 1e-9))
    return years / year_weight if year_weight > 0.0 else np.nan


@compiled
def _add_all(
    titles: Titles,
    drawn: NDArray[np.int32],
    n: int,
    source: NDArray[np.int32],
    excluded: NDArray[np.int32],
    query: int,
    most: int,
) -> int:
    """Add up to ``most`` titles neither excluded nor withdrawn, marking them; return the length."""
    withdrawn, end = titles.withdrawn, min(n + most, SHORTLIST_SIZE)
    for title in source:
        if n == end:
            break
        if excluded[title] != query and withdrawn[title] == 0:
            excluded[title] = query
            drawn[n] = title
            n += 1
    return n


@compiled
def _add_creators(
    titles: Titles, tops: Tops, drawn: NDArray[np.int32], n: int, scratch: Scratch, query: int
) -> int:
    """Add recent titles of the creators of the user's latest titles."""
    for p in range(min(N_CREATOR_SOURCES, scratch.n_recent[0])):
        for creator in titles.creators[scratch.recent[p]]:
            if creator < 0:
                break
            recent = tops.creator_title[creator, : tops.creator_length[creator]]
            n = _add_all(titles, drawn, n, recent, scratch.excluded, query, CREATOR_RECENT)
    return n


@compiled
def _strongest_genre(profile: NDArray[np.float32], but: int) -> int:
    """Return the user's strongest genre other than ``but``, -1 if there is none."""
    genre, best = -1, np.float32(0.0)
    for g in range(N_GENRES):
        if profile[g] > best and g != but:
            genre, best = g, profile[g]
    return genre


@compiled
def _add_genre(
    titles: Titles,
    tops: Tops,
    drawn: NDArray[np.int32],
    n: int,
    scratch: Scratch,
    query: int,
    genre: int,
) -> int:
    """Add the most popular novel titles of a genre."""
    popular = tops.genre_title[genre, : tops.genre_length[genre]]
    return _add_all(titles, drawn, n, popular, scratch.excluded, query, N_GENRE)


@compiled
def draw_candidates(
    titles: Titles,
    tops: Tops,
    drawn: NDArray[np.int32],
    scratch: Scratch,
    query: int,
    n_strong: int,
) -> int:
    """Fill ``drawn`` with the union of all sources and return its length."""
    n, excluded = 0, scratch.excluded
    for h in range(N_POPULARITIES):
        popular = scratch.popular[h, : scratch.n_popular[h]]
        n = _add_all(titles, drawn, n, popular, excluded, query, N_POPULAR)
    n = _add_all(titles, drawn, n, scratch.strong[:n_strong], excluded, query, N_COVISITED)
    n = _add_creators(titles, tops, drawn, n, scratch, query)
    first = _strongest_genre(scratch.profile, -1)
    if first >= 0:
        n = _add_genre(titles, tops, drawn, n, scratch, query, first)
        second = _strongest_genre(scratch.profile, first)
        if second >= 0:
            n = _add_genre(titles, tops, drawn, n, scratch, query, second)
    most = scratch.popular.shape[1]
    if n < most:
        popular = scratch.popular[ALL_TIME, : scratch.n_popular[ALL_TIME]]
        n = _add_all(titles, drawn, n, popular, excluded, query, most)
    return n


@compiled
def fill_unseen(
    titles: Titles, drawn: NDArray[np.int32], n: int, scratch: Scratch, query: int, n_titles: int
) -> int:
    """Add described titles nobody has watched yet, in catalogue order, to too few others."""
    end = min(n + N_POPULAR, SHORTLIST_SIZE)
    for title in range(n_titles):
        if n == end:
            break
        is_known = titles.last_event[title] >= 0 and titles.withdrawn[title] == 0
        if is_known and titles.views[title] == 0 and scratch.excluded[title] != query:
            scratch.excluded[title] = query
            drawn[n] = title
            n += 1
    return n
