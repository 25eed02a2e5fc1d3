"""Blocks of a pool never overlap and are used again."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.pools import (
    MIN_BLOCK,
    NO_BLOCK,
    allocate,
    grown_capacity,
    new_pool,
    release,
    release_cleared,
)


@given(steps=st.lists(st.tuples(st.booleans(), st.integers(0, 4)), max_size=60))
def test_blocks_never_overlap(steps: list[tuple[bool, int]]) -> None:
    pool = new_pool(60 * (MIN_BLOCK << 4))
    held: list[tuple[int, int]] = []
    used = np.zeros(60 * (MIN_BLOCK << 4), np.bool_)
    for is_release, number in steps:
        if is_release and held:
            start, size_class = held.pop(number % len(held))
            release(pool, start, size_class)
            used[start : start + (MIN_BLOCK << size_class)] = False
        elif not is_release:
            start = allocate(pool, number)
            block = used[start : start + (MIN_BLOCK << number)]
            assert not block.any()
            assert start + len(block) <= pool.top[0]
            block[:] = True
            held.append((start, number))


def test_a_released_block_is_the_next_of_its_size() -> None:
    pool = new_pool(1024)
    first, second, other = allocate(pool, 1), allocate(pool, 1), allocate(pool, 2)
    for start, size_class in ((first, 1), (second, 1), (other, 2)):
        release(pool, start, size_class)
    top = int(pool.top[0])
    assert [allocate(pool, 1), allocate(pool, 2), allocate(pool, 1)] == [second, other, first]
    assert pool.top[0] == top
    assert (pool.free == NO_BLOCK).all()


def test_a_block_may_be_released_with_nothing_in_it() -> None:
    pool, payload = new_pool(1024), np.ones(1024, np.int32)
    allocate(pool, 0)
    start = allocate(pool, 1)
    release_cleared(pool, payload, start, 1)
    assert np.flatnonzero(payload == 0).tolist() == [*range(start, start + 2 * MIN_BLOCK)]
    assert allocate(pool, 1) == start


def test_capacity_grows_by_half_and_only_when_room_is_short() -> None:
    pool = new_pool(1000)
    pool.top[0] = 900
    assert grown_capacity(pool, 1000, 100) == 1000
    assert grown_capacity(pool, 1000, 101) == 1504
    assert grown_capacity(pool, 1000, 5_000) == 5_904
