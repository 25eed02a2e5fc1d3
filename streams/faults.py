"""Faults of the input, planted into the lines of a log, and titles that swap their ids.

Each is a generator from lines to lines that holds none of them, but for the one that a stuck
client repeats.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import msgspec
import numpy as np

from streams import change_kinds as kinds
from streams.change_kinds import ALL, DEVICE, GENRE, Change
from streams.events import View, encode_view
from streams.planted_lines import Line
from streams.spans import Span

_DRAWS = 4096  # numbers drawn at a time: one by one they cost ten times as much
# A bot leaves after so much of the time for which another watched.
_GLANCE = 0.02
_FAULTS = 7
_KEYS = {"timestamp": ("timestamp", "timestamp_ms")}
C = TypeVar("C", bound=Change)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What faults need to know of a log.

    Parameters
    ----------
    seed
        The same seed plants the same faults.
    genres
        Genres of each title, where scopes ask for them.
    ids
        All titles that swap ids, in an order that is always the same.
    """

    seed: int = 0
    genres: Mapping[str, Sequence[str]] = field(default_factory=dict)
    ids: Sequence[str] = ()


class Fault(Generic[C]):
    """One change of a scenario, planted into lines.

    Parameters
    ----------
    change
        What is planted; its kind is one of `PLANTERS`.
    number
        Of the change in its scenario, from 0.
    span
        Where, on the ruler of the lines.
    around
        What else is known of the log.
    """

    def __init__(self, change: C, number: int, span: Span, around: Surroundings) -> None:
        self.change, self.span, self.around = change, span, around
        self.mark = 1 << number
        self._key = zlib.crc32(f"{around.seed} {number}".encode())
        self._rng = np.random.default_rng([around.seed, _FAULTS, number])
        self._scope, _, self._label = change.scope.partition(":")

    def planted(self, lines: Iterator[Line]) -> Iterator[Line]:
        """Yield the lines with the fault in them."""
        return PLANTERS[type(self.change)](self, lines)

    def reaches(self, line: Line) -> View | None:
        """Return the view of a line in time and scope; None for any other line."""
        if not self.span.begin <= line.place < self.span.end or line.view is None:
            return None
        return line.view if self.has_scope(line.view) else None

    def has_scope(self, view: View) -> bool:
        """Whether a view is in scope."""
        if self._scope == ALL:
            return True
        if self._scope == GENRE:
            return self._label in self.around.genres.get(view.content_id, ())
        return (view.device if self._scope == DEVICE else view.source) == self._label

    def chooses(self, name: str) -> bool:
        """Whether a user or title is in the share that the strength says, always or never."""
        strength = self.change.strength
        return strength >= 1 or zlib.crc32(name.encode(), self._key) < strength * 2.0**32

    def draws(self) -> Iterator[float]:
        """Yield uniform numbers, always the same."""
        while True:
            yield from self._rng.random(_DRAWS).tolist()

    def shuffled(self, names: Sequence[str]) -> list[str]:
        """Return the names in a random order."""
        return [names[place] for place in self._rng.permutation(len(names)).tolist()]


def faulty(lines: Iterable[Line], faults: Iterable[Fault[Any]]) -> Iterator[Line]:
    """Return the lines with all faults in them, one planted after the other."""
    planted = iter(lines)
    for fault in faults:
        planted = fault.planted(planted)
    return planted


def _unit(fault: Fault[kinds.Unit], lines: Iterator[Line]) -> Iterator[Line]:
    factor = fault.change.factor
    for line in lines:
        view = fault.reaches(line)
        if view and view.view_time is not None and fault.chooses(view.user_id):
            line.view = msgspec.structs.replace(view, view_time=view.view_time * factor)
            line.marks |= fault.mark
        yield line


def _clock(fault: Fault[kinds.Clock], lines: Iterator[Line]) -> Iterator[Line]:
    shift_s = fault.change.hours * 3600
    for line in lines:
        view = fault.reaches(line)
        if view and fault.chooses(view.user_id):
            line.view = msgspec.structs.replace(view, event_time=view.event_time + shift_s)
            line.marks |= fault.mark
        yield line


