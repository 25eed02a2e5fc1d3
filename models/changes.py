"""What may change in a world, and when it does: the truth that detectors are held against."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.drawing import Floats

MAX_CHANGES = 16  # of one world: a table of all their combinations is kept


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A change of a world from one event time to another.

    Parameters
    ----------
    begin, end
        Event times in epoch seconds, `end` not included; infinite for a change that lasts.
    genre, device
        Scope: titles that have a genre among theirs only, people with a device only; None for all.
    strength
        In (0, 1]; of what, each change says.
    """

    begin: float
    end: float = np.inf
    genre: int | None = None
    device: int | None = None
    strength: float = 1.0

    def is_on_at(self, event_time: Floats) -> NDArray[np.bool_]:
        """Return which event times are between begin and end."""
        return (event_time >= self.begin) & (event_time < self.end)


@dataclass(frozen=True, slots=True, kw_only=True)
class TasteChange(Change):
    """People like other titles, and other titles go together.

    Titles of the scope change places with others of their first genre, among niches and in the
    order in which one follows another, and everybody has other favourite niches in its genres;
    unless a genre is named, the groups swap their tastes for genres too. `strength` is the share
    of people it happens to.

    Parameters
    ----------
    shape
        ``abrupt``: for all at `begin`, back at `end`. ``gradual``: for one person after the
        other between `begin` and `end`, and lasting. ``recurring``: for half a period, then back
        for half a period, and so on.
    period_s
        Of a recurring change.
    """

    shape: str = "abrupt"
    period_s: float = np.inf


@dataclass(frozen=True, slots=True, kw_only=True)
class HitRelease(Change):
    """New titles take a share of all choices, `strength` at first, less as they age.

    A person watches a hit once. A genre is that of the hits.

    Parameters
    ----------
    n_titles
        Hits.
    """

    n_titles: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueChange(Change):
    """Titles, a share `strength` of those in scope, vanish; new ones take their places."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAudience(Change):
    """New people come, a share `strength` of all sessions, with a taste that is new too.

    A genre is the one that they like best, a device the one they all use.

    Parameters
    ----------
    n_users
        New people.
    """

    n_users: int
