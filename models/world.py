"""A small world where the truth is known: people with tastes, titles that age.

Everything in this file holds still; :mod:`models.viewing` lets the people watch. Tastes are an
array (group of users by genre) and popularity is a function of a title's age, so that a world
can let either of them drift.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.drawing import Floats, Integers, cumulated, hashed_uniform, pick

DAY_S = 86_400.0
START_S = 1_640_995_200.0  # 1 January 2022, UTC: a world has no wall clock
N_GENRES = 12
N_GROUPS = 24
TITLES_A_NICHE = 24
CREATORS_A_NICHE = 3

# Of a group's fresh choices these shares go to its three favourite genres, the rest to all.
GENRE_SHARES = (0.55, 0.25, 0.12)
# Of a person's fresh choices within a genre these shares go to three niches of their own.
NICHE_SHARES = (0.6, 0.3, 0.1)
AFFINITY_GENRE, AFFINITY_NICHE, AFFINITY_QUALITY = 0.35, 0.40, 0.25

ZIPF_EXPONENT, NICHE_EXPONENT = 0.9, 0.5  # of titles and of the niches of a genre
SHARE_NEW = 0.3  # of the titles, released while the log runs
CATALOGUE_AGE_S = 8 * 365 * DAY_S  # mean age of the others at the start
FRESHNESS_HALF_LIFE_S = 5 * DAY_S
FRESHNESS_FLOOR = 0.12
# Views an hour of the day (UTC), relative to one another: a quiet night, a busy evening.
HOURLY = (3, 2, 1, 1, 1, 1, 2, 3, 4, 4, 4, 5, 6, 6, 5, 5, 6, 7, 9, 11, 12, 11, 8, 5)
ACTIVITY_TAIL = 1.6  # Pareto exponent
ACTIVITY_RATIO = 30.0  # the busiest person to the quietest

_TITLES, _PEOPLE, _NICHES, _TASTE = range(4)


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


def event_clock(share: Floats | float, days: int) -> Floats:
    """Return the event time at which a share of all sessions has started, by daily rhythm.

    Examples
    --------
    >>> (event_clock(np.array([0.0, 0.5, 1.0]), days=1) - START_S) / 3600
    array([ 0.        , 17.28571429, 24.        ])
    """
    passed = np.asarray(share) * days
    day = np.floor(passed)
    within = np.interp(
        passed - day, cumulated(np.array(HOURLY, np.float64)) / sum(HOURLY), np.linspace(0, 1, 25)
    )
    event_time: Floats = START_S + (day + within) * DAY_S
    return event_time


class World:
    r"""People and titles, and the truth about who likes what.

    Titles fall into niches of about 24, niches into genres. People fall into groups with a taste
    for genres; each person has three favourite niches a genre. The affinity of user u for title i
    is

    .. math:: a(u, i) = 0.35\,\frac{t(u, g_i)}{\max_g t(u, g)} + 0.4\,n(u, i) + 0.25\,q_i

    with t the taste of u's group for the title's genre g, n the share of the title's niche among
    u's niches of that genre (1 for the first favourite, 0 for a stranger) and q the quality. The
    popularity of a title is its appeal (Zipf's law over a random order) times the
    :func:`freshness` of its age.

    Parameters
    ----------
    settings
        Size and seed.

    Attributes
    ----------
    titles : Titles
        Columns of ``n_titles``.
    taste : array of (groups, genres)
        Each row sums to 1.
    group : array of n_users
        The taste group of each person.
    activity : array of n_users + 1
        Running sums of how often each person comes.

    Notes
    -----
    Favourite niches are hashed from the user when asked for, so that a person costs the group and
    the activity only.

    Examples
    --------
    >>> world = World(WorldSettings(n_users=50, n_titles=200, seed=7))
    >>> world.affinity(np.array([0, 0]), np.array([0, 199])).round(3)
    array([0.607, 0.534])
    """

    def __init__(self, settings: WorldSettings) -> None:
        self.settings = settings
        self.titles = _titles(settings)
        self.taste = _taste(settings, int(self.titles.genres.max()) + 1)
        self._taste_sums = cumulated(self.taste.ravel())
        people = settings.generator(_PEOPLE)
        self.group: NDArray[np.int16] = people.integers(
            len(self.taste), size=settings.n_users, dtype=np.int16
        )
        tail = np.float_power(1 - people.random(settings.n_users), -1 / ACTIVITY_TAIL)
        self.activity = cumulated(np.minimum(tail, ACTIVITY_RATIO))
        self._arrange_niches()

    def _arrange_niches(self) -> None:
        n_niches = int(self.titles.niche[-1]) + 1
        self.first_title = np.searchsorted(self.titles.niche, np.arange(n_niches + 1))
        self.niche_genre = self.titles.genres[self.first_title[:-1], 0]
        self._first_niche = np.searchsorted(self.niche_genre, np.arange(self.n_genres + 1))
        order = self.settings.generator(_NICHES).permutation(n_niches)
        self._niche_sums = cumulated(np.float_power(order + 1, -NICHE_EXPONENT))

    @property
    def n_genres(self) -> int:
        """Genres that have titles."""
        return len(self.taste[0])

    def genre(self, user: Integers, uniform: Floats) -> Integers:
        """Return the genre that each user's taste picks for a uniform number."""
        row = self.group[user].astype(np.int64) * self.n_genres
        return pick(self._taste_sums, uniform, row, row + self.n_genres) - row

    def favourite_niche(self, user: Integers, genre: Integers, place: Integers | int) -> Integers:
        """Return the niche in each user's first, second or third place (0, 1, 2) of a genre."""
        uniform = hashed_uniform(self.settings.seed, user, genre, place)
        first, last = self._first_niche[genre], self._first_niche[genre + 1]
        return pick(self._niche_sums, uniform, first, last)

    def adjacent_niche(self, niche: Integers) -> Integers:
        """Return the next niche of the same genre, going round."""
        genre = self.niche_genre[niche]
        last = niche + 1 == self._first_niche[genre + 1]
        return np.where(last, self._first_niche[genre], niche + 1)

    def affinity(self, user: Integers, title: Integers) -> Floats:
        """Return how well titles suit users, in [0, 1]; the two arguments broadcast."""
        user, title = np.broadcast_arrays(user, title)
        genre, niche = self.titles.genres[title, 0], self.titles.niche[title]
        taste = self.taste[self.group[user]]
        liking = np.take_along_axis(taste, genre[..., None], -1)[..., 0] / taste.max(-1)
        place_liking = np.zeros(user.shape)
        for place, share in enumerate(NICHE_SHARES):
            is_here = self.favourite_niche(user, genre, place) == niche
            np.maximum(place_liking, is_here * (share / NICHE_SHARES[0]), out=place_liking)
        affinity: Floats = AFFINITY_GENRE * liking + AFFINITY_NICHE * place_liking
        return affinity + AFFINITY_QUALITY * self.titles.quality[title]

    def popularity(self, event_time: float) -> Floats:
        """Return each title's popularity at a time; 0 before its release."""
        return self.titles.appeal * freshness(event_time - self.titles.released)


def _titles(settings: WorldSettings) -> Titles:
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


def _taste(settings: WorldSettings, n_genres: int) -> Floats:
    rng = settings.generator(_TASTE)
    order = rng.permuted(np.tile(np.arange(n_genres), (N_GROUPS, 1)), axis=1)
    rest = 1 - sum(GENRE_SHARES)
    shares = np.full(n_genres, rest / n_genres)
    n_favourites = min(n_genres, len(GENRE_SHARES))
    shares[:n_favourites] += GENRE_SHARES[:n_favourites]
    taste: Floats = shares[order] / shares.sum()
    return taste
