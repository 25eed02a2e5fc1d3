"""How long records have been waiting, from what is known of the end of a partition."""

from __future__ import annotations

from collections import deque

MAX_MARKS = 4096


class LagClock:
    """Remembers when a partition was first seen to reach an offset.

    Independent of the times of events and records: an old log that is published again lags by
    the seconds that its records wait here. Memory is bounded: of a backlog of more than an hour
    the youngest part counts as older than it is.

    Examples
    --------
    >>> lag = LagClock()
    >>> lag.seen(next_offset=0, end=5, now_s=10.0), lag.seen(next_offset=4, end=9, now_s=12.0)
    ((5, 0.0), (5, 2.0))
    >>> lag.seen(next_offset=5, end=9, now_s=13.0), lag.seen(next_offset=9, end=9, now_s=14.0)
    ((4, 1.0), (0, 0.0))
    """

    def __init__(self) -> None:
        self._marks: deque[tuple[int, float]] = deque()

    def seen(self, *, next_offset: int, end: int, now_s: float) -> tuple[int, float]:
        """Take note of where a partition ends; give records and seconds that it lags."""
        marks = self._marks
        if not marks or end > marks[-1][0]:
            if len(marks) == MAX_MARKS:
                marks.append((end, marks.pop()[1]))
            else:
                marks.append((end, now_s))
        while marks and marks[0][0] <= next_offset:
            marks.popleft()
        return max(end - next_offset, 0), now_s - marks[0][1] if marks else 0.0
