"""Titles of a simulated world: niches, genres, appeal, age."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from models.drawing import Floats, Integers
from models.rhythm import DAY_S, START_S
from models.world_settings import WorldSettings

N_GENRES = 12
TITLES_A_NICHE = 24
CREATORS_A_NICHE = 3

ZIPF_EXPONENT = 0.9
SHARE_NEW = 0.3  # of the titles, released while the log runs
CATALOGUE_AGE_S = 8 * 365 * DAY_S  # mean age of the others at the start
FRESHNESS_HALF_LIFE_S = 5 * DAY_S
FRESHNESS_FLOOR = 0.12

_TITLES = 0


@dataclass(frozen=True, slots=True)
class Titles:
    """What is known of each title, as columns in the order of niches.

    Parameters
    ----------
    number
        Public number, a permutation: neighbours in a niche are not neighbours in number.
    niche, creator
        The niche (titles of one niche are watched together) and who made it.
    genres
        Shape (n, 2): the niche's genre and a second one, or -1.
    appeal
        Popularity apart from age; Zipf's law.
    quality
        In [0, 1].
    released, duration
        Epoch seconds at midnight (UTC) and seconds.
    """

    number: Integers
    niche: Integers
    creator: Integers
    genres: Integers
    appeal: Floats
    quality: Floats
    released: Floats
    duration: Floats

    def __len__(self) -> int:
        return len(self.number)

    def in_genre(self, row: Integers, genre: int | None) -> NDArray[np.bool_]:
        """Return which of some titles have a genre, whether first or second; None is any."""
        if genre is None:
            return np.ones(len(row), np.bool_)
        has_it: NDArray[np.bool_] = (self.genres[row] == genre).any(axis=1)
        return has_it

    def and_like(self, row: Integers, rng: np.random.Generator) -> Titles:
        """Return these titles and new ones, in the place of those in `row`.

        New are number, maker (of the same niche) and quality.
        """
        n = len(row)
        columns = {field.name: getattr(self, field.name)[row] for field in fields(self)}
        columns["number"] = len(self) + 1 + np.arange(n)
        columns["creator"] = columns["niche"] * CREATORS_A_NICHE
        columns["creator"] += rng.integers(CREATORS_A_NICHE, size=n)
        columns["quality"] = rng.random(n)
        return Titles(
            **{name: np.concatenate([getattr(self, name), new]) for name, new in columns.items()}
        )


def freshness(age_s: Floats) -> Floats:
    """Return the factor of a title's popularity at an age: 0 before release, 1 at release.

    Afterwards it halves towards ``FRESHNESS_FLOOR`` every ``FRESHNESS_HALF_LIFE_S``.

    Examples
    --------
    >>> freshness(np.array([-1.0, 0.0, FRESHNESS_HALF_LIFE_S])).round(2)
    array([0.  , 1.  , 0.56])
    """
    decayed = np.exp2(-np.maximum(age_s, 0.0) / FRESHNESS_HALF_LIFE_S)
    return np.where(age_s < 0, 0.0, FRESHNESS_FLOOR + (1 - FRESHNESS_FLOOR) * decayed)


def titles_of(settings: WorldSettings) -> Titles:
    """Return the titles of a world in which nothing changes."""
    rng, n = settings.generator(_TITLES), settings.n_titles
    n_genres = min(N_GENRES, n)
    n_niches = max(n_genres, n // TITLES_A_NICHE)
    niche = np.arange(n) * n_niches // n
    genre = niche * n_genres // n_niches
    second = np.where(rng.random(n) < 0.5, rng.integers(n_genres, size=n), -1)
    return Titles(
        number=rng.permutation(n) + 1,
        niche=niche,
        creator=niche * CREATORS_A_NICHE + rng.integers(CREATORS_A_NICHE, size=n),
        genres=np.stack([genre, np.where(second == genre, -1, second)], axis=1),
        appeal=np.float_power(rng.permutation(n) + 1, -ZIPF_EXPONENT),
        quality=rng.random(n),
        released=_released(rng, niche, settings.days),
        duration=_duration(rng, niche),
    )


def _released(rng: np.random.Generator, niche: Integers, days: int) -> Floats:
    n = len(niche)
    day = rng.integers(days, size=n)
    age = np.floor(rng.exponential(CATALOGUE_AGE_S / DAY_S, size=n)) + 1
    is_first = np.diff(niche, prepend=-1) > 0  # a niche is never empty
    is_new = (rng.random(n) < SHARE_NEW) & ~is_first
    return START_S + np.where(is_new, day, -age) * DAY_S


def _duration(rng: np.random.Generator, niche: Integers) -> Floats:
    typical = rng.lognormal(np.log(20 * 60), 0.6, size=int(niche[-1]) + 1)
    duration: Floats = typical[niche] * rng.lognormal(0, 0.2, len(niche))
    return np.rint(np.clip(duration, 60, 3 * 3600))
