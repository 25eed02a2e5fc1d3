"""The picture of ``driftline drift``: what is read of a run, as what is drawn of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np

from monitoring.drift_picture import SUFFIXES, Bar, Curve, Picture, write_picture
from streams.errors import InputError, SettingsError
from streams.series_files import Series, read_series

if TYPE_CHECKING:
    from streams.drift_bench import Case
    from streams.drift_files import Story
    from streams.drift_trials import Trial
    from streams.truth import PlantedChange

Place = Callable[[float], float]


def draw(stories: Sequence[Story], planted: Sequence[PlantedChange], given: dict[str, Any]) -> None:
    """Write the picture that was asked for, and say where it is.

    Raises
    ------
    SettingsError, InputError
        It cannot be drawn or written.
    """
    path: Path = given["picture"]
    if path.suffix.lower().removeprefix(".") not in SUFFIXES:
        raise SettingsError(f"{path}: a picture is a .png or an .svg")
    series = {read: read_series(read) for read in given["series"]}
    is_time = given["by"] == "time"
    if not is_time and not series:
        raise SettingsError("--by events needs a --series, which knows how many there were when")
    place_of = _same if is_time else _events_of(next(iter(series.values())))
    picture = Picture(
        curves=[_curve(name, one, is_time=is_time) for name, one in labelled(series)],
        planted=[_planted(change, place_of) for change in planted],
        episodes=[_episode(story, place_of) for story in stories],
        k=next((one.k for one in series.values()), 10),
        is_time=is_time,
    )
    try:
        write_picture(picture, path)
    except OSError as error:
        raise InputError(f"{path}: cannot write: {error.strerror}") from error
    click.echo(path)


def picture_of_case(case: Case, window: int = 1_000) -> Picture:
    """Return the picture of a log of the bench, by records, with a curve a mode."""
    from streams.drift_trials import ADAPTING

    trial = case.trials[ADAPTING]
    planted = [
        Bar(label_of(change), zone.begin, zone.end if zone.end > zone.begin else math.inf)
        for change, zone in zip(case.planted, case.zones, strict=True)
    ]

    def place_of(event_time: float) -> float:
        return math.inf if math.isinf(event_time) else float(trial.record_of(event_time))

    return Picture(
        curves=[_windows(mode, found, window) for mode, found in case.trials.items()],
        planted=planted,
        episodes=[_episode(story, place_of) for story in trial.stories],
        is_time=False,
        title=f"{case.scenario}",
    )


def _windows(label: str, trial: Trial, window: int) -> Curve:
    """Return recall by window of judged events, with the best popularity of the run."""
    best = int(trial.popularity.mean(axis=0).argmax()) if len(trial.record) else 0
    starts = range(0, len(trial.record), window)
    parts = [slice(start, start + window) for start in starts]
    return Curve(
        label,
        np.array([trial.record[part].mean() for part in parts]),
        np.array([trial.is_hit[part].mean() for part in parts]),
        np.array([trial.popularity[part, best].mean() for part in parts]),
    )


def labelled(series: dict[Path, Series]) -> list[tuple[str, Series]]:
    """Return series with short names: driftline for one, else what tells their files apart."""
    if len(series) == 1:
        return [("driftline", one) for one in series.values()]
    stems = [path.stem for path in series]
    is_clear = len(set(stems)) == len(stems)
    return [(path.stem if is_clear else str(path), one) for path, one in series.items()]


def _curve(label: str, series: Series, *, is_time: bool) -> Curve:
    ends = np.array(series.event_time if is_time else series.events, np.float64)
    begins = np.concatenate([ends[:1], ends[:-1]])
    middles = (begins + ends) / 2
    return Curve(label, middles, np.array(series.recall), np.array(series.popularity))


def _same(event_time: float) -> float:
    return event_time


def _events_of(series: Series) -> Place:
    """Return what tells how many events there were up to a time, between windows in proportion."""
    times = np.maximum.accumulate(np.array(series.event_time))
    events = np.array(series.events)

    def place_of(event_time: float) -> float:
        return math.inf if math.isinf(event_time) else float(np.interp(event_time, times, events))

    return place_of


def _planted(change: PlantedChange, place_of: Place) -> Bar:
    end = math.inf if change.end_event_time is None else change.end_event_time
    return Bar(label_of(change), place_of(change.begin_event_time), place_of(end))


def label_of(change: PlantedChange) -> str:
    """Return a planted change in a few words."""
    shape = "" if change.shape == "abrupt" else f"{change.shape} "
    return f"{shape}{change.kind}, {change.scope}"


def _episode(story: Story, place_of: Place) -> Bar:
    record = story.record
    end = math.inf if record.ended is None else record.ended
    return Bar(
        label=label_of_story(story),
        begin=place_of(record.onset),
        end=place_of(end),
        noticed=place_of(record.detected),
        kind=str(record.kind),
    )


def label_of_story(story: Story) -> str:
    """Return where an episode is, and of which statistic if that is not how good lists are."""
    record = story.record
    scope = record.scopes[0].scope
    return scope if record.kind == "concept" else f"{record.statistic}, {scope}"
