"""What people of a :class:`~models.world.World` choose to watch."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.changes import HitRelease
from models.drawing import Floats, Integers, cumulated, hashed, pick
from models.rhythm import START_S
from models.titles import freshness
from models.world import NICHE_SHARES, World

# What leads from one view of a session to the next; otherwise another title of the niche.
SHARE_FRESH, SHARE_TRENDING, SHARE_ADJACENT, SHARE_NEXT = 0.12, 0.08, 0.08, 0.35
MAX_REMEMBERED = 1 << 23  # slots of 8 bytes

_PLACE_SUMS = cumulated(np.array(NICHE_SHARES))


class Viewers(NamedTuple):
    """People about to choose a title, as columns.

    Attributes
    ----------
    user
        Who.
    before
        The title before in the session, -1 for none.
    time
        When they choose.
    on
        Changes of taste and catalogue that are on for them, as in `models.phases.Phases.on`.
    """

    user: Integers
    before: Integers
    time: Floats
    on: Integers

    def some(self, index: Integers) -> Viewers:
        """Return some of them."""
        return Viewers(self.user[index], self.before[index], self.time[index], self.on[index])


class Watched:
    """Pairs of user and title that were watched, in a bounded table that forgets on collision.

    Parameters
    ----------
    n_pairs
        Pairs to expect; the table has at most ``MAX_REMEMBERED`` slots.
    """

    def __init__(self, n_pairs: int) -> None:
        n_bits = min(2 * n_pairs, MAX_REMEMBERED).bit_length() - 1
        self._shift = np.uint64(64 - n_bits)
        self._slots = np.zeros(1 << n_bits, np.uint64)

    def has(self, user: Integers, title: Integers) -> NDArray[np.bool_]:
        """Return which pairs are remembered."""
        pair = hashed(user, title)
        is_here: NDArray[np.bool_] = self._slots[pair >> self._shift] == pair
        return is_here

    def add(self, user: Integers, title: Integers) -> None:
        """Remember pairs."""
        pair = hashed(user, title)
        self._slots[pair >> self._shift] = pair


class Hits(NamedTuple):
    """Titles that a release brings, and who has watched which: a byte a person and hit."""

    change: HitRelease
    titles: Integers
    is_watched: NDArray[np.bool_]


class Choosing:
    """Chooses titles for people, by their taste, the title before and popularity.

    Parameters
    ----------
    world
        Who likes what.
    n_views
        Views to expect, for the memory of what was watched.
    """

    def __init__(self, world: World, n_views: int) -> None:
        self.world = world
        self._watched = Watched(n_views)
        self._hits = [
            Hits(change, hits, np.zeros((len(world.people), len(hits)), np.bool_))
            for change, hits in zip(world.changes, world.arrivals, strict=True)
            if isinstance(change, HitRelease) and hits is not None
        ]
        self.weigh(START_S)

    def weigh(self, event_time: float) -> None:
        """Let titles be as popular as at an event time."""
        self._weighed_at = event_time
        weights = self.world.popularity(event_time)[self.world.phases.title_at]
        self._role_sums = cumulated(weights.ravel())  # phase after phase

    def choose(self, rng: np.random.Generator, viewers: Viewers) -> Integers:
        """Return a title for each of some people, and remember that they have watched it."""
        user, phase = viewers.user, self._phase(viewers.on)
        before = np.where(viewers.before < 0, -1, self.world.phases.role_of[phase, viewers.before])
        niche = self._niche(rng, user, before, phase)
        title = self._draw(rng, niche, phase)
        title = self._follow(rng, before, title, viewers.time, phase)
        for stays in (True, True, True, False, False):
            seen = np.flatnonzero(self._watched.has(user, title))
            again = niche[seen] if stays else self._trending_niche(rng, phase[seen])
            title[seen] = self._draw(rng, again, phase[seen])
        for hits in self._hits:
            self._pull(rng, viewers, hits, title)
        self._watched.add(user, title)
        return title

    def _phase(self, on: Integers) -> Integers:
        phases = self.world.phases
        n_before = len(phases)
        phase = phases.numbered(on)
        if len(phases) > n_before:
            self.weigh(self._weighed_at)
        return phase

    def _niche(
        self, rng: np.random.Generator, user: Integers, before: Integers, phase: Integers
    ) -> Integers:
        limits = np.cumsum([SHARE_FRESH, SHARE_TRENDING, SHARE_ADJACENT])
        way = rng.random(len(user)) * np.where(before < 0, limits[1], 1.0)
        same = self.world.titles.niche[before]
        return np.select(
            [way < limit for limit in limits],
            [
                self._favourite_niche(rng, user, phase),
                self._trending_niche(rng, phase),
                self.world.adjacent_niche(same),
            ],
            same,
        )

    def _favourite_niche(
        self, rng: np.random.Generator, user: Integers, phase: Integers
    ) -> Integers:
        genre = self.world.genre(user, rng.random(len(user)), phase)
        place = pick(_PLACE_SUMS, rng.random(len(user)))
        return self.world.favourite_niche(user, genre, place, phase)

    def _trending_niche(self, rng: np.random.Generator, phase: Integers) -> Integers:
        n_roles = self.world.settings.n_titles
        start = phase * n_roles
        role = pick(self._role_sums, rng.random(len(phase)), start, start + n_roles) - start
        return self.world.titles.niche[role]

    def _draw(self, rng: np.random.Generator, niche: Integers, phase: Integers) -> Integers:
        """Return a title of each niche, by popularity."""
        start, first = phase * self.world.settings.n_titles, self.world.first_title
        uniform = rng.random(len(niche))
        role = pick(self._role_sums, uniform, start + first[niche], start + first[niche + 1])
        return self.world.phases.title_at.ravel()[role]

    def _follow(
        self,
        rng: np.random.Generator,
        before: Integers,
        title: Integers,
        time: Floats,
        phase: Integers,
    ) -> Integers:
        """Replace some titles of the niche of the one before by its next title, if released."""
        titles, phases = self.world.titles, self.world.phases
        role = np.minimum(before + 1, self.world.settings.n_titles - 1)
        following = phases.title_at[phase, role]
        follows = (
            (rng.random(len(title)) < SHARE_NEXT)
            & (before >= 0)
            & (titles.niche[phases.role_of[phase, title]] == titles.niche[before])
            & (titles.niche[role] == titles.niche[before])
            & (titles.released[following] <= time)
        )
        return np.where(follows, following, title)

    def _pull(
        self, rng: np.random.Generator, viewers: Viewers, hits: Hits, title: Integers
    ) -> None:
        """Put a hit in the place of some titles, for people who have not watched it."""
        change, user = hits.change, viewers.user
        pull = change.strength * freshness(viewers.time - change.begin)
        pull *= change.is_on_at(viewers.time)
        if not pull.any():
            return
        if change.device is not None:
            pull *= self.world.people.device[user] == change.device
        place = rng.integers(len(hits.titles), size=len(title))
        is_pulled = rng.random(len(title)) < pull
        is_pulled &= ~hits.is_watched[user, place]
        title[is_pulled] = hits.titles[place[is_pulled]]
        hits.is_watched[user[is_pulled], place[is_pulled]] = True
