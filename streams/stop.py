"""A clean end on SIGINT or SIGTERM: the batch in hand is finished, then nothing more is read."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from streams.logs import RecordBatch


class Stop:
    """A request to stop, honoured between batches."""

    def __init__(self) -> None:
        self.is_asked = False
        self._is_waiting = False

    @contextmanager
    def on_signals(self) -> Iterator[None]:
        """Take SIGINT and SIGTERM as the request while the context lasts."""
        numbers = (signal.SIGINT, signal.SIGTERM)
        before = {number: signal.signal(number, self._ask) for number in numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def between(self, batches: Iterator[RecordBatch]) -> Iterator[RecordBatch]:
        """Yield batches until the request; waiting for input is given up at once."""
        while not self.is_asked:
            self._is_waiting = True
            try:
                batch = next(batches, None)
            except KeyboardInterrupt:
                return
            finally:
                self._is_waiting = False
            if batch is None:
                return
            yield batch

    def _ask(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        is_second = self.is_asked
        self.is_asked = True
        if is_second or self._is_waiting:
            raise KeyboardInterrupt
