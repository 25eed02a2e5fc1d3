"""The arrays that an engine consists of, grouped by what they describe.

Every group is a ``NamedTuple`` of NumPy arrays, because that is what numba's kernels take, and
what a snapshot writes. A group grows by replacing arrays with larger ones between kernel calls.
"""

from __future__ import annotations

from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from models.feature_names import N_FEATURES
from models.pools import Pool, new_pool

HALF_LIVES_S = (30 * 86400.0, 7 * 86400.0, 2 * 86400.0, 12 * 3600.0, 3 * 3600.0, 45 * 60.0)
"""Half-lives of the decayed popularities in seconds; a last popularity never decays."""
POPULARITY_NAMES = ("30d", "7d", "2d", "12h", "3h", "45min", "all")
N_POPULARITIES = len(POPULARITY_NAMES)
N_CHANNELS = 4
"""Weights of a neighbour: forward, backward, fast, last-step."""
MAX_GENRES = 8
MAX_CREATORS = 4
N_GENRES = 256
"""Distinct genres kept; titles' further genres are ignored."""
SHORTLIST_SIZE = 384
TOP_SIZE = 128
GENRE_TOP_SIZE = 64
CREATOR_RECENT = 16
MAX_HISTORY = 4096
"""A user's most recent titles that are known exactly; twice as many are held before trimming."""


class Users(NamedTuple):
    """One row a user; ``history`` lists the distinct titles consumed, oldest first.

    A user costs 76 bytes, 4 k for the list of the open tie group, and 4 to 8 bytes a title.
    """

    start: NDArray[np.int64]
    length: NDArray[np.int32]
    size_class: NDArray[np.int32]
    last_time: NDArray[np.float64]
    group_time: NDArray[np.float64]
    n_events: NDArray[np.int32]
    group_slot: NDArray[np.int32]
    is_cold: NDArray[np.uint8]
    group_list: NDArray[np.int32]
    pending: NDArray[np.int32]
    last_event: NDArray[np.int64]


class Titles(NamedTuple):
    """One row a title: views, content and its place in the pool of neighbours."""

    popularity: NDArray[np.float32]
    popularity_time: NDArray[np.float64]
    views: NDArray[np.int32]
    first_seen: NDArray[np.float64]
    last_event: NDArray[np.int64]
    year: NDArray[np.float32]
    genres: NDArray[np.int16]
    creators: NDArray[np.int32]
    withdrawn: NDArray[np.uint8]
    start: NDArray[np.int64]
    length: NDArray[np.int32]
    size_class: NDArray[np.int32]
    mass: NDArray[np.float64]


class Neighbors(NamedTuple):
    """Pool payload of the co-visitation rows: neighbour, its four weights, and its standing.

    ``standing`` is the bits of forward + backward: compared as integers in one vector loop.
    """

    title: NDArray[np.int32]
    weight: NDArray[np.float32]
    standing: NDArray[np.int32]


class Tops(NamedTuple):
    """Exact most popular titles, best first: overall for each half-life, and for each genre."""

    title: NDArray[np.int32]
    key: NDArray[np.float64]
    length: NDArray[np.int32]
    genre_title: NDArray[np.int32]
    genre_key: NDArray[np.float64]
    genre_length: NDArray[np.int32]
    genre_mass: NDArray[np.float64]
    creator_title: NDArray[np.int32]
    creator_length: NDArray[np.int32]


def new_users(capacity: int, k: int, *, is_served: bool) -> Users:
    """Return empty rows for ``capacity`` users with lists of ``k``."""
    return Users(
        start=np.zeros(capacity, np.int64),
        length=np.zeros(capacity, np.int32),
        size_class=np.full(capacity, -1, np.int32),
        last_time=np.full(capacity, -np.inf),
        group_time=np.full(capacity, np.nan),
        n_events=np.zeros(capacity, np.int32),
        group_slot=np.full(capacity, -1, np.int32),
        is_cold=np.zeros(capacity, np.uint8),
        group_list=np.full((capacity, k), -1, np.int32),
        pending=np.full((capacity if is_served else 1, k), -1, np.int32),
        last_event=np.full(capacity, -1, np.int64),
    )


def new_titles(capacity: int) -> Titles:
    """Return empty rows for ``capacity`` titles."""
    return Titles(
        popularity=np.zeros((capacity, N_POPULARITIES), np.float32),
        popularity_time=np.zeros(capacity),
        views=np.zeros(capacity, np.int32),
        first_seen=np.full(capacity, np.inf),
        last_event=np.full(capacity, -1, np.int64),
        year=np.full(capacity, np.nan, np.float32),
        genres=np.full((capacity, MAX_GENRES), -1, np.int16),
        creators=np.full((capacity, MAX_CREATORS), -1, np.int32),
        withdrawn=np.zeros(capacity, np.uint8),
        start=np.zeros(capacity, np.int64),
        length=np.zeros(capacity, np.int32),
        size_class=np.full(capacity, -1, np.int32),
        mass=np.zeros((capacity, N_CHANNELS)),
    )


