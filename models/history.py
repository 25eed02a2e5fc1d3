"""What each user has consumed: distinct titles, oldest first, exact for the last 4,096.

The list serves three ends: titles that a list must leave out, the recent titles that
co-visitation starts from, and the user's taste in genres and years. A title watched again moves
to the recent end. Lists live in one pool; the longest block holds twice ``MAX_HISTORY`` and is
trimmed to its recent half when full, so appending stays cheap.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.compiled import compiled
from models.numeric import find_i32
from models.pools import MIN_BLOCK, Pool, allocate, release_cleared
from models.state import MAX_HISTORY, Users


@compiled
def find_consumed(users: Users, history: NDArray[np.int32], user: int, title: int) -> int:
    """Return the position of ``title`` in the user's list, or -1."""
    start = users.start[user]
    return find_i32(history[start : start + users.length[user]], title)


@compiled
def append_consumed(
    users: Users, history: NDArray[np.int32], pool: Pool, user: int, title: int
) -> None:
    """Put ``title`` at the recent end, moving it there if the user knows it already."""
    length, size_class = users.length[user], users.size_class[user]
    known = find_consumed(users, history, user, title)
    if known >= 0:
        start = users.start[user]
        for p in range(known, length - 1):
            history[start + p] = history[start + p + 1]
        history[start + length - 1] = title
        return
    if size_class < 0 or length == (MIN_BLOCK << size_class):
        length = _make_room(users, history, pool, user)
    history[users.start[user] + length] = title
    users.length[user] = length + 1


@compiled
def _make_room(users: Users, history: NDArray[np.int32], pool: Pool, user: int) -> int:
    """Double the user's block, or trim the list to its recent half; return the length left."""
    old, length, size_class = users.start[user], users.length[user], users.size_class[user]
    if length == 2 * MAX_HISTORY:
        for p in range(MAX_HISTORY):
            history[old + p] = history[old + MAX_HISTORY + p]
        users.length[user] = MAX_HISTORY
        return MAX_HISTORY
    start = allocate(pool, size_class + 1)
    for p in range(length):
        history[start + p] = history[old + p]
    if size_class >= 0:
        release_cleared(pool, history, old, size_class)
    users.start[user] = start
    users.size_class[user] = size_class + 1
    return length


@compiled
def recent_titles(
    users: Users, history: NDArray[np.int32], user: int, recent: NDArray[np.int32]
) -> int:
    """Write the user's latest titles, latest first, and return how many."""
    n = min(users.length[user], len(recent))
    end = users.start[user] + users.length[user]
    for p in range(n):
        recent[p] = history[end - 1 - p]
    return n
