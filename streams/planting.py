"""A scenario planted into a simulated world: what becomes of its changes, and their truth."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models import changes as world_changes
from models.people import DEVICES
from models.rhythm import DAY_S, START_S, event_clock
from models.titles import N_GENRES
from models.world import World, WorldSettings
from streams import change_kinds as kinds
from streams.change_kinds import DEVICE, GENRE, SOURCE, WORLD_KINDS, Change
from streams.errors import InputError
from streams.scenarios import Scenario
from streams.spans import Span, spans_of
from streams.title_names import GENRES
from streams.truth import PlantedChange, Traces


@dataclass(frozen=True, slots=True)
class SimulatedRuler:
    """Where things are in a log that is yet to be simulated, in event time.

    Parameters
    ----------
    settings
        Of the world.
    n_events
        Length of the log.
    """

    settings: WorldSettings
    n_events: int

    @property
    def first_time(self) -> float:
        """Event time at which the world begins."""
        return START_S

    @property
    def last_time(self) -> float:
        """Event time at which it ends."""
        return START_S + self.settings.days * DAY_S

    def of_number(self, n_before: float) -> float:
        """Return the event time that about so many events are before."""
        return float(event_clock(n_before / self.n_events, self.settings.days))

    def of_time(self, event_time: float) -> float:
        """Return the event time."""
        return event_time


@dataclass(frozen=True, slots=True)
class Planting:
    """A scenario with the times at which it happens in one simulated log.

    Parameters
    ----------
    scenario
        What is planted.
    ruler
        The size of the log.
    spans
        Event times of each change.
    """

    scenario: Scenario
    ruler: SimulatedRuler
    spans: Sequence[Span]

    @classmethod
    def of(cls, scenario: Scenario, settings: WorldSettings, n_events: int) -> Planting:
        """Lay a scenario out in the time of a log.

        Raises
        ------
        InputError
            A change is outside the log, overlaps another, or has a scope that the world has not.
        """
        ruler = SimulatedRuler(settings, n_events)
        planting = cls(scenario, ruler, spans_of(scenario, ruler))
        for number, change in enumerate(scenario.changes):
            wrong = _unknown_scope(change, settings)
            if wrong:
                raise scenario.refusal(number, wrong, "scope")
        if len(planting.world_places) > world_changes.MAX_CHANGES:
            raise InputError(
                f"scenario {scenario.name}: at most {world_changes.MAX_CHANGES} changes of a world"
            )
        return planting

    @property
    def world_places(self) -> list[int]:
        """Places in the scenario of the changes that the world itself goes through."""
        changes = enumerate(self.scenario.changes)
        return [place for place, change in changes if isinstance(change, WORLD_KINDS)]

    @property
    def fault_places(self) -> list[int]:
        """Places in the scenario of the changes that are made to the lines of the log."""
        return sorted(set(range(len(self.spans))) - set(self.world_places))

    def world(self) -> World:
        """Return the world, with its changes ahead of it."""
        settings = self.ruler.settings
        return World(
            settings,
            [
                _of_world(self.scenario.changes[place], self.spans[place], settings)
                for place in self.world_places
            ],
        )

    def marks(self, changes: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return marks by the scenario's changes, from bits by those of the world."""
        marks = np.zeros(len(changes), np.int64)
        for bit, place in enumerate(self.world_places):
            marks |= (changes >> bit & 1) << place
        return marks

    def truth(self, traces: Traces) -> list[PlantedChange]:
        """Return what was planted, as it shows in the log.

        Raises
        ------
        InputError
            A change shows nowhere.
        """
        planted = []
        for number, (change, span) in enumerate(
            zip(self.scenario.changes, self.spans, strict=True)
        ):
            found = traces.planted(number, change, span)
            if found is None:
                raise self.scenario.refusal(
                    number, "it shows in no line of the log: give it more events, time or scope"
                )
            planted.append(found)
        return planted


def _unknown_scope(change: Change, settings: WorldSettings) -> str:
    """Return what is wrong with the scope of a change in a simulated world; empty if nothing."""
    scope, _, label = change.scope.partition(":")
    if scope == SOURCE:
        return "simulated people say nothing about the source; write all, genre:X or device:X"
    known: Sequence[str] = ()
    if scope == GENRE:
        known = GENRES[: min(N_GENRES, settings.n_titles)]
    elif scope == DEVICE:
        known = list(DEVICES)
    if not known or label in known:
        return ""
    near = difflib.get_close_matches(label, known, n=1)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
    return f"there is no {scope} {label}; {hint}"


def _of_world(change: Change, span: Span, settings: WorldSettings) -> world_changes.Change:
    scope, _, label = change.scope.partition(":")
    common: dict[str, Any] = {
        "begin": span.begin,
        "end": span.end,
        "genre": GENRES.index(label) if scope == GENRE else None,
        "device": list(DEVICES).index(label) if scope == DEVICE else None,
        "strength": change.strength,
    }
    if isinstance(change, kinds.Taste):
        period_s = (change.period or np.inf) * settings.days * DAY_S
        return world_changes.TasteChange(shape=change.shape, period_s=period_s, **common)
    if isinstance(change, kinds.Popularity):
        return world_changes.HitRelease(n_titles=change.titles, **common)
    if isinstance(change, kinds.Audience):
        n_users = change.users or max(1, round(change.strength * settings.n_users))
        return world_changes.NewAudience(n_users=n_users, **common)
    return world_changes.CatalogueChange(**common)
