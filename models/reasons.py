"""Why a title is on a list: exact shares of its co-visitation mass, or what else brought it.

The blended mass of a title is a sum over the user's recent titles (see `models.covisitation` and
`models.shortlist`), so "because you watched X, 62 %" is one term's share of that sum, without
sampling or approximation. Below the floor of the co-visitation features the mass cannot have
mattered; then the title is new in the user's strongest genre of it, or popular now.
"""

from __future__ import annotations

import numpy as np

from models.batch import N_SOURCES, Lists
from models.compiled import compiled
from models.covisitation import N_RECENT, find_neighbor, row_factors
from models.scratch import Scratch
from models.shortlist import FORWARD_SHARE, OTHER_SHARE
from models.state import MAX_GENRES, N_CHANNELS, Model

POPULAR_NOW, BECAUSE_YOU_WATCHED, NEW_IN_GENRE = 0, 1, 2
MASS_FLOOR = np.float32(1e-4)
"""The offset inside the logarithm of the co-visitation features."""
NEW_VIEWS = 10
"""A title with fewer views is new."""


@compiled
def explain_list(model: Model, scratch: Scratch, lists: Lists, at: int, n_recent: int) -> None:
    """Fill kind, sources and shares of one list, right after it was made.

    Costs a search of each recent title's row for each listed title.
    """
    factors = np.zeros((N_RECENT, N_CHANNELS), np.float32)
    n_rows = min(n_recent, N_RECENT)
    for d in range(n_rows):
        row_factors(model.titles, model.clock, scratch.recent[d], d, factors[d])
        for c in range(N_CHANNELS):
            weight = FORWARD_SHARE if c == 0 else OTHER_SHARE
            factors[d, c] *= weight * scratch.inverse[c]
    mass = np.zeros(N_RECENT, np.float32)
    for p in range(lists.title.shape[1]):
        title = lists.title[at, p]
        if title < 0:
            break
        total = np.float32(0.0)
        for d in range(n_rows):
            mass[d] = _mass_from(model, scratch.recent[d], title, factors, d)
            total += mass[d]
        if total > MASS_FLOOR:
            lists.kind[at, p] = BECAUSE_YOU_WATCHED
            _name_sources(scratch, lists, at, p, mass, n_rows, total)
        else:
            _name_genre(model, scratch, lists, at, p)


@compiled
def _mass_from(model: Model, row: int, title: int, factors: np.ndarray, d: int) -> np.float32:
    """Return what one recent title contributes to a listed title's mass."""
    slot = find_neighbor(
        model.neighbors.title, model.titles.start[row], model.titles.length[row], title
    )
    mass = np.float32(0.0)
    if slot >= 0:
        for c in range(N_CHANNELS):
            mass += factors[d, c] * model.neighbors.weight[slot, c]
    return mass


@compiled
def _name_sources(
    scratch: Scratch,
    lists: Lists,
    at: int,
    p: int,
    mass: np.ndarray,
    n_rows: int,
    total: np.float32,
) -> None:
    """Write the largest contributions, strongest first; equal ones by recency."""
    for s in range(N_SOURCES):
        best = -1
        for d in range(n_rows):
            if mass[d] > 0.0 and (best < 0 or mass[d] > mass[best]):
                best = d
        if best < 0:
            return
        lists.source[at, p, s] = scratch.recent[best]
        lists.share[at, p, s] = mass[best] / total
        mass[best] = 0.0


@compiled
def _name_genre(model: Model, scratch: Scratch, lists: Lists, at: int, p: int) -> None:
    """Say "new in a genre you watch" where that holds, "popular now" otherwise."""
    title = lists.title[at, p]
    lists.kind[at, p] = POPULAR_NOW
    best = np.float32(0.0)
    if model.titles.views[title] < NEW_VIEWS:
        for g in range(MAX_GENRES):
            genre = model.titles.genres[title, g]
            if genre < 0:
                break
            if scratch.profile[genre] > best:
                best = scratch.profile[genre]
                lists.kind[at, p] = NEW_IN_GENRE
                lists.genre[at, p] = genre