def _missing(fault: Fault[kinds.Missing], lines: Iterator[Line]) -> Iterator[Line]:
    draws = fault.draws()
    for line in lines:
        view = fault.reaches(line)
        if view and next(draws) < fault.change.strength and _lose(line, view, fault.change.field):
            line.marks |= fault.mark
        yield line


def _lose(line: Line, view: View, name: str) -> bool:
    """Take a field out of a line; return whether it had one."""
    if name not in kinds.REQUIRED_FIELDS:
        line.view = msgspec.structs.replace(view, **{name: None})
        return getattr(view, name) is not None
    record = msgspec.json.decode(encode_view(view), type=dict[str, object])
    lost = [record.pop(key, None) for key in _KEYS.get(name, (name,))]
    line.view, line.value = None, msgspec.json.encode(record)
    return any(value is not None for value in lost)


def _stuck(fault: Fault[kinds.Stuck], lines: Iterator[Line]) -> Iterator[Line]:
    stuck: Line | None = None
    draws, a_line = fault.draws(), _a_line(fault)
    for line in lines:
        yield line
        if stuck is not None and line.place < fault.span.end:
            for _ in range(int(a_line + next(draws))):
                yield Line(line.place, line.event_time, stuck.view, stuck.value, fault.mark)
        elif fault.reaches(line) and stuck is None:
            stuck = Line(line.place, line.event_time, line.view, line.encoded())


def _bots(fault: Fault[kinds.Bots], lines: Iterator[Line]) -> Iterator[Line]:
    names = [f"bot-{fault.mark:x}-{number + 1}" for number in range(fault.change.users)]
    pool: dict[str, None] = {}
    ids: list[str] = []
    draws, a_line = fault.draws(), _a_line(fault)
    for line in lines:
        yield line
        view = line.view
        if view and view.content_id not in pool:
            pool[view.content_id] = None
            ids.append(view.content_id)
        if view and fault.span.begin <= line.place < fault.span.end:
            for _ in range(int(a_line + next(draws))):
                bot, title = (
                    names[int(next(draws) * len(names))],
                    ids[int(next(draws) * len(ids))],
                )
                seen = _glance(fault, view, bot, title)
                yield Line(line.place, line.event_time, seen, None, fault.mark)


def _a_line(fault: Fault[Any]) -> float:
    """Return how many lines come after one, for a share of all lines."""
    strength: float = fault.change.strength
    return strength / (1 - strength)


def _glance(fault: Fault[kinds.Bots], view: View, bot: str, title: str) -> View:
    scope, _, label = fault.change.scope.partition(":")
    return View(
        bot,
        title,
        view.event_time,
        view_time=None if view.view_time is None else view.view_time * _GLANCE,
        rating=view.rating,
        event_type=view.event_type,
        device=label if scope == DEVICE else view.device,
        source=label if scope == kinds.SOURCE else view.source,
    )


def _permute(fault: Fault[kinds.Permute], lines: Iterator[Line]) -> Iterator[Line]:
    of_genre = fault.change.scope.startswith(f"{GENRE}:")
    genre = fault.change.scope.partition(":")[2]
    ids = [
        name
        for name in fault.around.ids
        if fault.chooses(name) and (not of_genre or genre in fault.around.genres.get(name, ()))
    ]
    new = dict(zip(ids, fault.shuffled(ids), strict=True))
    for line in lines:
        view = fault.reaches(line)
        if view and view.content_id in new:
            line.view = msgspec.structs.replace(view, content_id=new[view.content_id])
            line.marks |= fault.mark
        yield line


PLANTERS: Mapping[type[Change], Callable[[Fault[Any], Iterator[Line]], Iterator[Line]]] = {
    kinds.Unit: _unit,
    kinds.Missing: _missing,
    kinds.Stuck: _stuck,
    kinds.Clock: _clock,
    kinds.Bots: _bots,
    kinds.Permute: _permute,
}
