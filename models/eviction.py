"""Making room: whoever was seen least recently goes, and no trace of it stays behind.

Rows are freed many at a time, so that the sweep over everything that may name a title is paid
once for a sixteenth of the table.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.compiled import compiled
from models.pools import release, release_cleared
from models.popularity import rebuild_tops
from models.state import N_CHANNELS, N_SEEN, N_TITLES, N_VIEWS, Model

SHARE = 16
"""One in so many rows is freed when a table is full."""


def least_recent(last_event: NDArray[np.int64], in_use: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return the rows of ``in_use`` to free, by last event and then by row."""
    n = max(len(in_use) // SHARE, 1)
    order = np.lexsort((in_use, last_event[in_use]))
    return in_use[order[:n]]


@compiled
def forget_users(model: Model, rows: NDArray[np.int32]) -> None:
    """Free the rows of users: history, open tie group and all."""
    users = model.users
    for user in rows:
        if users.size_class[user] >= 0:
            release_cleared(model.blocks, model.history, users.start[user], users.size_class[user])
        slot = users.group_slot[user]
        if slot >= 0 and model.candidates.user[slot] == user:
            model.candidates.user[slot] = -1
            model.candidates.length[slot] = 0
        users.start[user] = 0
        users.length[user] = 0
        users.size_class[user] = -1
        users.last_time[user] = -np.inf
        users.group_time[user] = np.nan
        users.n_events[user] = 0
        users.group_slot[user] = -1
        users.is_cold[user] = 0
        users.group_list[user] = -1
        users.last_event[user] = -1
        if len(users.pending) > 1:
            users.pending[user] = -1


@compiled
def erase_user(model: Model, user: int) -> None:
    """Free the row of a user and clear the shortlists that were made for them."""
    candidates = model.candidates
    for slot in range(len(candidates.user)):
        if candidates.user[slot] == user:
            candidates.title[slot] = -1
            candidates.length[slot] = 0
            candidates.feature[slot] = 0.0
            candidates.score[slot] = 0.0
            candidates.context[slot] = 0
            candidates.user[slot] = -1
            candidates.popular[slot] = -1
    forget_users(model, np.array([user], np.int32))


@compiled
def _compact(titles: NDArray[np.int32], is_gone: NDArray[np.bool_]) -> int:
    """Move the titles that stay to the front, in order; return how many stay."""
    kept = 0
    for p in range(len(titles)):
        if titles[p] >= 0 and not is_gone[titles[p]]:
            titles[kept] = titles[p]
            kept += 1
    titles[kept:] = -1
    return kept


@compiled
def _forget_neighbors(model: Model, row: int, is_gone: NDArray[np.bool_]) -> None:
    """Take titles out of one row."""
    start, kept = model.titles.start[row], 0
    title, weight = model.neighbors.title, model.neighbors.weight
    for slot in range(start, start + model.titles.length[row]):
        if not is_gone[title[slot]]:
            title[start + kept] = title[slot]
            for c in range(N_CHANNELS):
                weight[start + kept, c] = weight[slot, c]
            model.neighbors.standing[start + kept] = model.neighbors.standing[slot]
            kept += 1
    model.titles.length[row] = kept


@compiled
def _clear_title(model: Model, title: int) -> None:
    """Reset one title's row."""
    titles = model.titles
    if titles.size_class[title] >= 0:
        release(model.rows, titles.start[title], titles.size_class[title])
    model.counts[N_SEEN] -= titles.views[title] > 0
    model.counts[N_VIEWS] -= titles.views[title]
    titles.popularity[title] = 0.0
    titles.popularity_time[title] = 0.0
    titles.views[title] = 0
    titles.first_seen[title] = np.inf
    titles.last_event[title] = -1
    titles.year[title] = np.nan
    titles.genres[title] = -1
    titles.creators[title] = -1
    titles.withdrawn[title] = 0
    titles.start[title] = 0
    titles.length[title] = 0
    titles.size_class[title] = -1
    titles.mass[title] = 0.0


@compiled
def forget_titles(model: Model, rows: NDArray[np.int32]) -> None:
    """Free the rows of titles and remove them from all that names them."""
    users, titles, tops, candidates = model.users, model.titles, model.tops, model.candidates
    n_titles = model.counts[N_TITLES]
    is_gone = np.zeros(n_titles, np.bool_)
    is_gone[rows] = True
    for user in range(len(users.length)):
        start = users.start[user]
        users.length[user] = _compact(model.history[start : start + users.length[user]], is_gone)
        _compact(users.group_list[user], is_gone)
    for user in range(len(users.pending)):
        _compact(users.pending[user], is_gone)
    for row in range(n_titles):
        if not is_gone[row]:
            _forget_neighbors(model, row, is_gone)
    for title in rows:
        _clear_title(model, title)
    for creator in range(len(tops.creator_length)):
        tops.creator_length[creator] = _compact(tops.creator_title[creator], is_gone)
    for slot in range(len(candidates.length)):
        candidates.user[slot] = -1
        candidates.length[slot] = 0
    users.group_slot[:] = -1
    rebuild_tops(titles, tops, n_titles)
