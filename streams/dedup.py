"""Duplicates among recent events."""

from __future__ import annotations

import math
from collections import deque
from typing import TYPE_CHECKING

import numpy as np

from models.packing import pack_strings, unpack_strings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from streams.events import View

EventKey = str | tuple[str, str, float]
_FORGOTTEN = ""  # keeps the place of a key; no event id is empty


def event_key(view: View) -> EventKey:
    """Return what makes two events the same: the event id, else user, content and time as given."""
    if view.event_id is not None:
        return view.event_id
    return (view.user_id, view.content_id, view.event_time)


class RecentEvents:
    """The keys of the most recent accepted events, exactly.

    Keys are compared in full, so two events are never confused. Constant time an event: a queue
    tells which key leaves and a set which keys are in. (An ordered dict instead would have to skip
    all the deleted entries at its head to find the oldest.) A second queue tells whose event it
    was, which an event id does not. About 260 bytes a key.

    Parameters
    ----------
    window
        Number of events remembered; 0 remembers none.

    Examples
    --------
    >>> recent = RecentEvents(window=2)
    >>> for key in ("a", "b", "c"):
    ...     recent.remember(key, "ann")
    >>> [recent.has_seen(key) for key in ("a", "b", "c")]
    [False, True, True]
    """

    def __init__(self, window: int) -> None:
        self.window = window
        self._queue: deque[EventKey] = deque()
        self._users: deque[str] = deque()
        self._keys: set[EventKey] = set()

    def has_seen(self, key: EventKey) -> bool:
        """Say whether the key is among the remembered ones."""
        return key in self._keys

    def remember(self, key: EventKey, user_id: str) -> None:
        """Add a key that has not been seen; the oldest leaves when the window is full."""
        self._queue.append(key)
        self._users.append(user_id)
        self._keys.add(key)
        if len(self._queue) > self.window:
            self._keys.discard(self._queue.popleft())
            self._users.popleft()

    def forget(self, user_id: str) -> None:
        """Remove a user's keys; others stay for as long as they would have."""
        self._keys.difference_update(
            key for key, user in zip(self._queue, self._users, strict=True) if user == user_id
        )
        self._queue = deque(key if key in self._keys else _FORGOTTEN for key in self._queue)
        self._users = deque("" if user == user_id else user for user in self._users)

    def snapshot(self) -> dict[str, np.ndarray]:
        """Return the keys, oldest first; an event id has no time (NaN), and its user instead."""
        split = [
            (key, user, math.nan) if isinstance(key, str) else key
            for key, user in zip(self._queue, self._users, strict=True)
        ]
        return {
            **pack_strings("ids", (key[0] for key in split)),
            **pack_strings("contents", (key[1] for key in split)),
            "times": np.array([key[2] for key in split], np.float64),
        }

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Continue where the snapshot was taken."""
        ids, seconds = unpack_strings("ids", arrays), unpack_strings("contents", arrays)
        rows = list(zip(ids, seconds, arrays["times"].tolist(), strict=True))
        self._queue = deque(
            first if math.isnan(time) else (first, second, time) for first, second, time in rows
        )
        self._users = deque(second if math.isnan(time) else first for first, second, time in rows)
        self._keys = set(self._queue) - {_FORGOTTEN}
