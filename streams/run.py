"""One run over a recorded log: read, process, write, save; stop cleanly when asked to.

Outputs are written after the batch they belong to is processed, in the order of the log. On the
first SIGINT or SIGTERM the batch in hand is finished, outputs are flushed and the state is saved
(where that was asked for); a second one ends the process at once.
"""

from __future__ import annotations

import csv
import os
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import msgspec

from streams.errors import InputError, RejectedEvent, SnapshotError
from streams.events import Content
from streams.inputs import find_inputs
from streams.jsonlines import LineWriter
from streams.locations import local_folder, open_store
from streams.logs import LogOptions, Position, RecordBatch, read_content, read_log
from streams.observer import Observer
from streams.pipeline import Emission, Wanted
from streams.replay import Replay
from streams.replay_watch import ReplayWatch
from streams.reporting import Report
from streams.settings import Settings
from streams.sorting import sorted_log
from streams.stepping import in_steps
from streams.stop import Stop
from streams.timebounds import Window

N_EXAMPLES = 5


class Plan(msgspec.Struct, frozen=True):
    """What a run reads, writes and keeps; paths as on the command line.

    Attributes
    ----------
    observe_every_s
        Event time after which observers are told of everything; None: once a second of the clock.
    beside
        Files that the caller writes at the end: refused with the others where that cannot work.
    """

    logs: tuple[str, ...]
    settings: Settings
    column_map: dict[str, str] = {}
    log_format: str | None = None
    content: str | None = None
    window: Window = Window()
    limit: int | None = None
    is_sorted: bool = False
    output: str | None = None
    trace: str | None = None
    dead_letters: str | None = None
    drift: str | None = None
    series: str | None = None
    snapshot_to: str | None = None
    snapshot_every: int | None = None
    resume: str | None = None
    observe_every_s: float | None = None
    beside: tuple[str, ...] = ()

    def options(self) -> LogOptions:
        """Return how the logs are read."""
        return LogOptions(
            column_map=self.column_map,
            format=self.log_format,
            batch_size=self.settings.replay.batch_size,
            max_bytes=self.settings.quality.max_event_bytes,
        )


class Result(msgspec.Struct):
    """What a run gave.

    Attributes
    ----------
    summary
        The object that ``--json`` prints.
    replay
        The state at the end.
    files
        What was written where.
    notes
        What a person should know, such as a damaged snapshot that was passed over.
    is_interrupted
        Whether a signal ended the run early.
    """

    summary: dict[str, Any]
    replay: Replay
    files: dict[str, str]
    notes: list[str]
    is_interrupted: bool


def run(plan: Plan, observer: Observer | None = None) -> Result:
    """Carry out a plan.

    Raises
    ------
    InputError, SnapshotError, SettingsError
        The plan cannot be carried out; what was written so far is complete lines.
    """
    wanted = Wanted(
        emission=Emission.EVERY if plan.output else Emission.NONE, is_traced=bool(plan.trace)
    )
    replay = Replay(plan.settings, wanted, plan.window)
    notes = _prepare(plan, replay)
    is_stepped = plan.observe_every_s is not None
    watch = ReplayWatch(observer, replay, is_stepped=is_stepped) if observer else None
    stop = Stop()
    began, n_before = time.monotonic(), replay.n_records
    with stop.on_signals():
        with ExitStack() as stack:
            writers = Writers(plan, stack)
            for batch in stop.between(_limited(_batches(plan, replay), plan.limit)):
                report = replay.process(batch)
                writers.write(report)
                if watch is not None:
                    watch.batch(batch.share)
                if _is_due(plan.snapshot_every, replay.n_records, report.n_records):
                    writers.flush()
                    replay.write_snapshots(open_store(str(plan.snapshot_to), plan.settings))
        elapsed_s = time.monotonic() - began
        if watch is not None:
            watch.finish()
        files = _finish(plan, replay, writers.files)
    summary = _summary(replay, replay.n_records - n_before, elapsed_s)
    return Result(summary, replay, files, notes, stop.is_asked)


class Writers:
    """The JSON-lines files of a run."""

    def __init__(self, plan: Plan, stack: ExitStack) -> None:
        self.files = {
            what: path
            for what, path in (
                ("recommendations", plan.output),
                ("trace", plan.trace),
                ("dead letters", plan.dead_letters),
                ("drift", plan.drift),
            )
            if path
        }
        self._writers = {
            what: stack.enter_context(LineWriter(path)) for what, path in self.files.items()
        }

    def write(self, report: Report) -> None:
        """Write what a batch gave."""
        for what, records in (
            ("recommendations", report.recommendations),
            ("trace", report.traces),
            ("dead letters", report.dead_letters),
            ("drift", report.drift),
        ):
            if what in self._writers:
                self._writers[what].write(records)

    def flush(self) -> None:
        """Hand everything to the operating system, before a snapshot says it was done."""
        for writer in self._writers.values():
            writer.flush()


