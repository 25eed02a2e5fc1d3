"""Many statistics watched at once for changes of their level."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.level_steps import observe
from models.levels import LEVEL, new_levels

DETECTOR = "page-hinkley"


class LevelWatch:
    """State of many levels, and the observations that have come since they were looked at last.

    See `models.levels` for what is computed. A level takes 350 bytes, and about 0.1 µs a block.

    Parameters
    ----------
    rules
        Array of `models.levels.RULE`, of any shape: one rule a level.

    Attributes
    ----------
    levels
        Array of `models.levels.LEVEL`, flat.
    added : float64[n, 3]
        Number, sum, and sum of squares of each level's observations so far; `look` clears it.

    Examples
    --------
    >>> from models.levels import RAISED, RULE
    >>> rules, found = np.zeros(1, RULE), []
    >>> rules["block"], rules["burn_in"], rules["wait"] = 64, 32, 8
    >>> rules["least"], rules["least_spread"], rules["largest_z"] = 0.1, 0.01, 6.0
    >>> watch = LevelWatch(rules)
    >>> for block in range(110):
    ...     share = 0.2 if block < 100 else 0.8
    ...     watch.added[0] = 64, 64 * share, 64 * share
    ...     found += [(block, *what) for what in watch.look(time=float(block), patience=10_000)]
    >>> found == [(103, 0, RAISED)]
    True
    >>> level = watch.levels[0]
    >>> float(level["onset"]), round(float(level["mean"]), 6), round(float(level["after"]), 6)
    (99.0, 0.2, 0.8)
    """

    def __init__(self, rules: NDArray[Any]) -> None:
        self.rules = rules.reshape(-1)
        self.levels = new_levels(len(self.rules))
        self.added = np.zeros((len(self.rules), 3))
        self._found = np.zeros(len(self.rules), np.int8)

    def look(self, time: float, *, patience: int) -> list[tuple[int, int]]:
        """Take in what was added; return levels with what came of them, calm ones left out.

        A level that is raised now is given ``patience``: observations after which it settles.
        """
        n_found = observe(self.levels, self.rules, self.added, time, patience, self._found)
        if not n_found:
            return []
        return [(int(at), int(self._found[at])) for at in np.flatnonzero(self._found)]

    def forget(self, at: Iterable[int]) -> None:
        """Begin some levels anew."""
        rows = list(at)
        self.levels[rows] = new_levels(len(rows))
        self.added[rows] = 0.0

    def snapshot(self) -> dict[str, NDArray[Any]]:
        """Return the state by field."""
        fields = {name: self.levels[name].copy() for name in LEVEL.names or ()}
        return {**fields, "added": self.added.copy()}

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Continue where the snapshot was taken."""
        for name in LEVEL.names or ():
            self.levels[name] = arrays[name]
        self.added[:] = arrays["added"]