def new_neighbors(capacity: int) -> Neighbors:
    """Return an empty payload for ``capacity`` neighbours."""
    return Neighbors(
        title=np.zeros(capacity, np.int32),
        weight=np.zeros((capacity, N_CHANNELS), np.float32),
        standing=np.zeros(capacity, np.int32),
    )


def new_tops(n_creators: int) -> Tops:
    """Return empty lists of the most popular titles."""
    return Tops(
        title=np.full((N_POPULARITIES, TOP_SIZE), -1, np.int32),
        key=np.full((N_POPULARITIES, TOP_SIZE), -np.inf),
        length=np.zeros(N_POPULARITIES, np.int32),
        genre_title=np.full((N_GENRES, GENRE_TOP_SIZE), -1, np.int32),
        genre_key=np.full((N_GENRES, GENRE_TOP_SIZE), -np.inf),
        genre_length=np.zeros(N_GENRES, np.int32),
        genre_mass=np.zeros(N_GENRES),
        creator_title=np.full((n_creators, CREATOR_RECENT), -1, np.int32),
        creator_length=np.zeros(n_creators, np.int32),
    )


class Candidates(NamedTuple):
    """Shortlists of the open tie groups, one slot each; the last slot is a query's own."""

    title: NDArray[np.int32]
    length: NDArray[np.int32]
    feature: NDArray[np.float32]
    score: NDArray[np.float32]
    context: NDArray[np.int32]
    user: NDArray[np.int32]
    popular: NDArray[np.int32]


def new_candidates(n_slots: int, k: int) -> Candidates:
    """Return empty shortlists for ``n_slots`` tie groups and one query."""
    n = n_slots + 1
    return Candidates(
        title=np.full((n, SHORTLIST_SIZE), -1, np.int32),
        length=np.zeros(n, np.int32),
        feature=np.zeros((n, N_FEATURES, SHORTLIST_SIZE), np.float32),
        score=np.zeros((n, SHORTLIST_SIZE), np.float32),
        context=np.zeros((n, 2), np.int32),
        user=np.full(n, -1, np.int32),
        popular=np.full((n, N_POPULARITIES, k), -1, np.int32),
    )


class Model(NamedTuple):
    """All arrays of an engine: its whole state but for the names of users and titles.

    Attributes
    ----------
    clock : float64[2]
        Half-lives passed since weights were last scaled back, slow and fast.
    counts : int64[N_COUNTS]
        Events and other totals, indexed by the constants below.
    hits : int64[N_POPULARITIES]
        Hits of each popularity's own list: which one to show a user without history.
    weights : float32[contexts, features]
        The ranker's weights as exported by its last step.
    gradient : float64[contexts, features]
        The ranker's gradient, summed since then.
    """

    users: Users
    titles: Titles
    neighbors: Neighbors
    rows: Pool
    history: NDArray[np.int32]
    blocks: Pool
    tops: Tops
    candidates: Candidates
    clock: NDArray[np.float64]
    counts: NDArray[np.int64]
    hits: NDArray[np.int64]
    weights: NDArray[np.float32]
    gradient: NDArray[np.float64]


N_EVENTS, N_SEEN, N_VIEWS, N_GRADIENTS, N_GROUPS, N_USERS, N_TITLES = range(7)
N_COUNTS = 7


ArrayGroup = TypeVar("ArrayGroup", Users, Titles, Neighbors, Tops)
NamedGroup = Users | Titles | Neighbors | Tops | Candidates | Pool


def grown(group: ArrayGroup, empty: ArrayGroup) -> ArrayGroup:
    """Return ``group`` copied into the larger arrays of ``empty``."""
    for name in group._fields:
        old = getattr(group, name)
        getattr(empty, name)[: len(old)] = old
    return empty


def grown_pool(pool: Pool, capacity: int) -> Pool:
    """Return the pool's book-keeping for a larger capacity."""
    larger = new_pool(capacity)
    larger.free[:] = pool.free
    larger.top[:] = pool.top
    larger.link[: len(pool.link)] = pool.link
    return larger


def arrays_of(prefix: str, group: NamedGroup) -> dict[str, NDArray[Any]]:
    """Return a group's arrays under ``prefix.field`` names."""
    return {f"{prefix}.{name}": getattr(group, name) for name in group._fields}
