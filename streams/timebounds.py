"""A window of event time and its ends, as given to ``--from`` and ``--to``."""

from __future__ import annotations

import math
import re
from datetime import UTC, date, datetime, time

import msgspec

from streams.canonical import epoch_of_text
from streams.errors import RejectedEvent, SettingsError
from streams.events import View
from streams.quality import EARLIEST_S, LATEST_S

_UNIT_S = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_RELATIVE = re.compile(r"\+(\d+(?:\.\d+)?)([smhdw])")


class TimeBound(msgspec.Struct, frozen=True):
    """One end of a window, absolute or relative to the first event of the log.

    Parameters
    ----------
    offset_s
        Epoch seconds, or seconds after the log's first event.
    is_relative
        Which of the two.
    """

    offset_s: float
    is_relative: bool = False

    def resolve(self, first_event_time: float) -> float:
        """Return the epoch seconds of the bound in a log that begins at that time."""
        return self.offset_s + first_event_time if self.is_relative else self.offset_s


class Window(msgspec.Struct, frozen=True):
    """Which events of a log are replayed: not before ``begin``, before ``end``."""

    begin: TimeBound | None = None
    end: TimeBound | None = None

    def resolve(self, first_event_time: float) -> tuple[float, float]:
        """Return both ends in epoch seconds, in a log that begins at that time."""
        begin = self.begin.resolve(first_event_time) if self.begin else -math.inf
        return begin, self.end.resolve(first_event_time) if self.end else math.inf


def possible_time(view: object) -> float | None:
    """Return the time of an event; None where there is none, or none that a gate would take."""
    if isinstance(view, View) and EARLIEST_S <= view.event_time <= LATEST_S:
        return view.event_time
    return None


def parse_time_bound(text: str) -> TimeBound:
    """Return the bound of an ISO date or time, epoch seconds, or an offset such as ``+2d``.

    A date is its midnight in UTC. The window is half open: it holds ``--from`` and not ``--to``.

    Raises
    ------
    SettingsError
        When the text is none of these.

    Examples
    --------
    >>> parse_time_bound("1997-09-20")
    TimeBound(offset_s=874713600.0, is_relative=False)
    >>> parse_time_bound("+12h").resolve(1000.0)
    44200.0
    """
    text = text.strip()
    relative = _RELATIVE.fullmatch(text)
    if relative:
        return TimeBound(float(relative[1]) * _UNIT_S[relative[2]], is_relative=True)
    return TimeBound(_date(text) if re.fullmatch(r"\d{4}-\d\d-\d\d", text) else _instant(text))


def _date(text: str) -> float:
    try:
        return datetime.combine(date.fromisoformat(text), time(), UTC).timestamp()
    except ValueError as error:
        raise SettingsError(f"{text!r} is no date: {error}") from None


def _instant(text: str) -> float:
    try:
        return epoch_of_text(text)
    except RejectedEvent:
        raise SettingsError(
            f"{text!r} is no time: write 2022-01-31, 2022-01-31T12:00, epoch seconds, "
            "or +2d, +12h, +30m after the first event"
        ) from None
