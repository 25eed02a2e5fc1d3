"""How often, and how soon, a worker makes its clients anew before it ends."""

from __future__ import annotations

import time
from collections.abc import Callable

from streams.supervisor import Pace

N_IN_A_ROW = 5
"""Failures that new clients may follow; after the next one a new process is all that is left."""


class Mending:
    """Counts failures that new clients did not cure.

    Parameters
    ----------
    pace
        How long to wait before each attempt, and how long a worker must have gone well for the
        count to begin anew; a commit that succeeds begins it anew as well.
    clock
        Seconds that never go back.

    Examples
    --------
    >>> mending = Mending(clock=lambda: 0.0)
    >>> [mending.wait_s() for _ in range(6)]
    [1.0, 2.0, 4.0, 8.0, 16.0, None]
    """

    def __init__(
        self, pace: Pace | None = None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.pace = pace or Pace()
        self._clock = clock
        self._n_failures = 0
        self._opened_s: float | None = None

    def opened(self) -> None:
        """Note that the worker is at work."""
        self._opened_s = self._clock()

    def went_well(self) -> None:
        """Note a commit that succeeded."""
        self._n_failures = 0

    def wait_s(self) -> float | None:
        """Count a failure; give the seconds to wait for new clients, None when they are no use."""
        opened_s, self._opened_s = self._opened_s, None
        if opened_s is not None and self._clock() - opened_s >= self.pace.healthy_s:
            self._n_failures = 0
        self._n_failures += 1
        return None if self._n_failures > N_IN_A_ROW else self.pace.delay_s(self._n_failures)
