"""How much of the stream its busiest users make, and who they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.packing import pack_strings, unpack_strings

WINDOW = 256
N_WINDOWS = 4
N_BUSIEST = 5
N_TIMES = 1.5
"""A user so many times as busy, over four windows, as the busiest usually is, is no person."""
N_LEARNED = 32


class BusyUsers:
    """The users of the latest 1,024 events, and what share of these the five busiest have.

    The share is taken after every 256 events. Memory: 1,280 names.

    Attributes
    ----------
    latest : list of str
        Users of the open window; whoever takes in events adds to it.

    Examples
    --------
    >>> busy = BusyUsers()
    >>> for n in range(1_536):
    ...     is_bot = n >= 1_024 and n % 4 == 0
    ...     busy.latest.append("bot" if is_bot else f"user {n % 100}")
    ...     if len(busy.latest) == 256:
    ...         print(busy.concentration(may_learn=n < 1_024), set(busy.suspects()))
    None set()
    None set()
    None set()
    0.0537109375 set()
    0.10546875 {'bot'}
    0.16796875 {'bot'}
    """

    def __init__(self) -> None:
        self.latest: list[str] = []
        self._kept: list[str] = []
        self._usual = 0.0
        self._n_learned = 0

    def concentration(self, *, may_learn: bool) -> float | None:
        """Return the share of the busiest when a window is full, and begin the next.

        ``may_learn`` says whether the window tells how busy the busiest user usually is.
        """
        window = self.latest
        if len(window) < WINDOW:
            return None
        self._kept = (self._kept + window)[-N_WINDOWS * WINDOW :]
        self.latest = []
        if len(self._kept) < N_WINDOWS * WINDOW:
            return None
        busiest = sorted(Counter(self._kept).values())[-N_BUSIEST:]
        if may_learn:
            self._n_learned = min(self._n_learned + 1, N_LEARNED)
            self._usual += (busiest[-1] / len(self._kept) - self._usual) / self._n_learned
        return sum(busiest) / len(self._kept)

    def suspects(self) -> frozenset[str]:
        """Return the users who are far busier than the busiest usually is, once that is known."""
        if self._n_learned == 0:
            return frozenset()
        least = N_TIMES * self._usual * len(self._kept)
        return frozenset(user for user, n in Counter(self._kept).items() if n >= least and user)

    def forget(self, user_id: str) -> None:
        """Take a user's name off their events."""
        self.latest = ["" if user == user_id else user for user in self.latest]
        self._kept = ["" if user == user_id else user for user in self._kept]

    def snapshot(self) -> dict[str, NDArray[Any]]:
        """Return the users, oldest first."""
        return {
            **pack_strings("open", self.latest),
            **pack_strings("kept", self._kept),
            "usual": np.array([self._usual, self._n_learned]),
        }

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Continue where the snapshot was taken."""
        self.latest = unpack_strings("open", arrays)
        self._kept = unpack_strings("kept", arrays)
        self._usual, self._n_learned = float(arrays["usual"][0]), int(arrays["usual"][1])
