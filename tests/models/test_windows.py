"""Windows of bounded number against windows cut from the whole."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.windows import Windows

CHUNKS = st.lists(st.integers(1, 40), max_size=12)


def new() -> Windows:
    return Windows((1, 1), width=3, max_windows=5)


def fed(windows: Windows, chunks: list[int]) -> Windows:
    """Add events that count their own number; every second accepted event is judged."""
    for n in chunks:
        numbers = np.arange(windows.n_judged, windows.n_judged + n)
        counts = np.bincount(windows.places(n)[1], numbers).astype(np.int64)
        windows.add(counts[:, None, None], n=n, events=2 * numbers, times=numbers / 2)
    return windows


def as_lists(windows: Windows) -> dict[str, list[float]]:
    return {name: array.tolist() for name, array in windows.snapshot().items()}


@given(chunks=CHUNKS)
def test_windows_are_those_of_the_whole_at_the_narrowest_width_that_fits(
    chunks: list[int],
) -> None:
    windows = fed(new(), chunks)
    total = sum(chunks)
    width = next(w for w in (3 * 2**j for j in range(20)) if total <= 5 * w)
    parts = [range(i, min(i + width, total)) for i in range(0, total, width)]
    assert windows.width == width
    assert windows.counts.ravel().tolist() == [sum(part) for part in parts]
    assert windows.events.tolist() == [2 * part[-1] for part in parts]
    assert windows.times.tolist() == [part[-1] / 2 for part in parts]


@given(chunks=CHUNKS)
def test_chunks_are_invisible(chunks: list[int]) -> None:
    assert as_lists(fed(new(), chunks)) == as_lists(fed(new(), [1] * sum(chunks)))


@given(before=CHUNKS, after=CHUNKS)
def test_restored_windows_continue(before: list[int], after: list[int]) -> None:
    windows, other = fed(new(), before), new()
    other.restore(windows.snapshot())
    assert as_lists(fed(other, after)) == as_lists(fed(windows, after))


def test_a_snapshot_of_another_shape_is_refused() -> None:
    with pytest.raises(ValueError, match="another k"):
        new().restore(Windows((1, 2)).snapshot())
