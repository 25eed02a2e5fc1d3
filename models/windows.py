"""Tallies of consecutive judged events, for time series of bounded length."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from models.metrics import Integers, Snapshot
    from models.tally import Counts


class Windows:
    """Tallies of windows of equally many judged events, the last one open.

    When there are more than `max_windows` of them, neighbours are added up and windows become
    twice as wide: the width is ``width * 2**j`` for the smallest j that fits, so it depends on
    the number of judged events only. O(1) an event, amortised.

    Parameters
    ----------
    shape
        Shape of a tally.
    width
        Judged events a window, to begin with.
    max_windows
        Windows kept, at least 2; a window takes the bytes of its tally plus 16.

    Attributes
    ----------
    width : int
        Judged events a window now.
    n_judged : int
        Judged events in all windows.
    """

    def __init__(
        self, shape: tuple[int, int], *, width: int = 1000, max_windows: int = 4096
    ) -> None:
        self.max_windows = max_windows
        self.width = width
        self.n_judged = 0
        self._counts = np.zeros((0, *shape), np.int64)
        self._events = np.zeros(0, np.int64)
        self._times = np.zeros(0, np.float64)

    def __len__(self) -> int:
        return (self.n_judged + self.width - 1) // self.width

    @property
    def counts(self) -> Counts:
        """Tallies of the windows, oldest first."""
        return self._counts[: len(self)]

    @property
    def events(self) -> Counts:
        """Accepted events up to the end of each window."""
        return self._events[: len(self)]

    @property
    def times(self) -> NDArray[np.float64]:
        """Event time of the last judged event of each window, epoch seconds."""
        return self._times[: len(self)]

    def places(self, n: int) -> tuple[int, Counts]:
        """Tell where the next `n` judged events go: the first window, and offsets from it."""
        first = self.n_judged // self.width
        return first, np.arange(self.n_judged, self.n_judged + n) // self.width - first

    def add(self, counts: Counts, *, n: int, events: Integers, times: NDArray[np.float64]) -> None:
        """Add `n` ≥ 1 judged events, tallied by the offsets that :meth:`places` gave.

        `events` and `times` are the number of accepted events and the event time at each.
        """
        first, offsets = self.places(n)
        self.n_judged += n
        self._grow(len(self))
        self._counts[first : len(self)] += counts
        ends = np.append(np.flatnonzero(np.diff(offsets)), n - 1)
        self._events[first : len(self)] = events[ends]
        self._times[first : len(self)] = times[ends]
        while len(self) > self.max_windows:
            self._widen()

    def snapshot(self) -> Snapshot:
        """Give the windows as arrays that share no memory with them."""
        return {
            "counts": self.counts.copy(),
            "events": self.events.copy(),
            "times": self.times.copy(),
            "width": np.array([self.width, self.n_judged]),
        }

    def restore(self, snapshot: Mapping[str, NDArray[Any]]) -> None:
        """Take the windows of a snapshot with the same shape of tallies."""
        if snapshot["counts"].shape[1:] != self._counts.shape[1:]:
            raise ValueError("snapshot of another number of rankings or another k")
        self.width, self.n_judged = snapshot["width"].tolist()
        self._counts = snapshot["counts"].astype(np.int64)
        self._events = snapshot["events"].astype(np.int64)
        self._times = snapshot["times"].astype(np.float64)

    def _widen(self) -> None:
        n = len(self)
        starts = np.arange(0, n, 2)
        ends = np.minimum(starts + 1, n - 1)
        self._counts = np.add.reduceat(self._counts[:n], starts, axis=0)
        self._events, self._times = self._events[ends], self._times[ends]
        self.width *= 2

    def _grow(self, size: int) -> None:
        spare = max(size, 2 * len(self._counts)) - len(self._counts)
        if size > len(self._counts):
            self._counts = np.pad(self._counts, ((0, spare), (0, 0), (0, 0)))
            self._events = np.pad(self._events, (0, spare))
            self._times = np.pad(self._times, (0, spare))
