"""The log's own clock, which one or two users with wrong clocks cannot move."""

from __future__ import annotations

import math
from bisect import insort
from typing import TYPE_CHECKING

import numpy as np

from models.packing import pack_strings, unpack_strings

if TYPE_CHECKING:
    from collections.abc import Mapping

WITNESSES = 3
"""So many users must have reached a time: two clocks running ahead move nobody."""


class Watermark:
    """The third-latest of users' newest event times.

    Only the three users with the newest times are kept. That is exact: times of a user only grow
    and so does the third-latest, so a user that fell out matters again only by a newer event. With
    fewer than three users there is no watermark; then no event is late and none is ahead.

    The cost of an event is constant, the memory three users.

    Parameters
    ----------
    allowed_lateness_s
        How far behind the watermark an event may lie.
    allowed_future_s
        How far ahead of the watermark an event may lie.

    Attributes
    ----------
    value
        The watermark in epoch seconds, minus infinity while there is none. It never falls.
    earliest, latest
        The bounds of what is neither late nor ahead, infinite while there is no watermark.

    Examples
    --------
    >>> watermark = Watermark(allowed_lateness_s=100, allowed_future_s=10)
    >>> for user_id, event_time in [("a", 500.0), ("b", 9e9), ("c", 8e9), ("d", 510.0)]:
    ...     watermark.observe(user_id, event_time)
    >>> watermark.value, watermark.earliest, watermark.latest
    (510.0, 410.0, 520.0)
    """

    def __init__(self, *, allowed_lateness_s: float, allowed_future_s: float) -> None:
        self.allowed_lateness_s = allowed_lateness_s
        self.allowed_future_s = allowed_future_s
        self._newest: list[tuple[float, str]] = []  # rising
        self._advance()

    def observe(self, user_id: str, event_time: float) -> None:
        """Take in the time of an accepted event as it was given, not as it was clipped."""
        if event_time <= self.value:
            return
        newest = self._newest
        for place, (time, user) in enumerate(newest):
            if user == user_id:
                if event_time <= time:
                    return
                del newest[place]
                break
        else:
            if len(newest) == WITNESSES:
                del newest[0]
        insort(newest, (event_time, user_id))
        self._advance()

    def forget(self, user_id: str) -> None:
        """Take a user's name off their time, which stays: the watermark never falls.

        The time is a witness without a name until three newer ones have come, one of which may be
        by the same person: then one clock has two of the three voices for a while.
        """
        self._newest = [(time, "" if user == user_id else user) for time, user in self._newest]

    def _advance(self) -> None:
        if len(self._newest) < WITNESSES:
            self.value, self.earliest, self.latest = -math.inf, -math.inf, math.inf
            return
        self.value = self._newest[0][0]
        self.earliest = self.value - self.allowed_lateness_s
        self.latest = self.value + self.allowed_future_s

    def snapshot(self) -> dict[str, np.ndarray]:
        """Return the users and their newest times, rising."""
        return {
            **pack_strings("users", (user for _, user in self._newest)),
            "times": np.array([time for time, _ in self._newest], np.float64),
        }

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Continue where the snapshot was taken."""
        users = unpack_strings("users", arrays)
        self._newest = list(zip(arrays["times"].tolist(), users, strict=True))
        self._advance()
