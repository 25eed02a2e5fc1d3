"""Which dead letters were replayed already, so that each counts once."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.packing import pack_strings, unpack_strings

MAX_IDS = 1 << 20
"""Ids remembered at most: 200 MB if a partition ever has as many replayed."""


class Replayed:
    """Ids of the dead letters that were replayed, exactly, for a time.

    Ids leave in the order they came: when the watermark has moved on by ``kept_s``, or when there
    are too many. One that came before there was a watermark counts from the first there is.
    Constant time a replayed event, about 200 bytes an id; other events cost nothing.

    Parameters
    ----------
    kept_s
        How long an id is remembered, in event time.
    max_ids
        Most ids remembered.

    Examples
    --------
    >>> replayed = Replayed(kept_s=100.0)
    >>> replayed.remember("views/0/17", watermark=1000.0)
    >>> replayed.has_seen("views/0/17", watermark=1100.0)
    True
    >>> replayed.has_seen("views/0/17", watermark=1100.5)
    False
    """

    def __init__(self, kept_s: float, max_ids: int = MAX_IDS) -> None:
        self.kept_s = kept_s
        self.max_ids = max_ids
        self._times: deque[float] = deque()  # rising
        self._queue: deque[str] = deque()
        self._ids: set[str] = set()

    def __len__(self) -> int:
        return len(self._ids)

    def has_seen(self, replay_of: str, watermark: float) -> bool:
        """Say whether the dead letter of this origin was replayed, as of the watermark."""
        self._expire(watermark)
        return replay_of in self._ids

    def remember(self, replay_of: str, watermark: float) -> None:
        """Add an id that has not been seen."""
        self._times.append(watermark)
        self._queue.append(replay_of)
        self._ids.add(replay_of)
        if len(self._queue) > self.max_ids:
            self._remove_oldest()

    def _expire(self, watermark: float) -> None:
        times = self._times
        if times and times[0] == -math.inf < watermark:
            self._times = times = deque(max(time, watermark) for time in times)
        while times and times[0] < watermark - self.kept_s:
            self._remove_oldest()

    def _remove_oldest(self) -> None:
        self._times.popleft()
        self._ids.remove(self._queue.popleft())

    def snapshot(self) -> dict[str, NDArray[Any]]:
        """Return the ids and their times, oldest first."""
        return {**pack_strings("ids", self._queue), "times": np.array(self._times, np.float64)}

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Continue where the snapshot was taken."""
        self._queue = deque(unpack_strings("ids", arrays))
        self._times = deque(arrays["times"].tolist())
        self._ids = set(self._queue)
