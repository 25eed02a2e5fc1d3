"""A small world where the truth is known: people with tastes, titles that age, planted changes.

:mod:`models.viewing` lets the people watch.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models.changes import (
    MAX_CHANGES,
    CatalogueChange,
    Change,
    HitRelease,
    NewAudience,
    TasteChange,
)
from models.drawing import Floats, Integers, cumulated, hashed_uniform, pick
from models.people import People
from models.phases import Phases
from models.rhythm import DAY_S
from models.titles import freshness, titles_of
from models.world_settings import WorldSettings

__all__ = ["World", "WorldSettings"]

# Of a person's fresh choices within a genre these shares go to three niches of their own.
NICHE_SHARES = (0.6, 0.3, 0.1)
NICHE_EXPONENT = 0.5  # Zipf's law of the niches of a genre
AFFINITY_GENRE, AFFINITY_NICHE, AFFINITY_QUALITY = 0.35, 0.40, 0.25
HIT_QUALITY = 0.9

_NICHES, _ARRIVALS = 2, 6


class World:
    r"""People and titles, and the truth about who likes what and what changes.

    Titles fall into niches of about 24, niches into genres. People fall into groups with a taste
    for genres; each person has three favourite niches a genre. The affinity of user u for title i
    is

    .. math:: a(u, i) = 0.35\,\frac{t(u, g_i)}{\max_g t(u, g)} + 0.4\,n(u, i) + 0.25\,q_i

    with t the taste of u's group for the title's genre g, n the share of the title's niche among
    u's niches of that genre (1 for the first favourite, 0 for a stranger) and q the quality. The
    popularity of a title is its appeal (Zipf's law over a random order) times the
    :func:`~models.titles.freshness` of its age.

    Parameters
    ----------
    settings
        Size and seed.
    changes
        What changes, and when; without them everything holds still.

    Attributes
    ----------
    titles : Titles
        Columns of ``n_titles``, then of the titles that changes bring.
    people : People
        Who watches.
    phases : Phases
        Which titles make up a niche, and who likes it, by the changes that are on.
    arrivals : list of arrays or None
        For each change the titles it brings.

    Raises
    ------
    ValueError
        If there are more than 16 changes.

    Notes
    -----
    Favourite niches are hashed from the user when asked for, so that a person costs the group,
    the device and the activity only, and 8 bytes a change of taste.

    Examples
    --------
    >>> world = World(WorldSettings(n_users=50, n_titles=200, seed=7))
    >>> world.affinity(np.array([0, 0]), np.array([0, 199])).round(3)
    array([0.607, 0.534])
    """

    def __init__(self, settings: WorldSettings, changes: Sequence[Change] = ()) -> None:
        if len(changes) > MAX_CHANGES:
            raise ValueError(f"a world has at most {MAX_CHANGES} changes, not {len(changes)}")
        self.settings, self.changes = settings, tuple(changes)
        self.titles = titles_of(settings)
        self.n_genres = int(self.titles.genres.max()) + 1
        self._arrange_niches()
        audiences = [change for change in changes if isinstance(change, NewAudience)]
        self.people = People(settings, self.n_genres, audiences)
        places = [self._arrive(number, change) for number, change in enumerate(changes)]
        self.arrivals = [None if place is None else place[0] for place in places]
        self.phases = Phases(settings, self.people, self.titles, self.changes, places)
        self._taste_sums = cumulated(self.people.taste.ravel())

    def _arrange_niches(self) -> None:
        niche = self.titles.niche
        n_niches = int(niche[-1]) + 1
        self.first_title = np.searchsorted(niche, np.arange(n_niches + 1))
        self.niche_genre = self.titles.genres[self.first_title[:-1], 0]
        self._first_niche = np.searchsorted(self.niche_genre, np.arange(self.n_genres + 1))
        order = self.settings.generator(_NICHES).permutation(n_niches)
        self._niche_sums = cumulated(np.float_power(order + 1, -NICHE_EXPONENT))

    def _arrive(self, number: int, change: Change) -> tuple[Integers, Integers] | None:
        """Add the titles that a change brings; return them and those whose places they take."""
        rng, n = self.settings.generator(_ARRIVALS, number), self.settings.n_titles
        in_scope = np.flatnonzero(self.titles.in_genre(np.arange(n), change.genre))
        if isinstance(change, CatalogueChange):
            n_new = max(1, round(change.strength * len(in_scope)))
        elif isinstance(change, HitRelease):
            if change.genre is not None:  # the only one it will have
                in_scope = in_scope[self.titles.genres[in_scope, 0] == change.genre]
            n_new = change.n_titles
        else:
            return None
        old = np.sort(rng.choice(in_scope, n_new, replace=n_new > len(in_scope)))
        new = np.arange(len(self.titles), len(self.titles) + n_new)
        self.titles = self.titles.and_like(old, rng)
        if isinstance(change, HitRelease):
            self.titles.genres[new, 1] = -1
            self.titles.appeal[new] = 0.0  # it is chosen by its own pull alone
            self.titles.quality[new] = HIT_QUALITY
            self.titles.released[new] = change.begin // DAY_S * DAY_S
        return new, old

    def genre(self, user: Integers, uniform: Floats, phase: Integers | int = 0) -> Integers:
        """Return the genre that each user's taste picks for a uniform number."""
        row = self.phases.group_at[phase, self.people.group[user]] * self.n_genres
        return pick(self._taste_sums, uniform, row, row + self.n_genres) - row

    def favourite_niche(
        self, user: Integers, genre: Integers, place: Integers | int, phase: Integers | int = 0
    ) -> Integers:
        """Return the niche in each user's first, second or third place (0, 1, 2) of a genre."""
        uniform = hashed_uniform(self.phases.niche_seed[phase, genre], user, genre, place)
        first, last = self._first_niche[genre], self._first_niche[genre + 1]
        return pick(self._niche_sums, uniform, first, last)

    def adjacent_niche(self, niche: Integers) -> Integers:
        """Return the next niche of the same genre, going round."""
        genre = self.niche_genre[niche]
        last = niche + 1 == self._first_niche[genre + 1]
        return np.where(last, self._first_niche[genre], niche + 1)

    def affinity(self, user: Integers, title: Integers, phase: Integers | int = 0) -> Floats:
        """Return how well titles suit users, in [0, 1]; the arguments broadcast."""
        user, title, phase = np.broadcast_arrays(user, title, phase)
        genre = self.titles.genres[title, 0]
        niche = self.titles.niche[self.phases.role_of[phase, title]]
        taste = self.people.taste[self.phases.group_at[phase, self.people.group[user]]]
        liking = np.take_along_axis(taste, genre[..., None], -1)[..., 0] / taste.max(-1)
        place_liking = np.zeros(user.shape)
        for place, share in enumerate(NICHE_SHARES):
            is_here = self.favourite_niche(user, genre, place, phase) == niche
            np.maximum(place_liking, is_here * (share / NICHE_SHARES[0]), out=place_liking)
        affinity: Floats = AFFINITY_GENRE * liking + AFFINITY_NICHE * place_liking
        return affinity + AFFINITY_QUALITY * self.titles.quality[title]

    def popularity(self, event_time: float) -> Floats:
        """Return each title's popularity at a time; 0 before its release."""
        return self.titles.appeal * freshness(event_time - self.titles.released)

    def affected(self, user: Integers, title: Integers, on: Integers) -> NDArray[np.int64]:
        """Return which changes show in views: bit i for change i.

        Parameters
        ----------
        user, title
            Who watched what.
        on
            The changes of taste and catalogue that were on for the user, as in `Phases.on`.
        """
        bits = np.zeros(len(user), np.int64)
        for place, change in enumerate(self.changes):
            bits |= self._shows(place, change, user, title, on).astype(np.int64) << place
        return bits

    def _shows(
        self, place: int, change: Change, user: Integers, title: Integers, on: Integers
    ) -> NDArray[np.bool_]:
        if isinstance(change, TasteChange):
            is_on = (on >> place & 1).astype(bool)
            return is_on & self.titles.in_genre(title, change.genre)
        if isinstance(change, NewAudience):
            crowd = next(c for c in self.people.crowds if c.change is change)
            return (user >= crowd.first) & (user < crowd.first + change.n_users)
        new = self.arrivals[place]
        if new is None:
            return np.zeros(len(user), np.bool_)
        return (title >= new[0]) & (title <= new[-1])
