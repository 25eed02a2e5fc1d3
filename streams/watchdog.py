"""Ends the process when a call to Kafka does not come back.

A transaction call may hang far beyond its own timeout (librdkafka issues 5511 and 5456), and the
thread that made it cannot be woken. The client releases the interpreter meanwhile, so another
thread can count the seconds. Nothing is lost by the end: the transaction is aborted by the next
start of the same slot, which goes on from the committed offsets.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from streams.exit_codes import ExitCode

_STDERR = 2


class Watchdog:
    """A thread that looks at one guarded call at a time; it starts with the first.

    Parameters
    ----------
    budget_s
        Seconds that a guarded call may take.
    clock
        Seconds that never go back; those spent suspended count.
    leave
        Ends the process without unwinding, as a hanging call never unwinds.
    say
        Writes a line to standard error, past every buffer and lock that may be held.

    Examples
    --------
    >>> with Watchdog(60.0) as watchdog, watchdog.guard("commit"):
    ...     pass
    """

    def __init__(
        self,
        budget_s: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        leave: Callable[[int], object] = os._exit,
        say: Callable[[str], object] | None = None,
    ) -> None:
        self.budget_s = budget_s
        self._clock = clock
        self._leave = leave
        self._say = say or _to_stderr
        self._changed = threading.Condition()
        self._call: tuple[str, float] | None = None
        self._is_asleep = False
        self._is_closed = False
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with self._changed:
            self._is_closed = True
            self._changed.notify()
        if self._thread.is_alive():
            self._thread.join()

    @contextmanager
    def guard(self, call: str) -> Iterator[None]:
        """End the process if the block takes longer than the budget.

        Called from one thread; a guard within a guard counts as a part of the outer one.
        """
        if self._call is not None:
            yield
            return
        self._begin(call)
        try:
            yield
        finally:
            self._call = None

    def check(self) -> float | None:
        """End the process if the budget is spent; give the seconds left, ``None`` without a call.

        Called by the thread each time it wakes.
        """
        current = self._call
        if current is None:
            return None
        call, deadline_s = current
        left_s = deadline_s - self._clock()
        if left_s <= 0:
            self._say(
                f"driftline: {call} took longer than worker.call_budget_s ({self.budget_s:g} s);"
                f" ending with exit code {ExitCode.KAFKA:d} to be started again\n"
            )
            self._call = None
            self._leave(ExitCode.KAFKA)
            return None
        return left_s

    def _begin(self, call: str) -> None:
        with self._changed:
            self._call = (call, self._clock() + self.budget_s)
            if self._thread.ident is None:
                self._thread.start()
            # A thread that waits for the end of an earlier call wakes before this one's.
            if self._is_asleep:
                self._changed.notify()

    def _watch(self) -> None:
        with self._changed:
            while not self._is_closed:
                left_s = self.check()
                self._is_asleep = left_s is None
                self._changed.wait(left_s)


def _to_stderr(line: str) -> None:
    os.write(_STDERR, line.encode())
