"""Sequential co-visitation between titles of a user's recent history.

When a user watches title ``i`` after the titles ``j_1, j_2, …`` (``j_1`` the latest before it),
each pair at distance ``d`` adds ``d^-1/2`` to two bounded rows::

    forward:   c_f(j, i) += d^-1/2          row j learns what comes after it
    backward:  c_b(i, j) += d^-1/2          row i learns what came before it
    fast:      both, under a shorter half-life
    last step: c_l(j, i) += 1/d, c_l(i, j) += 0.3/d   for d <= 3

All four forget exponentially in *events*, by forward decay: instead of shrinking old weights, a
new one is added ``2^L`` times larger, where ``L`` counts half-lives passed; weights are scaled
back before single precision overflows. A title scores, summed over the user's recent titles,

    score_c(x) = Σ_{d < 20} 0.9^d (R_c(j_d) + 5)^-0.4 c_c(j_d, x)

with ``R_c(j)`` the mass that row ``j`` ever received (decayed, evicted mass included), so that a
title everybody watches does not drown the others. The last-step channel takes five titles with
0.6^d instead.

Memory: 24 bytes a neighbour, at most ``n_neighbors`` a title, in blocks of powers of two.

References
----------
Cormode, Shkapenyuk, Srivastava, Xu (2009), Forward Decay, ICDE, §III.
Huang, Cui, Zhang, Jiang, Xu (2015), TencentRec, SIGMOD, §4.1 (pair counts over recent history).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.compiled import compiled
from models.numeric import add_scaled4, bits_of_f32, exp2_f32, find_i32, log2_f32, prefetch
from models.pools import MIN_BLOCK, Pool, allocate, release
from models.state import N_CHANNELS, Neighbors, Titles

FORWARD, BACKWARD, FAST, LAST = 0, 1, 2, 3
N_RECENT = 20
N_RECENT_LAST = 5
MAX_CLOCK = 60.0
"""Half-lives before weights are scaled back: 2^60 leaves single precision ample head room."""
NEGLIGIBLE = np.float32(1e-30)


@compiled
def find_neighbor(title: NDArray[np.int32], start: int, length: int, wanted: int) -> int:
    """Return the slot of a title in a row, or -1."""
    found = find_i32(title[start : start + length], wanted)
    return start + found if found >= 0 else -1


@compiled
def weakest_neighbor(standing: NDArray[np.int32], start: int, length: int) -> int:
    """Return the slot with the least forward + backward weight (the last of equals)."""
    row = standing[start : start + length]
    least = row[0]
    for p in range(len(row)):
        least = min(least, row[p])
    return start + find_i32(row, least)


@compiled
def grow_row(titles: Titles, neighbors: Neighbors, pool: Pool, row: int) -> None:
    """Move a row into a block of twice the size."""
    old_start, old_class = titles.start[row], titles.size_class[row]
    start = allocate(pool, old_class + 1)
    for p in range(titles.length[row]):
        neighbors.title[start + p] = neighbors.title[old_start + p]
        for c in range(N_CHANNELS):
            neighbors.weight[start + p, c] = neighbors.weight[old_start + p, c]
        neighbors.standing[start + p] = neighbors.standing[old_start + p]
    if old_class >= 0:
        release(pool, old_start, old_class)
    titles.start[row] = start
    titles.size_class[row] = old_class + 1


@compiled
def add_neighbor(
    titles: Titles, neighbors: Neighbors, pool: Pool, row: int, title: int, n_neighbors: int
) -> int:
    """Make room for a new neighbour of ``row`` and return its slot, all weights zero.

    A full row gives up its weakest neighbour.
    """
    start, length = titles.start[row], titles.length[row]
    if length >= n_neighbors:
        slot = weakest_neighbor(neighbors.standing, start, length)
    else:
        size_class = titles.size_class[row]
        if size_class < 0 or length == (MIN_BLOCK << size_class):
            grow_row(titles, neighbors, pool, row)
        slot = titles.start[row] + length
        titles.length[row] = length + 1
    neighbors.title[slot] = title
    for c in range(N_CHANNELS):
        neighbors.weight[slot, c] = 0.0
    return slot


@compiled
def increments(
    recent: NDArray[np.int32],
    title: int,
    clock: NDArray[np.float64],
    strength: float,
    rows: NDArray[np.int32],
    columns: NDArray[np.int32],
    weights: NDArray[np.float32],
) -> int:
    """Write the pair increments of one view and return how many there are.

    ``recent`` holds the user's titles, latest first. Kept apart from applying them, so that a
    later operator can send increments to whoever owns a row.
    """
    slow = strength * 2.0 ** clock[0]
    fast = strength * 2.0 ** clock[1]
    n = 0
    for position in range(len(recent)):
        d = position + 1.0
        w = d**-0.5
        last = 1.0 / d if d <= 3 else 0.0
        rows[n], columns[n] = recent[position], title
        weights[n, FORWARD], weights[n, BACKWARD] = w * slow, 0.0
        weights[n, FAST], weights[n, LAST] = w * fast, last * slow
        rows[n + 1], columns[n + 1] = title, recent[position]
        weights[n + 1, FORWARD], weights[n + 1, BACKWARD] = 0.0, w * slow
        weights[n + 1, FAST], weights[n + 1, LAST] = w * fast, 0.3 * last * slow
        n += 2
    return n


@compiled
def apply_increments(
    titles: Titles,
    neighbors: Neighbors,
    pool: Pool,
    n_neighbors: int,
    rows: NDArray[np.int32],
    columns: NDArray[np.int32],
    weights: NDArray[np.float32],
    n: int,
) -> None:
    """Add ``n`` increments to their rows and to the rows' masses."""
    start, length, mass = titles.start, titles.length, titles.mass
    for p in range(n):
        row = rows[p]
        slot = find_neighbor(neighbors.title, start[row], length[row], columns[p])
        if slot < 0:
            slot = add_neighbor(titles, neighbors, pool, row, columns[p], n_neighbors)
        for c in range(N_CHANNELS):
            neighbors.weight[slot, c] += weights[p, c]
            mass[row, c] += weights[p, c]
        standing = neighbors.weight[slot, FORWARD] + neighbors.weight[slot, BACKWARD]
        neighbors.standing[slot] = bits_of_f32(standing)


