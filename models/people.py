"""People of a simulated world: groups of taste, devices, how often each person comes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.changes import NewAudience
from models.drawing import Floats, Integers, cumulated, hashed_uniform, pick
from models.world_settings import WorldSettings

N_GROUPS = 24
N_NEW_GROUPS = 3  # of a new audience
# Of a group's fresh choices these shares go to its three favourite genres, the rest to all.
GENRE_SHARES = (0.55, 0.25, 0.12)
# What people watch on, which a person keeps, with its share of the people.
DEVICES = {"tv": 0.45, "phone": 0.30, "tablet": 0.10, "web": 0.15}

ACTIVITY_TAIL = 1.6  # Pareto exponent
ACTIVITY_RATIO = 30.0  # the busiest person to the quietest

_PEOPLE, _TASTE, _AUDIENCE = 1, 3, 4
_DEVICE_SUMS = cumulated(np.array(list(DEVICES.values())))
_OF_DEVICE = 0xD  # keeps the hash of a device apart from others of a person


@dataclass(frozen=True, slots=True)
class Crowd:
    """People who come while a change is on.

    Parameters
    ----------
    change
        When, and for which share of the sessions.
    first
        Number of the first of them.
    activity
        Running sums of how often each of them comes.
    """

    change: NewAudience
    first: int
    activity: Floats

    def draw(self, uniform: Floats) -> Integers:
        """Return the people whom uniform numbers pick, by activity."""
        return self.first + pick(self.activity, uniform)


class People:
    """Who watches.

    Parameters
    ----------
    settings
        Size and seed of the world.
    n_genres
        Genres that have titles.
    audiences
        Changes that bring new people, who are numbered after all others, in this order.

    Attributes
    ----------
    taste : array of (groups, genres)
        Each row sums to 1: ``N_GROUPS`` of the people who are there from the start, then
        ``N_NEW_GROUPS`` an audience.
    group, device : arrays of people
        Row in `taste`; place in ``DEVICES``.
    activity : array of ``n_users + 1``
        Running sums of how often each of those there from the start comes.
    crowds : list of Crowd
        The others.
    """

    def __init__(
        self, settings: WorldSettings, n_genres: int, audiences: Sequence[NewAudience] = ()
    ) -> None:
        rng, n = settings.generator(_PEOPLE), settings.n_users
        taste = [_taste(settings.generator(_TASTE), n_genres)]
        group = [rng.integers(N_GROUPS, size=n, dtype=np.int16)]
        self.activity = _activity(rng, n)
        self.crowds: list[Crowd] = []
        for number, change in enumerate(audiences):
            rng = settings.generator(_AUDIENCE, number)
            group.append(_new_groups(rng, change.n_users, first=N_GROUPS + number * N_NEW_GROUPS))
            taste.append(_new_taste(rng, taste[0], change.genre))
            first = n + sum(crowd.change.n_users for crowd in self.crowds)
            self.crowds.append(Crowd(change, first, _activity(rng, change.n_users)))
        self.taste, self.group = np.concatenate(taste), np.concatenate(group)
        self.device = _devices(settings.seed, len(self.group))
        for crowd in self.crowds:
            if crowd.change.device is not None:
                self.device[crowd.first : crowd.first + crowd.change.n_users] = crowd.change.device

    def __len__(self) -> int:
        return len(self.group)


def _activity(rng: np.random.Generator, n: int) -> Floats:
    tail = np.float_power(1 - rng.random(n), -1 / ACTIVITY_TAIL)
    return cumulated(np.minimum(tail, ACTIVITY_RATIO))


def _devices(seed: int, n: int) -> NDArray[np.int8]:
    return pick(_DEVICE_SUMS, hashed_uniform(seed, np.arange(n), _OF_DEVICE)).astype(np.int8)


def _taste(rng: np.random.Generator, n_genres: int) -> Floats:
    order = rng.permuted(np.tile(np.arange(n_genres), (N_GROUPS, 1)), axis=1)
    return _shares(n_genres)[order]


def _shares(n_genres: int) -> Floats:
    """Return the shares of genres from the most liked to the least."""
    shares = np.full(n_genres, (1 - sum(GENRE_SHARES)) / n_genres)
    n_favourites = min(n_genres, len(GENRE_SHARES))
    shares[:n_favourites] += GENRE_SHARES[:n_favourites]
    taste: Floats = shares / shares.sum()
    return taste


def _new_groups(rng: np.random.Generator, n: int, first: int) -> NDArray[np.int16]:
    return rng.integers(first, first + N_NEW_GROUPS, size=n, dtype=np.int16)


def _new_taste(rng: np.random.Generator, taste: Floats, genre: int | None) -> Floats:
    """Return groups who like best what the others like least, or a genre."""
    liked = taste.sum(axis=0)
    if genre is not None:
        liked[genre] = -1.0
    ranks = np.argsort(liked)
    rows = np.tile(_shares(len(liked)), (N_NEW_GROUPS, 1))
    rows[:, 1:3] = rng.permuted(rows[:, 1:3], axis=1)
    new = np.empty_like(rows)
    new[:, ranks] = rows
    return new
