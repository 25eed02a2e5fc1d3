"""Judged events as the engine hands them to its detectors, without an engine."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from models.alarms import Alarm
from models.batch import Batch, new_judged
from models.names import Names
from models.quality_alarms import QualityAlarms
from models.quality_state import N_ALARMS, QualityWatch, new_quality_watch
from models.quality_watch import watch_quality
from models.state import Titles, new_titles

LONGEST = 384
"""Length of every shortlist."""
K = 10


class Event(NamedTuple):
    """A judged event: ``depth`` is 0 where the title was not in the shortlist."""

    user: int
    title: int
    depth: int
    n_events: int = 40
    is_new: bool = False
    device: int = -1
    source: int = -1


class Raised(NamedTuple):
    """An alarm of the kernel, with the number of the event that raised it."""

    event: int
    detector: int
    scope: int
    onset: float
    onset_n: int
    n_since: int
    before: float
    after: float


class Watched:
    """The kernel's state, fed event by event; an event's time is its number."""

    def __init__(
        self, genres: Sequence[Sequence[int]], quality: QualityWatch | None = None
    ) -> None:
        self.quality: QualityWatch = new_quality_watch() if quality is None else quality
        self.titles: Titles = new_titles(len(genres))
        self.n_fed = 0
        for title, of_title in enumerate(genres):
            self.titles.genres[title, : len(of_title)] = of_title

    def feed(self, events: Iterable[Event]) -> list[Raised]:
        """Take events in order; return the alarms that they raised."""
        return [raised for event in events for raised in self.take(event)]

    def take(self, event: Event) -> list[Raised]:
        """Take one event; return the alarms that it raised, which stay in the state."""
        judged = new_judged(1, K)
        judged.depth[0], judged.rank[0] = event.depth, event.depth if event.depth <= K else 0
        judged.segment[0] = event.is_new
        self.quality.counts[N_ALARMS] = 0
        watch_quality(
            self.quality, self.titles, self._batch(event), 0, judged, event.n_events, LONGEST
        )
        self.n_fed += 1
        n = int(self.quality.counts[N_ALARMS])
        rows = zip(self.quality.alarm[:n].tolist(), self.quality.alarm_values[:n], strict=True)
        return [
            Raised(self.n_fed - 1, *alarm, v[0], int(v[1]), int(v[2]), v[3], v[4])
            for alarm, v in rows
        ]

    def _batch(self, event: Event) -> Batch:
        return Batch(
            user=np.array([event.user], np.int32),
            title=np.array([event.title], np.int32),
            time=np.array([float(self.n_fed)]),
            group_time=np.array([float(self.n_fed)]),
            strength=np.ones(1, np.float32),
            is_positive=np.ones(1, np.bool_),
            is_emitted=np.zeros(1, np.bool_),
            device=np.array([event.device], np.int16),
            source=np.array([event.source], np.int16),
        )


class Told:
    """Events through the kernel and its alarms into words, as the engine does it.

    Genre 3 is named ``g3``; devices are ``tv`` and ``phone``, sources ``home`` and ``search``.
    """

    def __init__(self, genres: Sequence[Sequence[int]]) -> None:
        self.alarms = QualityAlarms(K)
        self.watched = Watched(genres, self.alarms.state)
        self.genres = Names(256)
        for number in range(1 + max((g for of_title in genres for g in of_title), default=0)):
            self.genres.add(f"g{number}")
        for names, labels in (
            (self.alarms.devices, ("tv", "phone")),
            (self.alarms.sources, ("home", "search")),
        ):
            for label in labels:
                names.add(label)

    def feed(self, events: Iterable[Event]) -> list[tuple[int, Alarm]]:
        """Take events in order; return the alarms with the number of the event of each."""
        found = []
        for event in events:
            if self.watched.take(event):
                at = self.watched.n_fed - 1
                told = self.alarms.take(self.genres, float(at))
                found += [(at, told[0])] if told else []
        return found


class Visitors:
    """People who come in sessions, some easier to foretell than others.

    Parameters
    ----------
    n_titles
        Titles that are watched, evenly.
    """

    def __init__(self, n_titles: int, *, n_users: int = 400, seed: int = 0) -> None:
        self._rng = random.Random(seed)
        self._ease = [self._rng.gauss(0.0, 0.5) for _ in range(n_users)]
        self._n_titles = n_titles
        self._user, self._left = 0, 0

    def events(self, n: int, *, worse: float = 0.0, among: Iterable[int] = ()) -> list[Event]:
        """Return events; those of the titles ``among`` are deeper by so many bits, all if none."""
        titles = set(among)
        return [self._event(worse, titles) for _ in range(n)]

    def _event(self, worse: float, among: set[int]) -> Event:
        rng = self._rng
        if self._left == 0:
            self._user, self._left = rng.randrange(len(self._ease)), rng.randint(1, 12)
        self._left -= 1
        title = rng.randrange(self._n_titles)
        bits = rng.gauss(4.0 + self._ease[self._user], 1.8)
        bits += worse if not among or title in among else 0.0
        depth = max(round(2.0**bits) - 1, 1)
        return Event(
            user=self._user,
            title=title,
            depth=depth if depth <= LONGEST else 0,
            n_events=rng.choice([2, 9, 40, 300]),
            is_new=self._user % 8 == 0,
            device=self._user % 3 - 1,
            source=self._user % 2,
        )