@compiled
def row_factors(
    titles: Titles, clock: NDArray[np.float64], row: int, d: int, factors: NDArray[np.float32]
) -> None:
    """Write what the weights of ``row`` are multiplied with, ``d`` titles back."""
    slow, fast = np.float32(-clock[0]), np.float32(-clock[1])
    age = np.float32(d)
    for c in range(N_CHANNELS):
        scale = fast if c == FAST else slow
        decay = np.float32(-0.7369656) if c == LAST else np.float32(-0.15200309)  # log2 .6, .9
        mass = np.float32(titles.mass[row, c]) * exp2_f32(scale)
        factors[c] = exp2_f32(
            age * decay + scale - np.float32(0.4) * log2_f32(mass + np.float32(5.0))
        )
    if d >= N_RECENT_LAST:
        factors[LAST] = 0.0


@compiled
def prefetch_row(neighbors: Neighbors, start: int, length: int) -> None:
    """Ask for a row ahead of reading it: in a large catalogue it comes from main memory."""
    for slot in range(start, start + length, 4):
        prefetch(neighbors.weight, slot * N_CHANNELS)
    for slot in range(start, start + length, 16):
        prefetch(neighbors.title, slot)


@compiled
def add_row_total(
    weight: NDArray[np.float32],
    start: int,
    length: int,
    factors: NDArray[np.float32],
    totals: NDArray[np.float32],
) -> None:
    """Add what one row gives to all titles together, channel by channel.

    A pass over the row in memory order: cheaper than one over the titles it scattered to.
    """
    t0, t1, t2, t3 = np.float32(0.0), np.float32(0.0), np.float32(0.0), np.float32(0.0)
    for slot in range(start, start + length):
        t0 += weight[slot, 0]
        t1 += weight[slot, 1]
        t2 += weight[slot, 2]
        t3 += weight[slot, 3]
    totals[0] += t0 * factors[0]
    totals[1] += t1 * factors[1]
    totals[2] += t2 * factors[2]
    totals[3] += t3 * factors[3]


@compiled
def accumulate(
    neighbors: Neighbors,
    start: int,
    length: int,
    factors: NDArray[np.float32],
    scores: NDArray[np.float32],
    touched: NDArray[np.int32],
    n_touched: int,
) -> int:
    """Add one row to the sparse score table and return how many titles it touches by now."""
    for slot in range(start, start + length):
        x = neighbors.title[slot]
        touched[n_touched] = x
        n_touched += add_scaled4(scores, x, neighbors.weight, slot, factors)
    return n_touched


@compiled
def rescale(
    titles: Titles, neighbors: Neighbors, pool: Pool, n_titles: int, channels: int, by: float
) -> None:
    """Multiply the weights and masses of the slow (0) or fast (1) channels by ``by``."""
    factor = np.float32(by)
    for slot in range(pool.top[0]):
        weight = neighbors.weight[slot]
        for c in range(N_CHANNELS):
            if (c == FAST) == (channels == 1):
                scaled = weight[c] * factor
                weight[c] = scaled if scaled > NEGLIGIBLE else np.float32(0.0)
        neighbors.standing[slot] = bits_of_f32(weight[FORWARD] + weight[BACKWARD])
    for row in range(n_titles):
        for c in range(N_CHANNELS):
            if (c == FAST) == (channels == 1):
                titles.mass[row, c] *= by


@compiled
def fade_rows(
    titles: Titles,
    neighbors: Neighbors,
    n_titles: int,
    genre: int,
    is_resting: NDArray[np.bool_],
    half_lives: float,
) -> None:
    """Let the rows of a genre's titles forget at once what they would in so many half-lives.

    Titles of a resting genre have done so lately, and stay as they are.
    """
    by = np.float32(2.0**-half_lives)
    for row in range(n_titles):
        is_of_genre, is_spared = False, False
        for other in titles.genres[row]:
            if other >= 0:
                is_of_genre |= other == genre
                is_spared |= is_resting[other]
        if is_spared or not is_of_genre:
            continue
        titles.mass[row] *= by
        start = titles.start[row]
        for slot in range(start, start + titles.length[row]):
            weight = neighbors.weight[slot]
            for c in range(N_CHANNELS):
                scaled = weight[c] * by
                weight[c] = scaled if scaled > NEGLIGIBLE else np.float32(0.0)
            neighbors.standing[slot] = bits_of_f32(weight[FORWARD] + weight[BACKWARD])
