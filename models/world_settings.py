"""Size and seed of a simulated world."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True, kw_only=True)
class WorldSettings:
    """Size and seed of a world.

    Parameters
    ----------
    n_users
        People, at least 1. About 20 bytes each.
    n_titles
        Titles, at least 1. About 100 bytes each.
    days
        Days over which the views are spread, at least 1.
    seed
        Not negative. The same settings make the same world.

    Raises
    ------
    ValueError
        If a number is below its minimum.
    """

    n_users: int = 2_000
    n_titles: int = 2_000
    days: int = 30
    seed: int = 0

    def __post_init__(self) -> None:
        for name, minimum in (("n_users", 1), ("n_titles", 1), ("days", 1), ("seed", 0)):
            value = getattr(self, name)
            if value < minimum:
                raise ValueError(f"{name} must be at least {minimum}, not {value}")

    def generator(self, *purpose: int) -> np.random.Generator:
        """Return the generator for one purpose, independent of those for any other."""
        return np.random.default_rng([self.seed, *purpose])
