"""People of a :class:`~models.world.World` watch: sessions of views in the order of time."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from models.choosing import Choosing, Viewers
from models.drawing import pick
from models.rhythm import START_S, event_clock
from models.world import World, WorldSettings

VIEW = np.dtype(
    [
        ("user", np.int32),
        ("title", np.int32),
        ("session", np.int64),
        ("event_time", np.float64),
        ("view_time", np.float64),
        ("rating", np.float64),
        ("changes", np.int64),
    ]
)
SESSION = np.dtype(
    [("user", np.int64), ("session", np.int64), ("length", np.int64), ("start", np.float64)]
)
Views = NDArray[np.void]  # of VIEW; NaN is a missing value, changes are as in World.affected

MEAN_SESSION, MAX_SESSION = 4.0, 16
MAX_VIEWS_A_DAY = 6  # of the average person; the busiest watch thirteen times as much
SHARE_UNRATED, SHARE_UNTIMED = 0.04, 0.03
PAUSE_S = 20.0

_SESSIONS = 100


def views(world: World, n_events: int, *, chunk_size: int = 16_384) -> Iterator[Views]:
    """Yield the log of a world in chunks, in the order of event time.

    Parameters
    ----------
    world
        Who watches what.
    n_events
        Exact number of views, at least 1; at most 6 a user and day on average.
    chunk_size
        Views a chunk, at least 1 (the last one is shorter). It changes no view.

    Yields
    ------
    structured array
        Columns of ``VIEW``. A user's event times (end of a view, whole milliseconds) are distinct.

    Raises
    ------
    ValueError
        If the users cannot watch that much in the days of the world.

    Notes
    -----
    About 2 us an event. Memory is a chunk, the views of the sessions that are open, 8 bytes a
    user and up to 64 MB to remember what was watched, whatever the number of events.

    Examples
    --------
    >>> from models.world import WorldSettings
    >>> world = World(WorldSettings(n_users=50, n_titles=200, seed=7))
    >>> [len(chunk) for chunk in views(world, 1_000, chunk_size=400)]
    [400, 400, 200]
    """
    if chunk_size < 1:
        raise ValueError(f"chunk_size must be at least 1, not {chunk_size}")
    held: list[Views] = []
    for part in _in_order(Viewing(world, n_events)):
        held.append(part)
        if sum(map(len, held)) >= chunk_size:
            rows = np.concatenate(held)
            n_full = len(rows) - len(rows) % chunk_size
            yield from np.split(rows[:n_full], range(chunk_size, n_full, chunk_size))
            held = [rows[n_full:]]
    rest = np.concatenate(held)
    if len(rest):
        yield rest


def _in_order(viewing: Viewing) -> Iterator[Views]:
    open_views = np.empty(0, VIEW)
    while viewing.has_more:
        open_views = np.concatenate([open_views, *viewing.next_sessions()])
        open_views = open_views[np.lexsort((open_views["session"], open_views["event_time"]))]
        n_done = np.searchsorted(open_views["event_time"], viewing.watermark)
        yield open_views[:n_done]
        open_views = open_views[n_done:]
    yield open_views


def check_n_events(settings: WorldSettings, n_events: int) -> None:
    """Raise ValueError unless the users of a world can watch that many times."""
    most = settings.n_users * settings.days * MAX_VIEWS_A_DAY
    if not 1 <= n_events <= most:
        raise ValueError(
            f"{settings.n_users} users watch 1 to {most} times in {settings.days} days, "
            f"not {n_events} times: ask for more users or days"
        )


class Viewing:
    """Makes sessions, a block at a time, in the order in which they start.

    Session starts follow the rhythm of hours and days: the session whose first view is the c-th
    of N starts where a share c / N of the rhythm's mass has passed. A person who is still watching
    starts later. Each block has a random generator of its own.

    A view that ends after a change of taste or catalogue was chosen after it, so that a log in
    the order of event time changes from one line to the next.

    Parameters
    ----------
    world
        Who watches what.
    n_events
        Views to make, exactly.

    Attributes
    ----------
    watermark : float
        No view of a later block is earlier than this event time.
    """

    def __init__(self, world: World, n_events: int) -> None:
        settings = world.settings
        check_n_events(settings, n_events)
        self.world, self.n_events, self.watermark = world, n_events, START_S
        self._n_made = self._n_sessions = self._n_blocks = 0
        self._block_size = int(np.clip(settings.n_users // 8, 16, 4096))
        self._free_from = np.zeros(len(world.people))
        self._choosing = Choosing(world, n_events)

    @property
    def has_more(self) -> bool:
        """Whether sessions are left to make."""
        return self._n_made < self.n_events

    def next_sessions(self) -> list[Views]:
        """Return the views of the next block of sessions, in no particular order."""
        rng = self.world.settings.generator(_SESSIONS, self._n_blocks)
        sessions = self._sessions(rng)
        self._n_blocks += 1
        self._n_sessions += len(sessions)
        self._n_made += int(sessions["length"].sum())
        self._choosing.weigh(float(sessions["start"][0]))
        rows = [rows for wave in _waves(sessions) for rows in self._walk(rng, wave)]
        self.watermark = float(event_clock(self._n_made / self.n_events, self.world.settings.days))
        return rows

    def _sessions(self, rng: np.random.Generator) -> NDArray[np.void]:
        n = self._block_size
        length = np.minimum(rng.geometric(1 / MEAN_SESSION, n), MAX_SESSION)
        first = self._n_made + np.cumsum(length) - length
        share = (first + rng.random(n) * length) / self.n_events
        sessions = np.empty(n, SESSION)
        sessions["user"] = pick(self.world.people.activity, rng.random(n))
        sessions["session"] = self._n_sessions + np.arange(n)
        sessions["length"] = np.minimum(length, self.n_events - first)
        sessions["start"] = event_clock(share, self.world.settings.days)
        for crowd in self.world.people.crowds:
            theirs = np.flatnonzero(crowd.change.is_on_at(sessions["start"]))
            theirs = theirs[rng.random(len(theirs)) < crowd.change.strength]
            sessions["user"][theirs] = crowd.draw(rng.random(len(theirs)))
        return sessions[first < self.n_events]

    def _walk(self, rng: np.random.Generator, sessions: NDArray[np.void]) -> Iterator[Views]:
        """Yield the first views of all sessions, then the second ones, and so on."""
        sessions = sessions[np.argsort(-sessions["length"], kind="stable")]
        user = sessions["user"]
        time = np.maximum(sessions["start"], self._free_from[user])
        title = np.full(len(sessions), -1)
        for step in range(int(sessions["length"][0])):
            n = int(np.count_nonzero(sessions["length"] > step))
            on = self.world.phases.on(user[:n], time[:n])
            rows = self._views(rng, sessions[:n], Viewers(user[:n], title[:n], time[:n], on))
            title[:n], time[:n] = rows["title"], rows["event_time"]
            yield rows
        self._free_from[user] = time

    def _views(
        self, rng: np.random.Generator, sessions: NDArray[np.void], before: Viewers
    ) -> Views:
        """Return a view of each session; those that end after a change are chosen after it."""
        rows = self._watch(rng, sessions, before)
        on = self.world.phases.on(before.user, rows["event_time"])
        late = np.flatnonzero(on != before.on)
        if len(late):
            ends = rows["event_time"][late]
            again = self._watch(rng, sessions[late], before._replace(on=on).some(late))
            again["event_time"] = np.maximum(ends, again["event_time"])
            rows[late] = again
        rows["changes"] = self.world.affected(rows["user"], rows["title"], on)
        return rows

    def _watch(
        self, rng: np.random.Generator, sessions: NDArray[np.void], before: Viewers
    ) -> Views:
        n, title = len(sessions), self._choosing.choose(rng, before)
        affinity = self.world.affinity(before.user, title, self.world.phases.numbered(before.on))
        share = np.clip(0.1 + 0.8 * affinity + 0.2 * rng.standard_normal(n), 0.02, 1.0)
        rating = np.clip(np.rint(2 + 7 * affinity + 1.2 * rng.standard_normal(n)), 1, 10)
        watched = np.round(self.world.titles.duration[title] * share, 1)
        rows = np.empty(n, VIEW)
        rows["user"], rows["session"], rows["title"] = sessions["user"], sessions["session"], title
        # one second at least, so that a person's times are distinct
        rows["event_time"] = np.round(before.time + 1 + watched + rng.exponential(PAUSE_S, n), 3)
        rows["view_time"] = np.where(rng.random(n) < SHARE_UNTIMED, np.nan, watched)
        rows["rating"] = np.where(rng.random(n) < SHARE_UNRATED, np.nan, rating)
        return rows


def _waves(sessions: NDArray[np.void]) -> Iterator[NDArray[np.void]]:
    """Split sessions so that a person is in each part once."""
    user = sessions["user"]
    order = np.argsort(user, kind="stable")
    is_first = np.diff(user[order], prepend=-1) != 0
    index = np.arange(len(user))
    occurrence = np.empty(len(user), np.int64)
    occurrence[order] = index - np.maximum.accumulate(np.where(is_first, index, 0))
    for time in range(int(occurrence.max()) + 1):
        yield sessions[occurrence == time]
