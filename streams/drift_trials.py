"""A log through the engine, and what detectors of drift are judged by."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from models.drift_scores import Zone
from models.outcomes import Outcomes, Skip
from streams.arrivals import Arrival, arrive
from streams.drift_files import Story, folded
from streams.errors import RejectedEvent
from streams.events import View
from streams.logs import read_content, read_log
from streams.pipeline import Pipeline, Wanted
from streams.settings import Settings
from streams.truth import PlantedChange

ADAPTING, STEADY, UNFORGETTING = "adapting", "not adapting", "no forgetting"
MODES = (ADAPTING, STEADY, UNFORGETTING)
_NEVER = 1e12
_SILENT = Wanted()


class Trial(msgspec.Struct, frozen=True):
    """One run; records of the log count from 0.

    Attributes
    ----------
    record
        Of each judged event.
    is_hit, loss
        Whether the watched title was in the list; 1 − NDCG@k of the list.
    popularity
        Whether it was among the k most popular, by each half-life.
    latest
        Latest event time up to each record; NaN before the first.
    stories
        Episodes, in the order in which they opened.
    elapsed_s
        Time that the pipeline took.
    """

    record: NDArray[np.int64]
    is_hit: NDArray[np.bool_]
    loss: NDArray[np.float64]
    popularity: NDArray[np.bool_]
    latest: NDArray[np.float64]
    stories: list[Story]
    elapsed_s: float

    @property
    def n_records(self) -> int:
        """Length of the log."""
        return len(self.latest)

    def record_of(self, event_time: float) -> int:
        """Return the first record by which the log had come to an event time."""
        return int(np.searchsorted(self.latest, event_time))

    def recall(self, begin: int, end: int) -> float:
        """Return recall over the judged events among records; NaN if there are none."""
        first, last = np.searchsorted(self.record, [begin, end])
        return float(self.is_hit[first:last].mean()) if last > first else float("nan")


def settings_of(mode: str, settings: Settings) -> Settings:
    """Return the settings of a mode.

    ``no forgetting`` counts every view alike for ever: no fast side to boost, and none boosted.
    """
    replace = msgspec.structs.replace
    if mode == ADAPTING:
        return settings
    drift = replace(settings.drift, adapt=False)
    if mode == STEADY:
        return replace(settings, drift=drift)
    engine = replace(
        settings.engine,
        slow_half_life_events=_NEVER,
        fast_half_life_events=_NEVER,
        events_per_title=0.0,
    )
    return replace(settings, engine=engine, drift=replace(drift, detect=False))


def run_trial(events: Path, content: Path | None, settings: Settings) -> Trial:
    """Take a log through a pipeline.

    Raises
    ------
    InputError
        It cannot be read.
    """
    pipeline = Pipeline(settings)
    if content is not None:
        contents = read_content(str(content))
        pipeline.take_content(c for c in contents if not isinstance(c, RejectedEvent))
    records, times, found, at = [], [], [], []
    n, elapsed_s = 0, 0.0
    for arrivals in _batches(events):
        began = time.perf_counter()
        handled = pipeline.process(arrivals, _SILENT)
        elapsed_s += time.perf_counter() - began
        records += [record for _, record in handled.drift]
        found += handled.outcomes
        at += [n + place for place in handled.accepted]
        times += [a.view.event_time if isinstance(a.view, View) else np.nan for a in arrivals]
        n += len(arrivals)
    judged, rank, popular = _judged(found)
    k = settings.engine.k
    is_hit = (rank > 0) & (rank <= k)
    return Trial(
        record=np.array(at, np.int64)[judged],
        is_hit=is_hit,
        loss=np.where(is_hit, 1.0 - 1.0 / np.log2(1.0 + np.maximum(rank, 1)), 1.0),
        popularity=(popular > 0) & (popular <= k),
        latest=np.fmax.accumulate(np.array(times, np.float64)),
        stories=folded(records),
        elapsed_s=elapsed_s,
    )


def _batches(events: Path) -> Iterator[list[Arrival]]:
    for batch in read_log([str(events)]):
        yield [
            arrive(line, None, value, batch.decoder)
            for line, value in zip(batch.numbers, batch.values, strict=True)
        ]


def _judged(
    chunks: list[Outcomes],
) -> tuple[NDArray[np.intp], NDArray[np.int64], NDArray[np.int64]]:
    """Return which accepted events were judged, and the ranks of what they watched."""
    skip = np.concatenate([chunk.skip for chunk in chunks] or [np.zeros(0, np.int8)])
    judged = np.flatnonzero(skip == Skip.JUDGED)
    if not len(judged):
        return judged, np.zeros(0, np.int64), np.zeros((0, 1), np.int64)
    rank = np.concatenate([chunk.rank for chunk in chunks])[judged]
    popular = np.concatenate([chunk.popularity_rank for chunk in chunks])[judged]
    return judged, rank.astype(np.int64), popular.astype(np.int64)


def zone_of(change: PlantedChange, trial: Trial) -> Zone:
    """Return where a planted change is among the records of a trial."""
    begin = change.begin_line - 1
    if change.end_event_time is None:
        return Zone(begin, begin)
    if change.shape == "gradual":
        return Zone(begin, trial.record_of(change.end_event_time))
    return Zone(begin, change.end_line - 1)
