"""Variable-length lists in one flat array: a pool of power-of-two blocks with free lists.

A million users with five titles each and one with four thousand share a pool without waste
beyond a factor of two. Kernels allocate inside the pool; growing the pool itself is the
caller's job, between kernel calls (`ensure_room`).

Block classes are ``MIN_BLOCK << c``. A freed block keeps the index of the next free block of
its class in a side array, so that freeing and allocating cost a few instructions.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.compiled import compiled

MIN_BLOCK = 8
N_CLASSES = 12
NO_BLOCK = -1


class Pool(NamedTuple):
    """Book-keeping of one pool (the payload arrays are held by its owner).

    Attributes
    ----------
    free : int64[N_CLASSES]
        First free block of each class, or ``NO_BLOCK``.
    top : int64[1]
        First slot never handed out.
    link : int64[capacity // MIN_BLOCK]
        Next free block, indexed by block start / MIN_BLOCK.
    """

    free: NDArray[np.int64]
    top: NDArray[np.int64]
    link: NDArray[np.int64]


def new_pool(capacity: int) -> Pool:
    """Return the book-keeping of an empty pool of ``capacity`` slots."""
    return Pool(
        free=np.full(N_CLASSES, NO_BLOCK, np.int64),
        top=np.zeros(1, np.int64),
        link=np.full(capacity // MIN_BLOCK, NO_BLOCK, np.int64),
    )


def grown_capacity(pool: Pool, capacity: int, room: int) -> int:
    """Return the capacity that leaves ``room`` unused slots at the top, by half as much again."""
    needed = int(pool.top[0]) + room
    if needed <= capacity:
        return capacity
    grown = max(needed, capacity + capacity // 2)
    return (grown + MIN_BLOCK - 1) // MIN_BLOCK * MIN_BLOCK


@compiled
def allocate(pool: Pool, size_class: int) -> int:
    """Take a block of ``MIN_BLOCK << size_class`` slots and return where it starts."""
    start = pool.free[size_class]
    if start != NO_BLOCK:
        pool.free[size_class] = pool.link[start // MIN_BLOCK]
        return start
    start = pool.top[0]
    pool.top[0] = start + (MIN_BLOCK << size_class)
    return start


@compiled
def release(pool: Pool, start: int, size_class: int) -> None:
    """Give a block back."""
    pool.link[start // MIN_BLOCK] = pool.free[size_class]
    pool.free[size_class] = start


@compiled
def release_cleared(pool: Pool, payload: NDArray[np.int32], start: int, size_class: int) -> None:
    """Give a block back with nothing of its owner in it."""
    payload[start : start + (MIN_BLOCK << size_class)] = 0
    release(pool, start, size_class)
