"""What an engine is made of, what goes into it and what comes out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.alarms import Alarm, Reaction, Recovery
from models.batch import Judged, Lists


@dataclass(frozen=True, slots=True)
class EngineConfig:
    """What an engine is made of; results depend on every field.

    Parameters
    ----------
    k
        Length of a list, >= 1.
    max_users, max_titles
        Most users and titles remembered; the least recently seen sixteenth makes room.
    n_neighbors
        Most neighbours of a title, a power of two from 8 to 16,384.
    slow_half_life, fast_half_life
        Half-lives of co-visitation in events.
    events_per_title
        The slow half-life is at least this many events for each title seen; the fast one grows
        in proportion.
    learning_rate, step_every
        Step size of the ranker, and watched titles in a step.
    weak_strength
        How much a view that is not positive counts, in [0, 1].
    n_open_groups
        Tie groups whose candidates are kept for their later events.
    protocol
        ``fresh`` or ``served``: which list is judged.
    watches
        Whether drift is looked for.
    adapts
        Whether the fast side is boosted when lists become worse.
    patience
        Events after which a mix of people and titles that has changed counts as usual.
    """

    k: int = 10
    max_users: int = 2_000_000
    max_titles: int = 200_000
    n_neighbors: int = 256
    slow_half_life: float = 15_000.0
    fast_half_life: float = 5_000.0
    events_per_title: float = 9.0
    learning_rate: float = 0.035
    step_every: int = 8
    weak_strength: float = 0.25
    n_open_groups: int = 64
    protocol: str = "fresh"
    watches: bool = True
    adapts: bool = True
    patience: int = 20_000

    @property
    def is_served(self) -> bool:
        """Whether the list served after the preceding events is judged."""
        return self.protocol == "served"


class View(NamedTuple):
    """One accepted view, as the engine learns it.

    ``time`` is event time in epoch seconds; ``group_time`` the time as given: views of one user
    with equal ``group_time`` are one tie group. ``is_faulty`` says that an input fault is known to
    last: then lists that become worse are no reason to adapt.
    """

    user_id: str
    content_id: str
    time: float
    group_time: float
    strength: float = 1.0
    is_positive: bool = True
    is_emitted: bool = False
    device: str | None = None
    source: str | None = None
    is_faulty: bool = False


class Segment(NamedTuple):
    """Events from ``begin`` to ``end`` of a batch; rows stay valid until the next segment.

    ``notices`` are what the detectors said, each with the row of the event after which they did.
    """

    begin: int
    end: int
    judged: Judged
    lists: Lists
    notices: list[tuple[int, Alarm | Recovery | Reaction]]


class Explanation(NamedTuple):
    """A list and its scores taken apart.

    ``contributions`` is float64[k, N_FEATURES] in the order of `models.feature_names.FEATURES`;
    a row sums to the title's score minus ``base``, the mean score of the candidates.
    """

    lists: Lists
    contributions: NDArray[np.float64]
    base: float
