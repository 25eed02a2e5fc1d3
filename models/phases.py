"""Phases of a world: which titles go together and who likes them, by the changes that are on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.changes import CatalogueChange, Change, TasteChange
from models.drawing import Floats, Integers, hashed_uniform
from models.people import N_GROUPS, People
from models.rhythm import START_S
from models.titles import Titles
from models.world_settings import WorldSettings

_PHASES = 5
_OF_STRENGTH, _OF_START = 0x5, 0x6  # keep two hashed numbers of a person apart


@dataclass(frozen=True, slots=True)
class Arrangement:
    """Who plays which part in one phase.

    Parameters
    ----------
    title_at
        The title at each role: a place in the order of the niches, such as a title is born with.
    group_at
        For each group, the one whose taste for genres it has.
    niche_seed
        For each genre, what the favourite niches of people are hashed with.
    """

    title_at: Integers
    group_at: Integers
    niche_seed: Integers


class Phases:
    """All phases that have come up, as stacked tables.

    A phase is a set of changes that are on together for a person; phase 0 is that of a world in
    which nothing changes. Every role keeps its genre in all phases, and whether its titles are
    there from the start.

    Parameters
    ----------
    settings
        Size and seed of the world.
    people, titles
        All, also those who come later.
    changes
        Everything that changes; those of taste and catalogue make phases.
    arrivals
        For each of the changes its new titles and whose places they take; None where it has none.

    Attributes
    ----------
    title_at, role_of : arrays of (phases, roles) and (phases, titles)
        The title at each role, and back; one that is not there has the role it had or will have.
    group_at, niche_seed : arrays of (phases, groups) and (phases, genres)
        As in `Arrangement`.
    """

    def __init__(
        self,
        settings: WorldSettings,
        people: People,
        titles: Titles,
        changes: Sequence[Change],
        arrivals: Sequence[tuple[Integers, Integers] | None],
    ) -> None:
        self.settings, self.people, self.changes = settings, people, changes
        self._titles, self._arrivals = titles, arrivals
        self._home = np.arange(len(titles))
        for new, old in filter(None, arrivals):
            self._home[new] = old
        self._starts = {
            place: self._starts_of(place, change)
            for place, change in enumerate(changes)
            if isinstance(change, TasteChange | CatalogueChange)
        }
        self._number = np.full(1 << len(changes), -1)
        self._arrangements: list[Arrangement] = []
        self._add(0)

    def __len__(self) -> int:
        return len(self._arrangements)

    def on(self, user: Integers, time: Floats) -> Integers:
        """Return which changes are on for people at times: bit i for change i."""
        bits = np.zeros(len(user), np.int64)
        for place, starts in self._starts.items():
            change = self.changes[place]
            is_on = time >= starts[user]
            if isinstance(change, TasteChange) and change.shape == "recurring":
                is_on &= (time - change.begin) % change.period_s < change.period_s / 2
            if np.isfinite(change.end) and not _stays(change):
                is_on &= time < change.end
            bits |= is_on.astype(np.int64) << place
        return bits

    def numbered(self, on: Integers) -> Integers:
        """Return the phase of each set of changes, in the tables from now on."""
        phase = self._number[on]
        if len(phase) and phase.min() < 0:
            for bits in np.unique(on[phase < 0]).tolist():
                self._add(bits)
            phase = self._number[on]
        return phase

    def _starts_of(self, place: int, change: Change) -> Floats:
        """Return when the change begins for each person; infinite where it never does."""
        user, seed = np.arange(len(self.people)), self.settings.seed
        starts = np.full(len(user), change.begin)
        if isinstance(change, CatalogueChange):
            return starts
        if _stays(change):
            delay = hashed_uniform(seed, user, place, _OF_START)
            starts += delay * (change.end - change.begin)
        is_out = hashed_uniform(seed, user, place, _OF_STRENGTH) >= change.strength
        if change.device is not None:
            is_out |= self.people.device != change.device
        return np.where(is_out, np.inf, starts)

    def _add(self, bits: int) -> None:
        now = self._unchanged()
        for place in self._starts:
            if bits >> place & 1:
                now = self._changed(now, place)
        self._number[bits] = len(self)
        self._arrangements.append(now)
        self.title_at = np.stack([phase.title_at for phase in self._arrangements])
        self.role_of = np.stack([self._roles(phase) for phase in self._arrangements])
        self.group_at = np.stack([phase.group_at for phase in self._arrangements])
        self.niche_seed = np.stack([phase.niche_seed for phase in self._arrangements])

    def _unchanged(self) -> Arrangement:
        n_groups, n_genres = self.people.taste.shape
        seed = np.full(n_genres, self.settings.seed)
        return Arrangement(np.arange(self.settings.n_titles), np.arange(n_groups), seed)

    def _roles(self, phase: Arrangement) -> Integers:
        role_of = self._home.copy()
        role_of[phase.title_at] = np.arange(len(phase.title_at))
        return role_of

    def _changed(self, now: Arrangement, place: int) -> Arrangement:
        arrival = self._arrivals[place]
        if arrival is not None:
            heir = np.arange(len(self._titles))
            heir[arrival[1]] = arrival[0]
            return Arrangement(heir[now.title_at], now.group_at, now.niche_seed)
        rng, genre = self.settings.generator(_PHASES, place), self.changes[place].genre
        seed, group_at = now.niche_seed.copy(), now.group_at
        # far from the seeds of other worlds
        seed[slice(None) if genre is None else genre] += (place + 1) << 40
        if genre is None:
            group_at = group_at[_swapped(rng, len(group_at))]
        return Arrangement(self._shuffled(rng, genre, now.title_at), group_at, seed)

    def _shuffled(
        self, rng: np.random.Generator, genre: int | None, title_at: Integers
    ) -> Integers:
        """Return the title at each role after those in scope have changed places.

        Each takes the place of the next in a random round of those of its first genre and age, so
        that none but a lone one stays.
        """
        titles = self._titles
        kind = 2 * titles.genres[title_at, 0] + (titles.released[title_at] >= START_S)
        roles = np.flatnonzero(titles.in_genre(title_at, genre))
        roles = roles[np.lexsort((rng.random(len(roles)), kind[roles]))]
        first = np.searchsorted(kind[roles], kind[roles])
        is_last = np.diff(kind[roles], append=-1) != 0
        following = np.where(is_last, first, np.arange(len(roles)) + 1)
        shuffled = title_at.copy()
        shuffled[roles] = title_at[roles[following]]
        return shuffled


def _stays(change: Change) -> bool:
    """Whether the end of a change is that of the transition, not of the change."""
    return isinstance(change, TasteChange) and change.shape == "gradual"


def _swapped(rng: np.random.Generator, n: int) -> NDArray[np.int64]:
    """Return another group for each group that is there from the start."""
    order = np.arange(n)
    shuffled = rng.permutation(N_GROUPS)
    order[shuffled] = np.roll(shuffled, 1)
    return order
