"""The truth file: what was planted into a log, as one JSON line a change.

It lies beside the log as ``truth.jsonl``; an empty one says that nothing was planted.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from streams.change_kinds import ALL, KINDS, SCOPE_KINDS, Change, Missing, Taste
from streams.errors import InputError
from streams.spans import Span, overlap

TRUTH_FILE = "truth.jsonl"


class PlantedChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Truth line: a change that was planted into a log."""

    kind: Annotated[str, Meta(description="What changed, such as taste or unit.")]
    shape: Annotated[
        Literal["abrupt", "gradual", "recurring"],
        Meta(description="How it changed; a gradual change is complete at its end, and lasts."),
    ] = "abrupt"
    scope: Annotated[str, Meta(description="Where: all, or genre:X, device:X, source:X.")] = ALL
    strength: Annotated[
        float, Meta(gt=0, le=1, description="Of people, events or titles, by the kind.")
    ] = 1.0
    begin_event_time: Annotated[float, Meta(description="Epoch seconds of the beginning.")]
    end_event_time: Annotated[
        float | None, Meta(description="Epoch seconds of the end; null for a change that lasts.")
    ] = None
    begin_line: Annotated[int, Meta(ge=1, description="First line of the log that it shows in.")]
    end_line: Annotated[int, Meta(ge=1, description="Last line of the log that it shows in.")]
    n_lines: Annotated[int, Meta(ge=1, description="Lines that it shows in.")]
    what: Annotated[str, Meta(description="What changed, in words.")] = ""
    parameters: Annotated[
        dict[str, float | str], Meta(description="What else the kind of change was told.")
    ] = {}

    @property
    def topic(self) -> tuple[str, ...]:
        """What two changes may not share at one time."""
        field = self.parameters.get("field")
        is_field = self.kind == Missing.__struct_config__.tag and field is not None
        return (self.kind, self.scope, str(field)) if is_field else (self.kind, self.scope)


class LogExtent(msgspec.Struct, frozen=True):
    """How far a log goes, to hold a truth file against it."""

    n_lines: int
    first_time: float = -math.inf
    last_time: float = math.inf


class Traces:
    """Where changes show in a log that is being written.

    Parameters
    ----------
    n_changes
        Changes; bit i of a mark is change i.
    """

    def __init__(self, n_changes: int) -> None:
        self.n_lines = 0
        self._found: list[tuple[Span, Span, int] | None] = [None] * n_changes

    def note(self, marks: NDArray[np.int64], times: NDArray[np.float64]) -> None:
        """Take in the marks and the event times of the next lines."""
        for place in range(len(self._found)):
            index = np.flatnonzero(marks >> place & 1)
            if len(index):
                self._extend(place, index, times)
        self.n_lines += len(marks)

    def _extend(self, place: int, index: NDArray[np.int64], times: NDArray[np.float64]) -> None:
        first, last = int(index[0]), int(index[-1])
        lines = Span(self.n_lines + first + 1, self.n_lines + last + 1)
        seen = Span(float(times[first]), float(times[last]))
        n, found = len(index), self._found[place]
        if found is not None:
            lines, seen = Span(found[0].begin, lines.end), Span(found[1].begin, seen.end)
            n += found[2]
        self._found[place] = (lines, seen, n)

    def planted(self, place: int, change: Change, span: Span | None) -> PlantedChange | None:
        """Return the truth of a change; None if it shows nowhere.

        Parameters
        ----------
        place
            Number of the change from 0.
        change
            What was planted.
        span
            Its event times; None for those of the first and the last line that it shows in.
        """
        found = self._found[place]
        if found is None:
            return None
        (begin_line, end_line), seen, n_lines = found
        begin, end = span or seen
        has_end = change.end is not None
        return PlantedChange(
            kind=change.kind,
            shape=change.shape if isinstance(change, Taste) else "abrupt",
            scope=change.scope,
            strength=change.strength,
            begin_event_time=begin,
            end_event_time=end if has_end else None,
            begin_line=int(begin_line),
            end_line=int(end_line),
            n_lines=n_lines,
            what=change.words,
            parameters=change.parameters(),
        )


def encode_truth(planted: Sequence[PlantedChange]) -> bytes:
    """Return the bytes of a truth file."""
    return msgspec.json.Encoder().encode_lines(planted)


def read_truth(path: Path, extent: LogExtent | None = None) -> list[PlantedChange]:
    """Return the changes of a truth file.

    Parameters
    ----------
    path
        The file.
    extent
        The log that it speaks of.

    Raises
    ------
    InputError
        Naming the line: it is no such change, it ends before it begins, it is outside the log or
        overlaps another of its kind and scope.
    """
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        raise InputError(f"{path}: {(error.strerror or str(error)).lower()}") from None
    numbered = [(number, line) for number, line in enumerate(lines, 1) if line.strip()]
    planted = [_decoded(f"{path}, line {number}", line) for number, line in numbered]
    for (number, _), change in zip(numbered, planted, strict=True):
        wrong = _wrong(change) or (extent and _outside(change, extent))
        if wrong:
            raise InputError(f"{path}, line {number}: {wrong}")
    found = overlap([(change.topic, _span(change)) for change in planted])
    if found:
        one, other = (numbered[place][0] for place in found)
        raise InputError(
            f"{path}, line {other}: it begins before the change of the same kind and scope "
            f"in line {one} ends"
        )
    return planted


def _decoded(place: str, line: bytes) -> PlantedChange:
    try:
        return msgspec.json.decode(line, type=PlantedChange)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise InputError(f"{place}: no truth about a change: {error}") from None


def _wrong(change: PlantedChange) -> str:
    """Return what is wrong with a change in itself; empty if nothing is."""
    scope, colon, name = change.scope.partition(":")
    if change.kind not in KINDS:
        return f"unknown kind {change.kind!r}; there are {', '.join(KINDS)}"
    if change.scope != ALL and not (colon and name and scope in SCOPE_KINDS):
        return f"unknown scope {change.scope!r}; it is all, genre:X, device:X or source:X"
    if change.end_line < change.begin_line:
        return f"end_line {change.end_line} is before begin_line {change.begin_line}"
    if change.end_event_time is not None and change.end_event_time < change.begin_event_time:
        return "end_event_time is before begin_event_time"
    if change.n_lines > change.end_line - change.begin_line + 1:
        return f"n_lines {change.n_lines} are more than from begin_line to end_line"
    return ""


def _outside(change: PlantedChange, extent: LogExtent) -> str:
    if change.end_line > extent.n_lines:
        return f"end_line {change.end_line} is after the end of the log, line {extent.n_lines}"
    if not extent.first_time <= change.begin_event_time <= extent.last_time:
        return (
            f"begin_event_time {change.begin_event_time} is outside the log, which goes from "
            f"{extent.first_time} to {extent.last_time}"
        )
    return ""


def _span(change: PlantedChange) -> Span:
    lasts = change.end_event_time is None or change.shape == "gradual"
    end = math.inf if lasts or change.end_event_time is None else change.end_event_time
    return Span(change.begin_event_time, end)
