"""Logs with planted changes for the drift benchmark, each in the place of the one before."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from benchmarks.measuring import ROOT
from models.world_settings import WorldSettings
from monitoring.drift_picture import write_picture
from streams.change_kinds import Permute
from streams.cli.drift_drawing import picture_of_case
from streams.drift_bench import Case
from streams.logs import LogOptions
from streams.movielens import obtain_movielens
from streams.perturbing import Perturbation, Recorded, write_perturbed
from streams.planting import Planting
from streams.scenarios import Scenario, scenario_of
from streams.simulator import SimulatedLog, write_scenario

PERMUTED_AT = 50_000
PICTURES = ROOT / "benchmarks" / "results" / "drift"


def movielens(folder: Path) -> SimulatedLog:
    """Return MovieLens-100K as it is."""
    found = obtain_movielens(folder / "movielens-100k")
    return SimulatedLog(found.events, found.content)


def permuted(folder: Path, scope: str, seed: int) -> SimulatedLog:
    """Write MovieLens-100K with item ids permuted from event 50,000 on, catalogue unchanged."""
    plain = movielens(folder)
    recorded = Recorded([str(plain.events)], LogOptions(), str(plain.content))
    scenario = Scenario("permute", "", (Permute(begin=PERMUTED_AT, scope=scope),))
    log = SimulatedLog(folder / "drift-log" / "events.jsonl", plain.content)
    write_perturbed(Perturbation.of(recorded, scenario, seed), log, overwrite=True)
    return log


def simulated(folder: Path, scenario: str, n_events: int, settings: WorldSettings) -> SimulatedLog:
    """Write a simulated log into which a scenario is planted."""
    log = SimulatedLog.in_folder(folder / "drift-log")
    write_scenario(Planting.of(scenario_of(scenario), settings, n_events), log, overwrite=True)
    return log


def draw(case: Case, folder: Path) -> None:
    """Draw a case into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    write_picture(picture_of_case(case), folder / f"{case.scenario}.svg", (8, 3))


def pictures(folder: Path, *, is_quick: bool) -> Path:
    """Return where pictures are drawn: beside the page, but for a trial run."""
    return folder / "drift-quick" if is_quick else PICTURES


def column(path: Path, name: str) -> list[str]:
    """Return a field of every line of a log."""
    decode = msgspec.json.Decoder(dict[str, str | float | None]).decode
    return [str(decode(line).get(name)) for line in path.read_bytes().splitlines()]


def shown(value: float | None, form: str = ",.0f") -> str:
    """Return a number in a form, a dash for none."""
    return "–" if value is None else format(value, form)


def middle(values: Iterable[float | None]) -> float | None:
    """Return the median of what is known, None if nothing is."""
    known = [value for value in values if value is not None]
    return statistics.median(known) if known else None


def mean(rows: Iterable[Mapping[str, float | None]], name: str) -> float | None:
    """Return the mean of a column over the rows that have it."""
    known = [value for row in rows if (value := row.get(name)) is not None]
    return statistics.fmean(known) if known else None
