"""A command of driftline with a stopwatch: ``python -m benchmarks.stopwatch COMMAND …``.

It runs as it is, with its methods wrapped from outside, and writes to standard output what a
benchmark wants to know, one JSON object a line: when the first records were in hand, when how
many were committed (by a replay: written), how long a restore took, and what the time between
went to. ``BENCH_PROFILE=FILE`` writes a cProfile of it as well; with ``BENCH_GATE=FILE`` a worker
joins its group once that file is there.
"""

# ruff: noqa: ANN401  (a wrapped call is passed on as it came)
from __future__ import annotations

import cProfile
import functools
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from models.engine import Engine
from models.warm import warm
from streams import worker
from streams.checkpoint import Checkpoint, Outcome
from streams.cli import main
from streams.kafka import Consumer, TransactionalProducer
from streams.partition import AssignedPartition
from streams.pipeline import Pipeline
from streams.replay import Replay
from streams.run import Writers
from streams.worker import Worker

TICK_S = 0.01
REST = "rest"
STEPS = (
    ("consume", Consumer, "consume"),
    ("decode", AssignedPartition, "arrivals"),
    ("check", Pipeline, "_check"),
    ("engine", Engine, "recommend"),
    ("lists", Pipeline, "_report"),
    ("lists", worker, "hold"),
    ("produce", TransactionalProducer, "send"),
    ("commit", TransactionalProducer, "begin"),
    ("commit", TransactionalProducer, "flush"),
    ("commit", TransactionalProducer, "send_offsets"),
    ("commit", TransactionalProducer, "commit"),
)
NAMES = (*dict.fromkeys(name for name, _, _ in STEPS), REST)
_DONE = object()


class Told(msgspec.Struct, omit_defaults=True):
    """What a command tells.

    Attributes
    ----------
    kind
        ``up`` (about to join), ``holds`` (partitions, all restored), ``first``, ``done`` (records
        committed or written), ``caught up`` (records of a restore).
    pid
        Who tells it.
    at_s
        On the clock that all processes of the machine share.
    cpu_s, main_cpu_s
        Of the process with all its threads, and of its main thread, since the first record.
    n
        How many it is about.
    seconds
        What the restore took, from the assignment on.
    shares
        Seconds since the first record by what they went to.
    """

    kind: str
    pid: int
    at_s: float
    cpu_s: float = 0.0
    main_cpu_s: float = 0.0
    n: int = 0
    seconds: float = 0.0
    shares: dict[str, float] = {}


class Stopwatch:
    """Wall time of the main thread by step; a step inside another counts for itself only."""

    def __init__(self) -> None:
        self.seconds = dict.fromkeys(NAMES, 0.0)
        self._steps = [REST]
        self._since = time.perf_counter()

    def restart(self) -> None:
        """Begin at zero; the steps that are under way go on."""
        self.seconds = dict.fromkeys(NAMES, 0.0)
        self._since = time.perf_counter()

    def enter(self, name: str) -> None:
        self._charge()
        self._steps.append(name)

    def leave(self) -> None:
        self._charge()
        self._steps.pop()

    def _charge(self) -> None:
        now = time.perf_counter()
        self.seconds[self._steps[-1]] += now - self._since
        self._since = now


class Observed:
    """The wrapped methods, and what they tell."""

    def __init__(self) -> None:
        self.watch = Stopwatch()
        self.profile = cProfile.Profile() if "BENCH_PROFILE" in os.environ else None
        self._cpu_began: tuple[float, float] | None = None
        self._n_held = 0
        for name, owner, method in STEPS:
            _wrap(owner, method, functools.partial(self._timed, name))
        _wrap(Engine, "learn", self._timed_generator)
        _wrap(Consumer, "subscribe", self._joins)
        _wrap(AssignedPartition, "arrivals", self._begun)
        _wrap(Checkpoint, "commit", self._committed)
        _wrap(Worker, "_turn", self._turned)
        _wrap(AssignedPartition, "_catch_up", self._caught_up)
        _wrap(Replay, "process", self._begun)
        _wrap(Writers, "write", self._written)

    def tell(self, kind: str, n: int = 0, seconds: float = 0.0) -> None:
        cpu, main_cpu = self._cpu_began or (0.0, 0.0)
        told = Told(
            kind,
            os.getpid(),
            time.monotonic(),
            cpu_s=time.process_time() - cpu,
            main_cpu_s=time.thread_time() - main_cpu,
            n=n,
            seconds=seconds,
            shares=self.watch.seconds,
        )
        sys.stdout.buffer.write(msgspec.json.encode(told) + b"\n")
        sys.stdout.buffer.flush()

    def _timed(self, name: str, inner: Callable[..., Any], *given: Any, **named: Any) -> Any:
        self.watch.enter(name)
        try:
            return inner(*given, **named)
        finally:
            self.watch.leave()

    def _timed_generator(self, inner: Callable[..., Any], *given: Any) -> Iterator[Any]:
        steps = inner(*given)
        while (step := self._timed("engine", next, steps, _DONE)) is not _DONE:
            yield step

    def _begun(self, inner: Callable[..., Any], *given: Any) -> Any:
        if self._cpu_began is None:
            self.watch.restart()
            self._cpu_began = time.process_time(), time.thread_time()
            self.tell("first")
            if self.profile is not None:
                self.profile.enable()
        return inner(*given)

    def _joins(self, inner: Callable[..., Any], *given: Any) -> None:
        self.tell("up", 1)
        gate = os.environ.get("BENCH_GATE")
        while gate is not None and not Path(gate).exists():
            time.sleep(TICK_S)
        inner(*given)

    def _committed(self, inner: Callable[..., Any], checkpoint: Checkpoint, *given: Any) -> Any:
        n = checkpoint.n_held
        outcome = inner(checkpoint, *given)
        if n and outcome is Outcome.COMMITTED:
            self.tell("done", n)
        return outcome

    def _written(self, inner: Callable[..., Any], writers: Writers, report: Any) -> None:
        inner(writers, report)
        self.tell("done", report.n_records)

    def _turned(self, inner: Callable[..., Any], worker: Worker, *given: Any) -> None:
        inner(worker, *given)
        assignment = worker.assignment
        n = 0 if assignment.restoring else len(assignment.partitions)
        if n != self._n_held:
            self._n_held = n
            self.tell("holds", n)

    def _caught_up(self, inner: Callable[..., Any], *given: Any) -> Iterator[Any]:
        _partition, _reader, first, end, began = given
        yield from inner(*given)
        self.tell("caught up", end - first, time.monotonic() - began)


def _wrap(owner: object, method: str, outer: Callable[..., Any]) -> None:
    inner = getattr(owner, method)

    @functools.wraps(inner)
    def wrapped(*given: Any, **named: Any) -> Any:
        return outer(inner, *given, **named)

    setattr(owner, method, wrapped)


if __name__ == "__main__":
    warm()
    observed = Observed()
    try:
        main()
    finally:
        if observed.profile is not None:
            observed.profile.disable()
            observed.profile.dump_stats(os.environ["BENCH_PROFILE"])
