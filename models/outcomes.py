"""What the engine tells evaluation about each accepted event."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from models.exposure import Exposure
    from models.metrics import Integers


class Skip(enum.IntEnum):
    """Why an accepted event was not judged; 0 when it was."""

    JUDGED = 0
    COLD = 1
    REPEAT = 2
    NOT_POSITIVE = 3


class Segment(enum.IntFlag):
    """Bits that an event may carry, as of just before it."""

    COLD_USER = 1
    """The user had fewer than 5 accepted events."""
    NEW_TITLE = 2
    """The title had fewer than 10 views."""
    HEAD_TITLE = 4
    """The title had at least 3 times the mean number of views of a title."""
    NEVER_SEEN = 8
    """The title had never been seen."""


SEGMENTS = {
    "user:new": (Segment.COLD_USER, True),
    "user:known": (Segment.COLD_USER, False),
    "title:new": (Segment.NEW_TITLE, True),
    "title:known": (Segment.NEW_TITLE, False),
    "title:head": (Segment.HEAD_TITLE, True),
    "title:tail": (Segment.HEAD_TITLE, False),
}
"""Segments by name: the bit they look at, and whether it is set."""


@dataclass(frozen=True, slots=True)
class Outcomes:
    """A chunk of accepted events in order, judged and skipped ones; only judged ones are ranked.

    Attributes
    ----------
    skip : int8[n]
        A :class:`Skip` for each event.
    rank : integer[n]
        Rank of the watched title in our list, 1..k; anything else is a miss.
    segment_bits : integer[n]
        :class:`Segment` bits.
    popularity_rank : integer[n, n_popularities]
        Rank among all novel candidates by each popularity; outside 1..k is a miss.
    random_n : integer[n]
        Number of novel candidates if the watched title is one of them, else 0.
    lists : integer[n, k]
        Our lists as dense title indices, padded with -1.
    event_time : float64[n]
        Epoch seconds.
    exposure
        Views for novelty and popularity bias, if these are wanted.
    """

    skip: NDArray[np.int8]
    rank: Integers
    segment_bits: Integers
    popularity_rank: Integers
    random_n: Integers
    lists: Integers
    event_time: NDArray[np.float64]
    exposure: Exposure | None = None
