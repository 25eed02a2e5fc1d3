"""Draw many indices at once by weight, and numbers that are fixed by their keys."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


def cumulated(weights: Floats) -> Floats:
    """Return running sums with a leading 0, for :func:`pick`."""
    return np.concatenate(([0.0], np.cumsum(weights)))


def pick(
    cumulative: Floats, uniform: Floats, start: Integers | int = 0, stop: Integers | int = -1
) -> Integers:
    """Pick indices in ``[start, stop)`` with probabilities proportional to their weights.

    Indices of weight 0 are never picked, as long as the range has another one.

    Examples
    --------
    >>> pick(cumulated(np.array([1.0, 0.0, 3.0])), np.array([0.2, 0.3, 0.99]))
    array([0, 2, 2])
    """
    low, high = cumulative[start], cumulative[stop]
    point = np.minimum(low + uniform * (high - low), np.nextafter(high, 0.0))
    return np.searchsorted(cumulative, point, side="right") - 1


def hashed(*keys: Integers | int) -> NDArray[np.uint64]:
    """Mix integer keys into 64 even bits (the finaliser of SplitMix64 after each key)."""
    state = np.zeros(np.broadcast_shapes(*(np.shape(key) for key in keys)) or (1,), np.uint64)
    for key in keys:
        state = state + np.asarray(key).astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
        state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        state ^= state >> np.uint64(31)
    return state


def hashed_uniform(*keys: Integers | int) -> Floats:
    """Return the uniform number in [0, 1) that belongs to integer keys.

    Examples
    --------
    >>> hashed_uniform(7, np.array([1, 2])).round(4)
    array([0.1559, 0.8744])
    """
    return (hashed(*keys) >> np.uint64(11)).astype(np.float64) * 2.0**-53
