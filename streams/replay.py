"""A recorded log through the pipelines of its partitions, as a topic would go through workers.

In: batches of records in the order of the log. Out: judged numbers, drift records and, as wanted,
traces, recommendation records and dead letters, in the order of the log. A batch is processed whole
or not at all, so a run that stops between batches resumes from its snapshot as if it had not.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields, replace
from itertools import chain
from time import perf_counter
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from models.evaluation import Evaluation
from models.exposure import Exposure
from models.names import Names
from models.outcomes import Outcomes
from models.packing import prefixed, unprefixed
from models.state import POPULARITY_NAMES
from streams.arrivals import Arrival, arrive
from streams.drift_summary import DriftSummary
from streams.errors import SnapshotError
from streams.events import Content, View
from streams.logs import Position, RecordBatch
from streams.partitioning import partition_for
from streams.pipeline import Handled, Pipeline, Wanted
from streams.reporting import Report, report_of
from streams.settings import Settings
from streams.snapshots import (
    Manifest,
    Snapshot,
    begun,
    fitting,
    newest_snapshot,
    owner_of,
    prune,
    write_snapshot,
)
from streams.stores import SnapshotStore
from streams.timebounds import Window, possible_time

OWNER = "replay"


class Replay:
    """The state of a run over a recorded log.

    Parameters
    ----------
    settings
        Settings of the run; ``replay.partitions`` pipelines share the log by user.
    wanted
        What each batch is to report beside the numbers.
    window
        Events outside are passed over: they are not judged, learned or counted.

    Attributes
    ----------
    n_records : int
        Records read so far, those of resumed runs included.
    position : Position
        The next record to read.
    latest : float
        Time of the latest event seen, in epoch seconds.
    handled : list[Handled]
        What came of the latest batch, by partition.
    decode_s : float
        Seconds that decoding it took.
    """

    def __init__(self, settings: Settings, wanted: Wanted, window: Window | None = None) -> None:
        self.settings = settings
        self.wanted = wanted
        self.window = window or Window()
        self.pipelines = [Pipeline(settings, p) for p in range(settings.replay.partitions)]
        self.evaluation = Evaluation(POPULARITY_NAMES, k=settings.engine.k)
        self.drift = DriftSummary()
        self.n_records = 0
        self.position = Position()
        self.latest = float("nan")
        self.handled: list[Handled] = []
        self.decode_s = 0.0
        self._first = float("nan")
        self._titles = Names(settings.engine.max_titles * settings.replay.partitions)

    def take_content(self, contents: Iterable[Content]) -> None:
        """Take titles into every partition's catalogue."""
        contents = list(contents)
        for pipeline in self.pipelines:
            pipeline.take_content(contents)

    def process(self, batch: RecordBatch) -> Report:
        """Take one batch through its partitions and report in the order of the log."""
        began_s = perf_counter()
        arrivals = self._arrivals(batch)
        decode_s = perf_counter() - began_s
        handled, at = self._handled(arrivals)
        self._judge(handled, at)
        self.n_records += len(batch.numbers)
        self.position = batch.position
        self.handled, self.decode_s = handled, decode_s
        report = report_of(len(batch.numbers), arrivals, handled, at)
        self.drift.take(report.drift)
        return report

    def counts(self) -> dict[str, int]:
        """Return records by what data quality made of them, over all partitions."""
        totals: dict[str, int] = {}
        for pipeline in self.pipelines:
            for reason, count in pipeline.counts.items():
                totals[reason] = totals.get(reason, 0) + count
        return totals

    def summary(self) -> dict[str, Any]:
        """Return the numbers of the run under the names of ``replay --json``."""
        n_titles = max(pipeline.engine.n_seen for pipeline in self.pipelines)
        result = self.evaluation.summary(n_titles or None)
        drift = self.drift.summary() if self.settings.drift.detect else None
        return {**result, "records": self.n_records, "quality": self.counts(), "drift": drift}

    def write_snapshots(self, folder: SnapshotStore) -> SnapshotStore:
        """Save the state of every partition and of the run; return where.

        Raises
        ------
        SnapshotError
            The storage refuses; an older snapshot stays valid.
        """
        for partition, pipeline in enumerate(self.pipelines):
            manifest = self._manifest("pipeline", partition)
            write_snapshot(folder / owner_of(partition), manifest, pipeline.snapshot())
        arrays = {
            **prefixed("evaluation", self.evaluation.snapshot()),
            **prefixed("titles", self._titles.snapshot()),
            **prefixed("drift", self.drift.snapshot()),
            "times": np.array([self._first, self.latest]),
        }
        place = write_snapshot(folder / OWNER, self._manifest("replay", None), arrays)
        for owner in self._owners():
            prune(folder / owner, self.n_records)
        return place

    def restore(self, folder: SnapshotStore) -> list[str]:
        """Continue from the newest snapshot that all parts have; return what was passed over.

        Raises
        ------
        SnapshotError
            None is valid, or it was made under other settings.
        """
        owners = self._owners()
        common = set.intersection(*(set(begun(folder / owner)) for owner in owners))
        problems: list[str] = []
        for offset in sorted(common, reverse=True):
            found = [newest_snapshot(folder / owner, at_most=offset) for owner in owners]
            problems += chain.from_iterable(trouble for _, trouble in found)
            parts = [part for part, _ in found if part and part.manifest.next_offset == offset]
            if len(parts) == len(owners):
                self._restore_parts(folder, parts)
                return list(dict.fromkeys(problems))
        detail = (
            "; ".join(dict.fromkeys(problems)) or "no snapshot of a replay with as many partitions"
        )
        raise SnapshotError(f"{folder}: cannot resume: {detail}")

    def _restore_parts(self, folder: SnapshotStore, parts: Sequence[Snapshot]) -> None:
        run, *pipelines = parts
        if run.manifest.fingerprint != self.settings.fingerprint():
            differences = run.manifest.differences(self.settings.decisive())
            raise SnapshotError(f"{folder}: made under other settings: {differences}")
        for pipeline, part in zip(self.pipelines, pipelines, strict=True):
            pipeline.restore(part.arrays)
        with fitting():
            self.evaluation.restore(unprefixed("evaluation", run.arrays))
            self._titles.restore(unprefixed("titles", run.arrays))
            self.drift.restore(unprefixed("drift", run.arrays))
            self._first, self.latest = run.arrays["times"].tolist()
        self.n_records = run.manifest.next_offset
        self.position = msgspec.convert(run.manifest.position, Position)

    def _owners(self) -> list[str]:
        return [OWNER, *(owner_of(p) for p in range(len(self.pipelines)))]

    def _manifest(self, kind: str, partition: int | None) -> Manifest:
        return Manifest(
            kind=kind,
            next_offset=self.n_records,
            fingerprint=self.settings.fingerprint(),
            settings=self.settings.decisive(),
            partition=partition,
            position=msgspec.to_builtins(self.position),
        )

    def _arrivals(self, batch: RecordBatch) -> list[Arrival]:
        """Decode a batch and leave out what lies outside the window."""
        decoder, file = batch.decoder, batch.source
        arrivals = [
            arrive(line, file, value, decoder)
            for line, value in zip(batch.numbers, batch.values, strict=True)
        ]
        return self._in_window(arrivals)

    def _in_window(self, arrivals: list[Arrival]) -> list[Arrival]:
        times = [possible_time(a.view) for a in arrivals]
        possible = [time for time in times if time is not None]
        if possible:
            self._first = possible[0] if np.isnan(self._first) else self._first
            self.latest = possible[-1]
        if self.window == Window():
            return arrivals
        earliest, latest = self.window.resolve(self._first)
        return [
            arrival
            for arrival, time in zip(arrivals, times, strict=True)
            if time is None or earliest <= time < latest
        ]

    def _handled(self, arrivals: Sequence[Arrival]) -> tuple[list[Handled], list[list[int]]]:
        """Process each partition's share; return what came of it and where it stood."""
        n = len(self.pipelines)
        if n == 1:
            return [self.pipelines[0].process(arrivals, self.wanted)], [list(range(len(arrivals)))]
        at: list[list[int]] = [[] for _ in range(n)]
        for position, arrival in enumerate(arrivals):
            view = arrival.view
            at[partition_for(view.user_id, n) if isinstance(view, View) else 0].append(position)
        return [
            pipeline.process([arrivals[position] for position in own], self.wanted)
            for pipeline, own in zip(self.pipelines, at, strict=True)
        ], at

    def _judge(self, handled: Sequence[Handled], at: Sequence[Sequence[int]]) -> None:
        """Let the evaluation see the events of all partitions in the order of the log."""
        if len(handled) == 1:
            for outcomes in handled[0].outcomes:
                self.evaluation.update(outcomes)
            return
        parts = [
            self._with_common_rows(partition, outcomes)
            for partition, part in enumerate(handled)
            for outcomes in part.outcomes
        ]
        if parts:
            places = [own[a] for part, own in zip(handled, at, strict=True) for a in part.accepted]
            self.evaluation.update(_joined(parts, np.argsort(places, kind="stable")))

    def _with_common_rows(self, partition: int, outcomes: Outcomes) -> Outcomes:
        """Give a title the same row in all partitions, for what counts distinct titles."""
        names = self.pipelines[partition].engine.titles
        rows, inverse = np.unique(outcomes.lists, return_inverse=True)
        common = [-1 if row < 0 else self._titles.row_of(names.name(row)) for row in rows.tolist()]
        lists = np.array(common, np.int32)[inverse].reshape(outcomes.lists.shape)
        return replace(outcomes, lists=lists)


def _joined(parts: Sequence[Outcomes], order: NDArray[np.intp]) -> Outcomes:
    """Join chunks of outcomes and put their rows in order."""

    def column(arrays: Iterable[NDArray[Any]]) -> NDArray[Any]:
        return np.concatenate(list(arrays))[order]

    names = [field.name for field in fields(Outcomes) if field.name != "exposure"]
    exposures = [part.exposure for part in parts if part.exposure is not None]
    return Outcomes(
        **{name: column(getattr(part, name) for part in parts) for name in names},
        exposure=Exposure(
            **{f.name: column(getattr(e, f.name) for e in exposures) for f in fields(Exposure)}
        ),
    )