def _prepare(plan: Plan, replay: Replay) -> list[str]:
    """Restore or take in the catalogue; return notes for people.

    What cannot work is refused before anything is written over or long waited for.
    """
    _check_paths(plan)
    notes = []
    if plan.resume:
        problems = replay.restore(open_store(plan.resume, plan.settings))
        notes = [f"passed over: {problem}" for problem in problems]
        notes.append(f"resumed after record {replay.n_records}")
    elif plan.content:
        refused: list[RejectedEvent] = []
        replay.take_content(_contents(plan, plan.content, refused))
        notes += [f"{plan.content}: {refusal.error}" for refusal in refused[:N_EXAMPLES]]
        if len(refused) > N_EXAMPLES:
            notes.append(f"{plan.content}: {len(refused)} records refused in all")
    return notes


def _check_paths(plan: Plan) -> None:
    if plan.snapshot_every and not plan.snapshot_to:
        raise InputError("--snapshot-every needs --snapshot-to")
    read = {source.path for source in find_inputs(plan.logs, plan.log_format)}
    read = {os.path.realpath(path) for path in (*read, *filter(None, [plan.content]))}
    if plan.drift and not plan.settings.drift.detect:
        raise InputError(f"{plan.drift}: nothing to write: drift.detect is off")
    outputs = (plan.output, plan.trace, plan.dead_letters, plan.drift, plan.series, *plan.beside)
    for path in filter(None, outputs):
        if os.path.realpath(path) in read and Path(path).is_file():
            raise InputError(f"{path}: is read; it cannot be written as well")
        if not Path(path).parent.is_dir():
            raise InputError(f"{path}: cannot write: no such folder")
    if plan.snapshot_to:
        _check_store(plan.snapshot_to, plan.settings)


def _check_store(location: str, settings: Settings) -> None:
    """Refuse where no snapshot can be written, as far as that is known without writing one."""
    folder = local_folder(location)
    if folder is None:
        open_store(location, settings).files()
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SnapshotError(f"{location}: cannot make: {error.strerror}") from error


def _contents(plan: Plan, path: str, refused: list[RejectedEvent]) -> Iterator[Content]:
    """Yield the titles of a file; what is refused goes to the list."""
    options = msgspec.structs.replace(plan.options(), format=None)
    for content in read_content(path, options):
        if isinstance(content, RejectedEvent):
            refused.append(content)
        else:
            yield content


def _batches(plan: Plan, replay: Replay) -> Iterator[RecordBatch]:
    if replay.position != Position() and replay.position.is_sorted != plan.is_sorted:
        how = "with" if replay.position.is_sorted else "without"
        raise InputError(f"{plan.resume}: made {how} --sort; resume {how} it")
    read = sorted_log if plan.is_sorted else read_log
    batches = read(plan.logs, options=plan.options(), start=replay.position)
    return batches if plan.observe_every_s is None else in_steps(batches, plan.observe_every_s)


def _limited(batches: Iterator[RecordBatch], limit: int | None) -> Iterator[RecordBatch]:
    """Pass on the first records only."""
    left = limit
    for batch in batches:
        if left is None or len(batch.numbers) <= left:
            yield batch
        elif left > 0:
            yield msgspec.structs.replace(
                batch,
                numbers=batch.numbers[:left],
                values=batch.values[:left],
                position=batch.position_after(left),
            )
        if left is not None:
            left -= len(batch.numbers)
            if left <= 0:
                return


def _is_due(every: int | None, n_records: int, n_new: int) -> bool:
    """Whether a multiple of ``every`` records was passed by the latest ``n_new``."""
    return every is not None and n_records // every > (n_records - n_new) // every


def _finish(plan: Plan, replay: Replay, files: dict[str, str]) -> dict[str, str]:
    """Save the state and the series; return everything written."""
    if plan.snapshot_to:
        replay.write_snapshots(open_store(plan.snapshot_to, plan.settings))
        files = {**files, "snapshots": plan.snapshot_to}
    if plan.series:
        _write_series(plan.series, replay)
        files = {**files, "quality by window": plan.series}
    return files


def _write_series(path: str, replay: Replay) -> None:
    rows = replay.evaluation.series()
    names = list(rows[0]) if rows else ["events"]
    try:
        with Path(path).open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, names)
            writer.writeheader()
            writer.writerows(rows)
    except OSError as error:
        raise InputError(f"{path}: cannot write: {error.strerror}") from error


def _summary(replay: Replay, n_new: int, elapsed_s: float) -> dict[str, Any]:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        **replay.summary(),
        "elapsed_s": elapsed_s,
        "events_per_s": n_new / elapsed_s if elapsed_s > 0 else 0.0,
        "peak_rss_bytes": peak if sys.platform == "darwin" else peak * 1024,
    }
