"""When so many events are refused that the producer is broken, not the events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


class Breaker:
    """Opens when more than a share of a partition's latest records were refused.

    A partition that had fewer records than the window is treated as if good ones had come before.
    Records are looked at one after the other, so no batch is too long or too short to open it.

    Memory: a byte a record of the window.

    Parameters
    ----------
    window
        How many latest records count, at least 1.
    share
        Share of them, in (0, 1], above which it opens.

    Attributes
    ----------
    is_open
        Whether the share was exceeded after any of the records taken last.

    Examples
    --------
    >>> breaker = Breaker(window=4, share=0.5)
    >>> breaker.take(3, refused=[0, 1])
    >>> breaker.is_open
    False
    >>> breaker.take(3, refused=[0])
    >>> breaker.is_open
    True
    >>> breaker.take(1, refused=[])
    >>> breaker.is_open
    False
    """

    def __init__(self, window: int, share: float) -> None:
        self.window = window
        self.share = share
        self.is_open = False
        self._latest = np.zeros(window, np.uint8)  # oldest first

    def take(self, n: int, *, refused: Sequence[int]) -> None:
        """Take in the next ``n`` records, of which those at the given positions were refused."""
        flags = np.zeros(self.window + n, np.uint8)
        flags[: self.window] = self._latest
        flags[self.window + np.asarray(refused, np.intp)] = 1
        refused_before = np.concatenate(([0], np.cumsum(flags, dtype=np.int64)))
        n_refused = refused_before[self.window :] - refused_before[: n + 1]
        self.is_open = bool(n_refused[1 if n else 0 :].max() > self.share * self.window)
        self._latest = flags[n:]

    def snapshot(self) -> dict[str, NDArray[Any]]:
        """Return which of the latest records were refused, oldest first."""
        return {"latest": self._latest.copy()}

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Continue from a snapshot; one of another window says nothing about this one."""
        latest = arrays["latest"]
        self._latest = np.zeros(self.window, np.uint8)
        if len(latest) == self.window:
            self._latest[:] = latest
        self.take(0, refused=[])
