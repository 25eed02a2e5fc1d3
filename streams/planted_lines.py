"""Lines on their way into a log, with the changes that show in them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import msgspec
import numpy as np

from streams.events import View, encode_view
from streams.truth import Traces

_BATCH = 8192  # lines


class Line(msgspec.Struct, gc=False):
    """One line on its way into a log.

    Parameters
    ----------
    place
        Where it was on the ruler of the scenario.
    event_time
        When it was watched, before any fault; of a record that is no view, when the one before
        was, and of a copy, when it was made.
    view
        What it says; None for a record that is no view.
    value
        Its bytes, where they are not those of the view.
    marks
        Changes that show in it: bit i for change i.
    """

    place: float
    event_time: float
    view: View | None
    value: bytes | None = None
    marks: int = 0

    def encoded(self) -> bytes:
        """Return the bytes of the line, without its end."""
        if self.value is None and self.view is not None:
            return encode_view(self.view)
        return self.value or b""


def written(lines: Iterator[Line], traces: Traces) -> Iterator[tuple[bytes, int]]:
    """Yield the bytes of lines in chunks, with their number; note what shows in them."""
    while batch := list(islice(lines, _BATCH)):
        marks = np.array([line.marks for line in batch], np.int64)
        traces.note(marks, np.array([line.event_time for line in batch], np.float64))
        yield b"".join([line.encoded() + b"\n" for line in batch]), len(batch)
