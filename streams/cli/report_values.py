"""What is read of a run, as what ``driftline report`` shows of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.feature_names import FEATURES
from monitoring.drift_picture import Bar
from monitoring.report.history import History
from monitoring.report.values import Drift, Item, Person, Report, Windows
from streams.cli.drift import plain
from streams.cli.drift_drawing import label_of, label_of_story
from streams.drift_files import Story
from streams.drift_matching import matching
from streams.examples import Example, example_of, latest_users
from streams.replay import Replay
from streams.run import Plan, Result
from streams.truth import PlantedChange

N_PEOPLE = 3
N_ITEMS, N_PARTS = 10, 3


class Along(NamedTuple):
    """Where event times and accepted events are in the log, in records."""

    records: NDArray[np.float64]
    times: NDArray[np.float64]
    accepted: NDArray[np.float64]

    def at_time(self, event_time: float) -> float:
        """Return the record at which the log's clock was there."""
        if math.isinf(event_time) or not len(self.times):
            return event_time
        return float(np.interp(event_time, self.times, self.records))

    def at_event(self, n: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the records at which so many events were accepted."""
        return np.interp(n, self.accepted, self.records)


def report_of(
    plan: Plan,
    result: Result,
    history: History,
    *,
    planted: Sequence[PlantedChange] | None = None,
    users: Sequence[str] = (),
) -> Report:
    """Return what is shown of a run.

    Parameters
    ----------
    plan, result
        The run.
    history
        That watched it.
    planted
        What was planted into the log, if that is known.
    users
        Example users; without any, those seen last.
    """
    replay = result.replay
    along = _along(replay, history)
    chosen = users or latest_users(replay, N_PEOPLE)
    return Report(
        logs=[Path(log).name if log != "-" else "standard input" for log in plan.logs],
        summary=result.summary,
        windows=_windows(replay, along),
        drift=_drift(plan, replay, along, planted),
        history=history,
        weights=_weights(replay),
        people=[_person(example_of(replay, user)) for user in chosen] if replay.n_records else [],
        settings=plan.settings.decisive(),
        fingerprint=plan.settings.fingerprint(),
        version=_version(),
        is_interrupted=result.is_interrupted,
    )


def _along(replay: Replay, history: History) -> Along:
    if not len(history.ends):  # resumed where the log ends
        reached = np.array([0.0, replay.n_records])
        return Along(reached, np.zeros(0), np.array([0.0, replay.evaluation.n_events]))
    accepted = np.cumsum(history.counts("accepted"))
    before = replay.evaluation.n_events - accepted[-1]
    # A resumed run was not watched from the beginning.
    origin = [0.0, float(history.begin)] if before > 0 else [float(history.begin)]
    return Along(
        records=np.concatenate([origin, history.ends]),
        times=np.concatenate([history.times[:1].repeat(len(origin)), history.times]),
        accepted=np.concatenate([[0.0, before][-len(origin) :], before + accepted]),
    )


def _windows(replay: Replay, along: Along) -> Windows:
    rows = replay.evaluation.series()
    recall = f"recall@{replay.settings.engine.k}"

    def column(name: str) -> NDArray[np.float64]:
        return np.array([math.nan if r[name] is None else r[name] for r in rows], np.float64)

    ends = along.at_event(column("events")) if rows else np.zeros(0)
    return Windows(
        begin=np.concatenate([along.records[:1], ends])[: len(ends)],
        end=ends,
        judged=np.diff(column("judged"), prepend=0.0),
        recall=column(recall),
        popularity=column(f"popularity_{recall}"),
        random=column(f"random_{recall}"),
    )


def _drift(
    plan: Plan, replay: Replay, along: Along, planted: Sequence[PlantedChange] | None
) -> Drift | None:
    if not plan.settings.drift.detect:
        return None
    stories = replay.drift.stories()
    # Numbers of records are places of one log that is read as it stands.
    has_lines = len(plan.logs) == 1 and not plan.is_sorted
    matched = None
    if planted is not None and all(story.line is not None for story in stories):
        matched = matching(stories, planted)
    return Drift(
        episodes=plain(stories, matched),
        bars=[_episode(story, along, has_lines=has_lines) for story in stories],
        planted=None
        if planted is None
        else [_planted(change, along, has_lines=has_lines) for change in planted],
        missed=matched.missed if matched else (),
        scores=matched.scores if matched else None,
        n_episodes=replay.drift.summary()["episodes"],
    )


def _episode(story: Story, along: Along, *, has_lines: bool) -> Bar:
    record = story.record
    is_placed = has_lines and story.line is not None
    noticed = float(story.line or 0) if is_placed else along.at_time(record.detected)
    end = math.inf if record.ended is None else along.at_time(record.ended)
    return Bar(
        label=label_of_story(story),
        begin=min(along.at_time(record.onset), noticed),
        end=max(end, noticed),
        noticed=noticed,
        kind=str(record.kind),
    )


def _planted(change: PlantedChange, along: Along, *, has_lines: bool) -> Bar:
    lasts = change.end_event_time is None
    if has_lines:
        end = math.inf if lasts else float(change.end_line)
        return Bar(label_of(change), float(change.begin_line), end)
    end = math.inf if change.end_event_time is None else along.at_time(change.end_event_time)
    return Bar(label_of(change), along.at_time(change.begin_event_time), end)


def _weights(replay: Replay) -> dict[str, float]:
    """Return the ranker's weights; of several partitions the mean, by their events."""
    parts = replay.pipelines
    shares = np.array([part.counts["accepted"] for part in parts], np.float64)
    weights = np.array([part.engine.model.weights[0] for part in parts], np.float64)
    mean = shares @ weights / max(shares.sum(), 1.0)
    return dict(zip(FEATURES, mean.tolist(), strict=True))


def _person(example: Example) -> Person:
    return Person(
        user_id=example.user_id,
        is_known=example.n_watched > 0,
        n_watched=example.n_watched,
        lately=example.lately,
        items=[
            Item(title, item.reason.text, _parts(example, item.content_id))
            for title, item in list(zip(example.titles, example.items, strict=True))[:N_ITEMS]
        ],
    )


def _parts(example: Example, content_id: str) -> list[tuple[str, float]]:
    named: dict[str, Any] = example.contributions[content_id]
    return list(named.items())[:N_PARTS]


def _version() -> str:
    try:
        return version("driftline")
    except PackageNotFoundError:
        return "unknown"
