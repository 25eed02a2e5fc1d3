"""What a report is made of: plain values, put together by the command line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from monitoring.drift_picture import Bar
    from monitoring.report.history import History

Numbers = NDArray[np.float64]


class Windows(NamedTuple):
    """Quality window by window; ``begin`` and ``end`` are records of the log.

    A value is NaN where nothing is known.
    """

    begin: Numbers
    end: Numbers
    judged: Numbers
    recall: Numbers
    popularity: Numbers
    random: Numbers


class Item(NamedTuple):
    """A listed title.

    ``parts`` are the features that moved its score most, with what each added to it.
    """

    title: str
    reason: str
    parts: Sequence[tuple[str, float]]


class Person(NamedTuple):
    """A user with a list; ``lately`` are the titles watched last, latest first."""

    user_id: str
    is_known: bool
    n_watched: int
    lately: Sequence[str]
    items: Sequence[Item]


class Drift(NamedTuple):
    """What drift a run saw.

    Attributes
    ----------
    episodes
        As `monitoring.drift_tables` takes them.
    bars
        The same, placed at records.
    planted
        What was planted, placed likewise; None if that is not known.
    missed, scores
        As `monitoring.drift_tables.print_matching` takes them; none without truth.
    n_episodes
        All of them; only the latest are given.
    """

    episodes: Sequence[Mapping[str, Any]]
    bars: Sequence[Bar]
    planted: Sequence[Bar] | None = None
    missed: Sequence[Mapping[str, Any]] = ()
    scores: Mapping[str, Any] | None = None
    n_episodes: int = 0


@dataclass(frozen=True, slots=True)
class Report:
    """A run.

    Attributes
    ----------
    logs
        Names of what was read.
    summary
        Under the names of ``replay --json``.
    windows
        How good lists were along the log.
    drift
        None when nothing was watched.
    history
        What became of records, and how long that took, along the log.
    weights
        Of the ranker's features.
    people
        Example users.
    settings
        That results depend on, by name.
    fingerprint, version
        Of the settings, and of driftline.
    is_interrupted
        Whether the log was read to its end.
    """

    logs: Sequence[str]
    summary: Mapping[str, Any]
    windows: Windows
    drift: Drift | None
    history: History
    weights: Mapping[str, float]
    people: Sequence[Person]
    settings: Mapping[str, Any]
    fingerprint: str
    version: str
    is_interrupted: bool = False
