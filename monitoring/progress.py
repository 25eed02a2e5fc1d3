"""How far a replay is: a live display on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self, TextIO

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table

from monitoring.formats import duration, fraction, moment, percent
from monitoring.watcher import Watcher

_DRAW_EVERY_S = 0.1
_RATE_OVER = 50  # drawings, so the rate is that of the last five seconds
_LINE_EVERY_S = 5.0
_LINES = 10


@dataclass(frozen=True, slots=True)
class Reading:
    """What is shown at one moment.

    Attributes
    ----------
    share
        Share of the input that was read, if known.
    n_events
        Events handled.
    events_per_s
        Rate of the last seconds, if known.
    left_s
        Estimated seconds to the end, if known.
    event_time
        The log's own clock, epoch seconds.
    recall, recall_recent
        Recall@k so far and lately, once there is one.
    """

    share: float | None
    n_events: int
    events_per_s: float | None
    left_s: float | None
    event_time: float
    recall: float | None
    recall_recent: float | None


class Painter(Protocol):
    """Shows readings; called at most ten times a second, and once more at the end."""

    def paint(self, reading: Reading) -> None:
        """Show a reading."""

    def close(self) -> None:
        """Leave the terminal as it was; called once, after the last reading."""


class Progress(Watcher):
    """Progress of a replay, as a context manager.

    Looks at a clock for rates, never at the engine. A display that fails, for instance because
    its pipe was closed, is given up; the replay goes on.

    Parameters
    ----------
    file
        Where to show it, standard error by default.
    k
        Length of the lists that recall refers to.
    n_recent
        Events that recall lately refers to.
    clock
        Seconds that never go back.
    """

    def __init__(
        self,
        file: TextIO | None = None,
        *,
        k: int = 10,
        n_recent: int = 5000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.file = file or sys.stderr
        self.k = k
        self.n_recent = n_recent
        self._clock = clock
        self._drawn_at = -_DRAW_EVERY_S
        self._marks: deque[tuple[float, int]] = deque(maxlen=_RATE_OVER)
        self._began: tuple[float, float] | None = None
        self._last: Reading | None = None
        self._painter: Painter | None = None

    def __enter__(self) -> Self:
        self._drawn_at = self._clock() - _DRAW_EVERY_S
        self._attempt(self._open)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._attempt(self._paint_last)
        self._attempt(self._close)

    def update(
        self,
        share: float | None,
        n_events: int,
        *,
        event_time: float,
        recall: float | None = None,
        recall_recent: float | None = None,
    ) -> None:
        """Tell where the replay is; cheap, to be called after every chunk of events.

        `share` is the share of the input that was read, None if its size is unknown.
        """
        if self._painter is not None:
            here = share, n_events, event_time, recall, recall_recent
            self._attempt(lambda: self._take(*here))

    def _take(
        self,
        share: float | None,
        n_events: int,
        event_time: float,
        recall: float | None,
        recall_recent: float | None,
    ) -> None:
        now = self._clock()
        if self._began is None:
            self._began = now, share or 0.0
        if not self._marks or now - self._marks[-1][0] >= _DRAW_EVERY_S:
            self._marks.append((now, n_events))
        rate, left_s = self._rate(now, n_events), self._left_s(now, share)
        self._last = Reading(share, n_events, rate, left_s, event_time, recall, recall_recent)
        if now - self._drawn_at >= _DRAW_EVERY_S:
            self._drawn_at = now
            self._paint_last()

    def _open(self) -> None:
        console = _Console(file=self.file, markup=False, highlight=False, emoji=False)
        if self.file.isatty() and not console.is_dumb_terminal:
            self._painter = LivePainter(console, self._recall)
        else:
            self._painter = LinePainter(self.file, self._recall, self._clock)

    def _paint_last(self) -> None:
        if self._painter is not None and self._last is not None:
            self._painter.paint(self._last)

    def _close(self) -> None:
        painter, self._painter = self._painter, None
        if painter is not None:
            painter.close()

    def _attempt(self, action: Callable[[], None]) -> None:
        # Whatever a terminal does, a replay must not stop for it.
        try:
            action()
        except Exception:  # noqa: BLE001
            with suppress(Exception):
                self._close()

    def _rate(self, now: float, n_events: int) -> float | None:
        since, n_before = self._marks[0]
        return (n_events - n_before) / (now - since) if now > since else None

    def _left_s(self, now: float, share: float | None) -> float | None:
        began, first_share = self._began or (now, 0.0)
        if share is None or share <= first_share:
            return None
        return max(0.0, (1 - share) * (now - began) / (share - first_share))

    def _recall(self, reading: Reading) -> str:
        lately = f"last {self.n_recent:,}: {fraction(reading.recall_recent)}"
        return f"recall@{self.k} {fraction(reading.recall)} ({lately})"


class _Console(Console):
    def on_broken_pipe(self) -> None:
        # Rich would end the process and point standard output, the results, at nothing.
        self.quiet = True


class LivePainter:
    """A bar and two lines that stay in place."""

    def __init__(self, console: Console, recall: Callable[[Reading], str]) -> None:
        self._recall = recall
        # Standard output carries the results, so it is left alone.
        self._live = Live(console=console, auto_refresh=False, redirect_stdout=False)
        self._live.start()

    def paint(self, reading: Reading) -> None:
        """Redraw in place."""
        counts = f"{_events(reading)}, event time {moment(reading.event_time)}"
        lines = [counts, self._recall(reading)]
        if reading.share is not None:
            self._live.update(Group(_bar(reading, reading.share), *lines), refresh=True)
        else:
            self._live.update(Group(*lines), refresh=True)

    def close(self) -> None:
        """Leave the last reading on the screen."""
        self._live.stop()


class LinePainter:
    """A line every five seconds, or every tenth of the way if that is sooner."""

    def __init__(
        self, file: TextIO, recall: Callable[[Reading], str], clock: Callable[[], float]
    ) -> None:
        self._file = file
        self._recall = recall
        self._clock = clock
        self._written_at = clock()
        self._part = 0
        self._written: Reading | None = None
        self._last: Reading | None = None

    def paint(self, reading: Reading) -> None:
        """Write a line if one is due."""
        part = _part(reading)
        if self._last is None:
            self._part = part
        self._last = reading
        if part > self._part or self._clock() - self._written_at >= _LINE_EVERY_S:
            self._write(reading)

    def close(self) -> None:
        """Write where it ended."""
        if self._last is not None and self._last != self._written:
            self._write(self._last)

    def _write(self, reading: Reading) -> None:
        parts = [_events(reading), moment(reading.event_time), self._recall(reading)]
        if reading.share is not None:
            parts.insert(0, percent(round(reading.share, 2)).rjust(5))
        if reading.left_s:
            parts.append(f"{duration(reading.left_s)} left")
        print(*parts, sep="  ", file=self._file, flush=True)
        self._written, self._written_at = reading, self._clock()
        self._part = _part(reading)


def _part(reading: Reading) -> int:
    """Count the tenths of the way that are behind, whatever 0.1 + 0.2 is."""
    return int(_LINES * (reading.share or 0.0) + 1e-9)


def _bar(reading: Reading, share: float) -> Table:
    left = "" if reading.left_s is None else f"{duration(reading.left_s)} left"
    row = Table.grid(padding=(0, 2), expand=True)
    row.add_column(ratio=1)
    row.add_column(justify="right")
    row.add_column(justify="right")
    row.add_row(ProgressBar(total=1.0, completed=share), percent(round(share, 2)), left)
    return row


def _events(reading: Reading) -> str:
    rate = "" if reading.events_per_s is None else f", {reading.events_per_s:,.0f} events/s"
    return f"{reading.n_events:,} events{rate}"
