"""Decayed popularity at several half-lives, with the exact most popular titles of each.

Forward decay: after a view of strength ``s`` at time ``t`` a title's popularity at half-life
``h`` is ``v_h(t) = s + v_h(t') 2^-(t - t')/h``. The key ``log2 v_h + t/h`` orders titles at any
later moment and changes only with the title's own views, so a sorted list of the best 128 is
exact without ever being recomputed. A view that arrives late is added decayed.

A late reader of the list that has consumed all 128 falls back to a scan of the catalogue.

References
----------
Cormode, Shkapenyuk, Srivastava, Xu (2009), Forward Decay, ICDE, §III.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.compiled import compiled
from models.numeric import find_i32
from models.state import (
    CREATOR_RECENT,
    HALF_LIVES_S,
    MAX_CREATORS,
    MAX_GENRES,
    N_POPULARITIES,
    Titles,
    Tops,
)

N_DECAYED = N_POPULARITIES - 1
ALL_TIME = N_POPULARITIES - 1
RATES = np.array([1.0 / h for h in HALF_LIVES_S] + [0.0])
"""Half-lives a second; 0 for the popularity that never decays."""
GENRE_POPULARITY = 1
"""The popularity (7 days) by which the titles of a genre are ordered."""


@compiled
def popularity_key(titles: Titles, title: int, h: int) -> float:
    """Return log2 of the popularity, discounted to the epoch: comparable between titles."""
    value = titles.popularity[title, h]
    if value <= 0.0:
        return -np.inf
    return np.log2(np.float64(value)) + titles.popularity_time[title] * RATES[h]


@compiled
def add_view(titles: Titles, title: int, time: float, strength: float) -> None:
    """Count a view in every popularity of a title."""
    age = time - titles.popularity_time[title]
    if titles.views[title] == 0:
        titles.first_seen[title] = time
        titles.popularity_time[title] = time
        age = 0.0
    for h in range(N_POPULARITIES):
        if age >= 0.0:
            kept = titles.popularity[title, h] * 2.0 ** (-age * RATES[h])
            titles.popularity[title, h] = kept + strength
        else:
            titles.popularity[title, h] += strength * 2.0 ** (age * RATES[h])
    titles.popularity_time[title] = max(titles.popularity_time[title], time)
    titles.views[title] += 1


@compiled
def promote(
    title_list: NDArray[np.int32], keys: NDArray[np.float64], length: int, title: int, key: float
) -> int:
    """Put a title whose key has grown into a descending list and return the list's length.

    Equal keys are ordered by title number.
    """
    size = len(title_list)
    if length == size and key < keys[size - 1]:
        return length
    at = find_i32(title_list[:length], title)
    if at < 0 and length < size:
        at = length
    elif at < 0:
        at = size - 1
        if key == keys[at] and title > title_list[at]:
            return length
    length = max(length, at + 1)
    while at > 0 and (keys[at - 1] < key or (keys[at - 1] == key and title_list[at - 1] > title)):
        keys[at], title_list[at] = keys[at - 1], title_list[at - 1]
        at -= 1
    keys[at], title_list[at] = key, title
    return length


@compiled
def update_tops(titles: Titles, tops: Tops, title: int) -> None:
    """Move a title up in every list that orders by its popularity."""
    for h in range(N_POPULARITIES):
        key = popularity_key(titles, title, h)
        tops.length[h] = promote(tops.title[h], tops.key[h], tops.length[h], title, key)
    key = popularity_key(titles, title, GENRE_POPULARITY)
    for g in range(MAX_GENRES):
        genre = titles.genres[title, g]
        if genre < 0:
            break
        tops.genre_length[genre] = promote(
            tops.genre_title[genre], tops.genre_key[genre], tops.genre_length[genre], title, key
        )


@compiled
def update_creators(titles: Titles, tops: Tops, title: int) -> None:
    """Make a title the most recent of its creators."""
    for c in range(MAX_CREATORS):
        creator = titles.creators[title, c]
        if creator < 0:
            break
        recent = tops.creator_title[creator]
        at = min(tops.creator_length[creator], CREATOR_RECENT - 1)
        for p in range(tops.creator_length[creator]):
            if recent[p] == title:
                at = p
                break
        if at >= tops.creator_length[creator]:
            tops.creator_length[creator] += 1
        for p in range(at, 0, -1):
            recent[p] = recent[p - 1]
        recent[0] = title


@compiled
def rebuild_tops(titles: Titles, tops: Tops, n_titles: int) -> None:
    """Make all lists anew by a scan of the catalogue, after titles were removed."""
    tops.length[:] = 0
    tops.genre_length[:] = 0
    tops.title[:] = -1
    tops.key[:] = -np.inf
    tops.genre_title[:] = -1
    tops.genre_key[:] = -np.inf
    for title in range(n_titles):
        if titles.views[title] > 0 and titles.withdrawn[title] == 0:
            update_tops(titles, tops, title)


@compiled
def first_novel(
    ordered: NDArray[np.int32],
    excluded: NDArray[np.int32],
    query: int,
    found: NDArray[np.int32],
) -> int:
    """Write the first titles of a list that are not excluded; return how many.

    Titles are excluded where ``excluded[title] == query``.
    """
    n = 0
    for title in ordered:
        found[n] = title
        n += excluded[title] != query
        if n == len(found):
            break
    return n


@compiled
def scan_top(
    titles: Titles,
    n_titles: int,
    excluded: NDArray[np.int32],
    query: int,
    h: int,
    found: NDArray[np.int32],
) -> int:
    """Write the best titles that are not excluded by a scan of the catalogue."""
    keys = np.full(len(found), -np.inf)
    n = 0
    for x in range(n_titles):
        if titles.views[x] > 0 and excluded[x] != query and titles.withdrawn[x] == 0:
            n = promote(found, keys, n, x, popularity_key(titles, x, h))
    return n
