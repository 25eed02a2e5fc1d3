"""What became of the records of a replay, and how long it took, along the log."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from monitoring.watcher import Watcher

MAX_ROWS = 512
"""Rows after which neighbours are added up: twice what a wide screen has room for."""
FATES = ("accepted", "decode", "schema", "key", "range", "late", "duplicate")
"""A record that was not passed over met exactly one of these."""
_SMOOTHED = 5


class History(Watcher):
    """Notes each batch of a replay, in bounded memory.

    Attributes
    ----------
    begin : int
        Records before the first that was noted.
    """

    def __init__(self) -> None:
        self.begin = 0
        self._ends: list[int] = []
        self._times: list[float] = []
        self._counts: list[dict[str, float]] = []
        self._seconds: list[dict[str, float]] = []
        self._open: tuple[dict[str, float], dict[str, float]] = ({}, {})
        self._per_row = 1
        self._n_in_row = 0

    def processed(
        self,
        partition: int,  # noqa: ARG002  the log is one
        counts: Mapping[str, int],
        *,
        seconds: Mapping[str, float],
        judged: Mapping[str, Mapping[str, float]],  # noqa: ARG002  evaluation has windows
    ) -> None:
        """Add what a partition did to the batch in hand."""
        for total, part in zip(self._open, (counts, seconds), strict=True):
            _add(total, part)

    def update(
        self,
        share: float | None,  # noqa: ARG002
        n_events: int,
        *,
        event_time: float,
        recall: float | None = None,  # noqa: ARG002  evaluation has windows
        recall_recent: float | None = None,  # noqa: ARG002  likewise
    ) -> None:
        """Close the batch."""
        counts, seconds = self._open
        self._open = ({}, {})
        if not self._ends:
            self.begin = n_events - round(sum(counts.get(fate, 0) for fate in FATES))
        if self._n_in_row:
            _add(self._counts[-1], counts)
            _add(self._seconds[-1], seconds)
            self._ends[-1], self._times[-1] = n_events, event_time
        else:
            self._counts.append(counts)
            self._seconds.append(seconds)
            self._ends.append(n_events)
            self._times.append(event_time)
        self._n_in_row = (self._n_in_row + 1) % self._per_row
        if not self._n_in_row and len(self._ends) == MAX_ROWS:
            self._join_pairs()

    @property
    def ends(self) -> NDArray[np.float64]:
        """Records up to the end of each row."""
        return np.array(self._ends, np.float64)

    @property
    def begins(self) -> NDArray[np.float64]:
        """Records before each row."""
        return np.array([self.begin, *self._ends][:-1] if self._ends else [], np.float64)

    @property
    def times(self) -> NDArray[np.float64]:
        """Event time at the end of each row: never back, whatever single wrong clocks said."""
        times = np.array(self._times, np.float64)
        around = range(-(_SMOOTHED // 2), _SMOOTHED // 2 + 1)
        places = np.clip(np.add.outer(np.arange(len(times)), around), 0, max(len(times) - 1, 0))
        return np.maximum.accumulate(np.median(times[places], axis=1)) if len(times) else times

    def counts(self, name: str) -> NDArray[np.float64]:
        """Return how many records of each row met a fate, or were repaired."""
        return np.array([counts.get(name, 0) for counts in self._counts], np.float64)

    def seconds(self, stage: str) -> NDArray[np.float64]:
        """Return how many seconds a stage took in each row."""
        return np.array([seconds.get(stage, 0.0) for seconds in self._seconds], np.float64)

    def _join_pairs(self) -> None:
        for kept in (self._counts, self._seconds):
            for one, other in zip(kept[::2], kept[1::2], strict=True):
                _add(one, other)
            del kept[1::2]
        del self._ends[::2], self._times[::2]
        self._per_row *= 2


def _add(total: dict[str, float], part: Mapping[str, float]) -> None:
    for name, value in part.items():
        total[name] = total.get(name, 0) + value
