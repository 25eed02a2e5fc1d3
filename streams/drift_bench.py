"""Detectors of drift side by side, on logs whose truth is known.

Every scenario is simulated with every seed and replayed three times (`streams.drift_trials`):
adapting, not adapting, and without forgetting. Our episodes are compared with alarms of detectors
that see the hits or the losses of the run that does not adapt.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np

from models.alarms import Kind
from models.detectors import Adwin, Ddm, Detector, EveryN, PageHinkley, alarms_of
from models.drift_scores import Scores, Zone, match, score, total
from models.world_settings import WorldSettings
from streams.change_kinds import DEVICE, SOURCE, WORLD_KINDS, Permute, Stuck
from streams.drift_files import Story
from streams.drift_trials import ADAPTING, MODES, STEADY, Trial, run_trial, settings_of, zone_of
from streams.planting import Planting
from streams.scenarios import scenario_of
from streams.settings import Settings
from streams.simulator import SimulatedLog, write_scenario
from streams.truth import PlantedChange, read_truth

HORIZON = 5_000
"""Records after a change is complete in which an alarm still tells of it."""
QUICK = ("stationary", "taste-flip", "taste-flip-genre", "unit-change")
WINDOWS = {"before": (-10_000, 0), "first 1,000": (0, 1_000), "next 4,000": (1_000, 5_000)}
"""Records relative to the first change over which recall is taken."""
LATER = "later"
_TASTE = {str(kind.__struct_config__.tag) for kind in (*WORLD_KINDS, Permute)}
_STUCK = str(Stuck.__struct_config__.tag)


class Rival(NamedTuple):
    """A detector that sees hits or losses, one after the other."""

    sees: str
    build: Callable[[], Detector]


RIVALS = {
    "ADWIN on hits": Rival("hit", lambda: Adwin(0.002)),
    "ADWIN on losses": Rival("loss", lambda: Adwin(0.002)),
    "Page–Hinkley on hits": Rival("hit", lambda: PageHinkley(0.005, 50.0, "down")),
    "Page–Hinkley on losses": Rival("loss", lambda: PageHinkley(0.005, 50.0, "up")),
    "DDM on hits": Rival("hit", Ddm),
    "every 5,000 events": Rival("hit", lambda: EveryN(5_000)),
}
OURS, OURS_STEADY, OURS_LISTS = "driftline", "driftline, not adapting", "driftline, lists alone"
NOTHING = "no detector"
DETECTORS = (OURS, OURS_STEADY, OURS_LISTS, *RIVALS, NOTHING)


class Request(msgspec.Struct, frozen=True):
    """What is benched.

    Attributes
    ----------
    scenarios
        Names, or TOML files.
    n_events
        Of a log.
    seeds
        Logs of a scenario.
    horizon
        See `HORIZON`.
    """

    scenarios: tuple[str, ...]
    n_events: int = 100_000
    seeds: int = 3
    horizon: int = HORIZON


class Case(NamedTuple):
    """One log, what was planted into it, and what came of it, by mode."""

    scenario: str
    seed: int
    planted: list[PlantedChange]
    zones: list[Zone]
    trials: dict[str, Trial]


def world_of(n_events: int, seed: int) -> WorldSettings:
    """Return a world of a size that suits a log.

    A person has 50 views, a title at least 20 up to 2,000 titles. With fewer titles a genre has so
    few niches that some flips do not halve what a frozen engine hits.
    """
    n_titles = min(max(n_events // 20, 50), 2_000)
    return WorldSettings(n_users=max(n_events // 50, 50), n_titles=n_titles, seed=seed)


def cases_of(request: Request, settings: Settings, folder: Path) -> Iterator[Case]:
    """Yield every case; its log is in the folder until the next one.

    Raises
    ------
    InputError
        A scenario is unknown, or does not fit into so many events.
    """
    for name in request.scenarios:
        scenario = scenario_of(name)
        for seed in range(request.seeds):
            log = SimulatedLog.in_folder(folder)
            planting = Planting.of(scenario, world_of(request.n_events, seed), request.n_events)
            write_scenario(planting, log, overwrite=True)
            yield tried(Path(name).stem, seed, log, settings)


def tried(
    name: str, seed: int, log: SimulatedLog, settings: Settings, modes: Sequence[str] = MODES
) -> Case:
    """Replay a log in every mode and return what came of it."""
    trials = {
        mode: run_trial(log.events, log.content, settings_of(mode, settings)) for mode in modes
    }
    planted = read_truth(log.truth)
    some = next(iter(trials.values()))
    return Case(name, seed, planted, [zone_of(change, some) for change in planted], trials)


def alarms_by_detector(case: Case) -> dict[str, list[int]]:
    """Return the records at which each detector alarmed."""
    ours, steady = case.trials[ADAPTING], case.trials[STEADY]
    seen = {"hit": steady.is_hit.astype(np.float64).tolist(), "loss": steady.loss.tolist()}
    rivals = {
        name: steady.record[alarms_of(rival.build(), seen[rival.sees])].tolist()
        for name, rival in RIVALS.items()
    }
    return {
        OURS: opened(ours.stories),
        OURS_STEADY: opened(steady.stories),
        OURS_LISTS: opened(s for s in ours.stories if s.record.kind is Kind.CONCEPT),
        **rivals,
        NOTHING: [],
    }


def opened(stories: Iterator[Story] | Sequence[Story]) -> list[int]:
    """Return the records, from 0, that opened episodes, in order."""
    return sorted(story.line - 1 for story in stories if story.line is not None)


def n_named(case: Case, horizon: int) -> int:
    """Return how many planted changes have an episode of the right kind that names their scope.

    Kind and scope are those that the episode was last told to have.
    """
    stories = sorted(case.trials[ADAPTING].stories, key=lambda story: story.line or 0)
    found = match(case.zones, [(story.line or 1) - 1 for story in stories], horizon)
    named = {
        place
        for story, place in zip(stories, found, strict=True)
        if place is not None and is_named(story, case.planted[place])
    }
    return len(named)


def is_named(story: Story, change: PlantedChange) -> bool:
    """Whether an episode is of the kind of a planted change and names its scope first.

    A stuck client is planted into all events and has one device and one source: these are right.
    """
    is_fault = story.record.kind is Kind.INPUT_FAULT
    scope = story.record.scopes[0].scope
    is_clients = change.kind == _STUCK and scope.startswith((f"{DEVICE}:", f"{SOURCE}:"))
    return is_fault == (change.kind not in _TASTE) and (scope == change.scope or is_clients)


def detection_rows(cases: Sequence[Case], horizon: int) -> list[dict[str, Any]]:
    """Return a row for each scenario and detector: scores over all seeds."""
    rows = []
    for name in dict.fromkeys(case.scenario for case in cases):
        own = [case for case in cases if case.scenario == name]
        alarms = [alarms_by_detector(case) for case in own]
        for detector in DETECTORS:
            scores = total(
                score(
                    case.zones,
                    found[detector],
                    horizon=horizon,
                    n_events=case.trials[ADAPTING].n_records,
                )
                for case, found in zip(own, alarms, strict=True)
            )
            row = {"scenario": name, "detector": detector, **numbers(scores)}
            if detector == OURS:
                row["named"] = sum(n_named(case, horizon) for case in own)
            rows.append(row)
    return rows


def numbers(scores: Scores) -> dict[str, float | None]:
    """Return scores under the names of the results; None where there is nothing to tell."""
    values = {
        "changes": scores.n_changes,
        "detected": scores.n_detected,
        "alarms": scores.n_alarms,
        "false": scores.n_false,
        "quiet_events": scores.n_quiet,
        "mean_delay": scores.mean_delay,
        "median_delay": scores.median_delay,
        "missed_rate": scores.missed_rate,
        "false_per_10000": scores.false_rate,
        "precision": scores.precision,
        "recall": scores.recall,
        "mean_time_ratio": scores.mean_time_ratio,
    }
    return {name: None if np.isnan(value) else value for name, value in values.items()}


def recall_rows(cases: Sequence[Case]) -> list[dict[str, Any]]:
    """Return a row for each scenario and mode: mean recall around the first change."""
    rows = []
    for name in dict.fromkeys(case.scenario for case in cases):
        own = [case for case in cases if case.scenario == name]
        for mode in own[0].trials:
            found = [recall_around(case.trials[mode], _first(case)) for case in own]
            means = {window: _mean([one[window] for one in found]) for window in found[0]}
            rows.append({"scenario": name, "mode": mode, **means})
    return rows


def recall_around(trial: Trial, begin: int) -> dict[str, float]:
    """Return recall before and after a record."""
    found = {
        window: trial.recall(max(begin + first, 0), begin + last)
        for window, (first, last) in WINDOWS.items()
    }
    last = max(end for _, end in WINDOWS.values())
    return {**found, LATER: trial.recall(begin + last, trial.n_records)}


def _first(case: Case) -> int:
    """Return where the first change begins; the middle of a log without one."""
    middle = next(iter(case.trials.values())).n_records // 2
    return min((zone.begin for zone in case.zones), default=middle)


def _mean(values: Sequence[float]) -> float | None:
    known = [value for value in values if not np.isnan(value)]
    return sum(known) / len(known) if known else None
