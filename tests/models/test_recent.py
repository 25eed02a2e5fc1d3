"""The ring against a list."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.recent import RecentRanks

SIZE = 7
CHUNKS = st.lists(st.integers(0, 20), max_size=8)


def added(recent: RecentRanks, start: int, chunks: list[int]) -> int:
    for n in chunks:
        numbers = np.arange(start, start + n)
        recent.add(np.column_stack((numbers % 11, numbers % 5)), numbers)
        start += n
    return start


@given(chunks=CHUNKS, n=st.integers(0, 10))
def test_the_last_events_are_kept_in_order(chunks: list[int], n: int) -> None:
    recent = RecentRanks(SIZE, 2)
    total = added(recent, 0, chunks)
    ranks, numbers = recent.last(n)
    expected = list(range(total))[-min(n, SIZE) :] if n else []
    assert numbers.tolist() == expected
    assert ranks.tolist() == [[i % 11, i % 5] for i in expected]


@given(before=CHUNKS, after=CHUNKS)
def test_a_restored_ring_continues(before: list[int], after: list[int]) -> None:
    recent, other = RecentRanks(SIZE, 2), RecentRanks(SIZE, 2)
    total = added(recent, 0, before)
    other.restore(recent.snapshot())
    added(recent, total, after)
    added(other, total, after)
    assert other.last(SIZE)[1].tolist() == recent.last(SIZE)[1].tolist()
    assert len(other) == len(recent)


def test_a_snapshot_of_other_rankings_is_refused() -> None:
    with pytest.raises(ValueError, match="rankings"):
        RecentRanks(SIZE, 2).restore(RecentRanks(SIZE, 3).snapshot())
