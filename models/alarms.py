"""What a detector says when a statistic has changed, and what became of it later."""

from __future__ import annotations

import enum
from typing import NamedTuple


class Kind(enum.StrEnum):
    """What drifts: the relation between people and titles, the inputs, or only their record."""

    CONCEPT = "concept"
    DATA = "data"
    INPUT_FAULT = "input_fault"


class Severity(enum.StrEnum):
    """How sure and how large: worth a look, or worth a reaction."""

    WARNING = "warning"
    DRIFT = "drift"


ALL = "all"
"""The scope of everything; others are ``genre:X``, ``user:new``, ``device:X``, ``source:X``."""


class Blame(NamedTuple):
    """A scope's part in a change.

    Attributes
    ----------
    scope
        Its name.
    share
        Part of the change that it accounts for, in [0, 1].
    n_events
        Its events since the onset.
    before, after
        Its hit rate before the onset and since.
    """

    scope: str
    share: float
    n_events: int
    before: float
    after: float


class Alarm(NamedTuple):
    """A statistic of a scope is not what it was.

    Attributes
    ----------
    statistic, scope
        What has changed, and where: ``rank`` of ``genre:Horror``.
    kind, severity
        See `Kind` and `Severity`.
    onset, detected
        Event times in epoch seconds: estimated beginning, and the event that raised the alarm.
    n_events
        Events of the scope from the onset to the alarm.
    before, after
        Level of the statistic before the onset and since.
    detector
        Which detector raised it.
    what
        A sentence for people.
    blames
        The scopes that explain most of the change, as far as it can be told; the first is what
        has drifted.
    """

    statistic: str
    scope: str
    kind: Kind
    severity: Severity
    onset: float
    detected: float
    n_events: int
    before: float
    after: float
    detector: str
    what: str = ""
    blames: tuple[Blame, ...] = ()


class Recovery(NamedTuple):
    """A statistic that had raised an alarm is back, or has settled at a new level.

    Attributes
    ----------
    statistic, scope
        As in the alarm.
    detected
        Event time in epoch seconds.
    is_back
        Whether it is back where it was before the alarm; else the new level counts as usual now.
    """

    statistic: str
    scope: str
    detected: float
    is_back: bool


class Reaction(NamedTuple):
    """Something was done about it, or no more.

    Attributes
    ----------
    name
        Such as ``fast_side_boosted``, ``view_time_imputed``.
    statistic, scope
        As in the alarm it answers.
    is_on
        Begun or ended.
    at
        Event time in epoch seconds.
    """

    name: str
    statistic: str
    scope: str
    is_on: bool
    at: float
