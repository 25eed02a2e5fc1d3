"""Several processes, kept running and ended together.

What happens when one ends:

- it crashed, was killed or lost its client (`CRASH`, `KAFKA`): it is started again, after 1, 2, 4
  … 30 seconds, counted from 1 again after a minute of health;
- it ended clean: it is done;
- it ended with any other code, which no new start can mend: the others are stopped, and that code
  is ours.

A signal is handed on to all as SIGTERM: a child that has no handler yet ends by it, where SIGINT
would raise an exception in the midst of whatever it starts with. Children that outlast the stop
budget are killed, which costs a restore at the next start and no event. A supervisor that is killed
leaves children behind; those with a numbered slot are fenced by their successors.
"""

from __future__ import annotations

import logging
import queue
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import NamedTuple

from streams.exit_codes import ExitCode, exit_code_of

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_log = logging.getLogger(__name__)


class Child(NamedTuple):
    """What is run, and in which environment."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]


class Pace(NamedTuple):
    """How long to wait before a child is started again.

    Examples
    --------
    >>> [Pace().delay_s(n_failures) for n_failures in (1, 2, 3, 9_999)]
    [1.0, 2.0, 4.0, 30.0]
    """

    first_s: float = 1.0
    longest_s: float = 30.0
    healthy_s: float = 60.0

    def delay_s(self, n_failures: int) -> float:
        doubled = 2.0 ** min(n_failures - 1, 32)  # a float ends at 1,024 doublings
        return min(self.longest_s, self.first_s * doubled)


class _Run(NamedTuple):
    """One life of a child."""

    process: subprocess.Popen[bytes]
    started_s: float


class _Ended(NamedTuple):
    child: int
    status: int


class _Asked(NamedTuple):
    """Somebody wants all of them to stop."""


class Supervisor:
    """Runs children until all have ended; used once, from the main thread.

    Parameters
    ----------
    children
        What to run.
    stop_budget_s
        Seconds from the request to stop until children are killed.
    pace
        Of new starts.
    clock
        Seconds that never go back.
    """

    def __init__(
        self,
        children: Sequence[Child],
        *,
        stop_budget_s: float,
        pace: Pace | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.children = children
        self.stop_budget_s = stop_budget_s
        self.pace = pace or Pace()
        self._clock = clock
        # A signal handler may put into it while the main thread waits for it.
        self._events: queue.SimpleQueue[_Ended | _Asked] = queue.SimpleQueue()
        self._running: dict[int, _Run] = {}
        self._due_s: dict[int, float] = {}
        self._n_failures = [0] * len(children)
        self._deadline_s: float | None = None
        self._outcome = ExitCode.CLEAN

    def run(self) -> ExitCode:
        """Start the children and give the exit code for all of them."""
        with self._signals_taken():
            try:
                for index in range(len(self.children)):
                    self._start(index)
                while self._running or self._due_s:
                    self._turn()
            finally:
                self._kill()
        return self._outcome

    def _start(self, index: int) -> None:
        child = self.children[index]
        process = subprocess.Popen(  # noqa: S603  our own program
            list(child.command),
            env=dict(child.environment),
            stdin=subprocess.DEVNULL,
            # Ctrl-C would reach the child twice, and the second time means "at once".
            process_group=0,
        )
        self._running[index] = _Run(process, self._clock())
        threading.Thread(
            target=lambda: self._events.put(_Ended(index, process.wait())),
            name=f"wait for {child.name}",
            daemon=True,
        ).start()

    def _turn(self) -> None:
        """Wait for the next thing to happen and deal with it."""
        try:
            event = self._events.get(timeout=self._wait_s())
        except queue.Empty:
            self._time_passed()
            return
        if isinstance(event, _Asked):
            self._stop()
        else:
            self._ended(event)

    def _wait_s(self) -> float | None:
        times = [*self._due_s.values(), *([] if self._deadline_s is None else [self._deadline_s])]
        return max(min(times) - self._clock(), 0.0) if times else None

    def _time_passed(self) -> None:
        now_s = self._clock()
        if self._deadline_s is not None and now_s >= self._deadline_s:
            _log.error("%d workers outlast the stop budget and are killed", len(self._running))
            self._settle(ExitCode.CRASH)
            self._kill()
        for index in [index for index, due_s in self._due_s.items() if due_s <= now_s]:
            del self._due_s[index]
            self._start(index)

    def _stop(self) -> None:
        self._due_s.clear()
        if self._deadline_s is None:
            self._deadline_s = self._clock() + self.stop_budget_s
        for run in self._running.values():
            run.process.terminate()

    def _ended(self, event: _Ended) -> None:
        run = self._running.pop(event.child, None)
        if run is None:
            return
        code = exit_code_of(event.status)
        if self._deadline_s is not None:
            # A child that had no handler yet had nothing to finish.
            is_ours = -event.status == signal.SIGTERM
            self._settle(ExitCode.CLEAN if is_ours else code)
        elif code.may_restart:
            self._start_later(event, run)
        elif code is not ExitCode.CLEAN:
            name = self.children[event.child].name
            _log.error("%s ended with %s (%d); the others are stopped", name, code.name, code)
            self._settle(code)
            self._stop()

    def _start_later(self, event: _Ended, run: _Run) -> None:
        now_s = self._clock()
        was_healthy = now_s - run.started_s >= self.pace.healthy_s
        n_failures = 1 if was_healthy else self._n_failures[event.child] + 1
        delay_s = self.pace.delay_s(n_failures)
        self._n_failures[event.child] = n_failures
        self._due_s[event.child] = now_s + delay_s
        name = self.children[event.child].name
        _log.warning("%s ended with %d; it starts again in %g s", name, event.status, delay_s)

    def _settle(self, code: ExitCode) -> None:
        if self._outcome is ExitCode.CLEAN:
            self._outcome = code

    def _kill(self) -> None:
        for run in self._running.values():
            run.process.kill()
        for run in self._running.values():
            run.process.wait()
        self._running.clear()

    @contextmanager
    def _signals_taken(self) -> Iterator[None]:
        before = {number: signal.signal(number, self._hand_on) for number in _SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _hand_on(self, _number: int, _frame: FrameType | None) -> None:
        self._events.put(_Asked())
