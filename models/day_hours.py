"""The hours of a day at which people watch, compared with those of the days before."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

DAY_S = 86_400.0
FEWEST = 100
"""Views of a day that say something about its hours."""
N_DAYS = 28
N_FIRST = 3
"""Days before the usual hours are compared with."""


class DayHours:
    """Counts of the open day's views by hour (UTC), and the usual shares of the hours.

    Attributes
    ----------
    counts : float64[24]
        Views of the open day; whoever takes in views adds to it.

    Examples
    --------
    >>> hours, found = DayHours(), []
    >>> for day in range(8):
    ...     found.append(hours.moved(day * DAY_S, may_learn=True))
    ...     hours.counts[8 if day == 6 else 20] += 200
    >>> found
    [None, None, None, None, None, 0.0, 0.0, 1.0]
    """

    def __init__(self) -> None:
        self.counts = np.zeros(24)
        self._day = math.nan
        self._n_days = 0
        self._usual = np.zeros(24)

    def moved(self, time: float, *, may_learn: bool) -> float | None:
        """Return the share of a day's views in other hours than usual, once a day has passed.

        The first day of a log is seldom whole and counts for nothing. ``may_learn`` says whether
        the day tells what is usual.
        """
        day = time // DAY_S
        if math.isnan(self._day) or not day > self._day:
            self._day = day if math.isnan(self._day) else self._day
            return None
        n, self._day = self.counts.sum(), day
        shares = self.counts / max(n, 1.0)
        self.counts[:] = 0.0
        is_first = self._n_days == 0
        self._n_days += is_first or n >= FEWEST
        if is_first or n < FEWEST:
            return None
        moved = 0.5 * float(np.abs(shares - self._usual).sum())
        n_days = self._n_days - 1
        if may_learn:
            self._usual += (shares - self._usual) / min(n_days, N_DAYS)
        return moved if n_days > N_FIRST else None

    def snapshot(self) -> dict[str, NDArray[Any]]:
        """Return the open day and the usual one."""
        return {
            "counts": self.counts.copy(),
            "usual": self._usual.copy(),
            "days": np.array([self._day, self._n_days], np.float64),
        }

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Continue where the snapshot was taken."""
        self.counts, self._usual = arrays["counts"].copy(), arrays["usual"].copy()
        self._day, self._n_days = float(arrays["days"][0]), int(arrays["days"][1])
