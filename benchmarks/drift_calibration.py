"""How often inputs are said to change where nothing does, and how soon faults are found.

Input side only: records through the quality gate, without the engine. Stationary logs are ten
simulated worlds of different sizes, with sessions, daily and weekly rhythm, devices and sources;
every statistic and scope counts. The closest that any test was seen to its threshold, at every
4,096th record, stands beside as a share of it. On recorded logs every alarm is listed. Faults are
those of `driftline simulate --scenario`, five worlds each: *found* counts input faults told within
500 faulty records.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.logs import every_log
from benchmarks.measuring import ROOT, table
from models.alarms import Alarm, Kind, Recovery
from models.input_watch import Notice
from models.levels import LAMBDA
from models.viewing import views
from models.world import World
from models.world_settings import WorldSettings
from streams.arrivals import Arrival, Forget, arrive
from streams.catalogue import Catalogue
from streams.decoding import JsonDecoder
from streams.drift_settings import DriftSettings
from streams.errors import RejectedEvent
from streams.events import Content, View
from streams.input_guard import InputGuard
from streams.logs import read_content
from streams.quality import Admitted, QualityGate
from streams.settings import QualitySettings
from streams.simulator import content_lines, view_lines
from streams.truth import PlantedChange, read_truth

N_EVENTS, N_FAULTY = 500_000, 120_000
WORLDS = (  # users, titles, days
    (5_000, 2_000, 30),
    (20_000, 5_000, 60),
    (100_000, 10_000, 30),
    (10_000, 3_000, 20),
    (50_000, 20_000, 90),
)
N_SEEDS, N_FAULT_SEEDS = 10, 5
FAULTS = {
    "unit-change": ("view_time", "view_time:implausible"),
    "field-missing": ("missing:view_time",),
    "stuck-client": ("duplicate",),
    "clock-skew": ("clock", "lateness"),
    "bots": ("user_concentration",),
}
SOON = 500
LOOK_EVERY = 4_096


class Watched:
    """The quality gate and what watches beside it, without an engine.

    Attributes
    ----------
    noticed
        What was said, with the number of the record.
    closest : float
        Largest sum of any test that may alarm, as a share of its threshold.
    """

    def __init__(self, contents: Iterable[Content]) -> None:
        catalogue = Catalogue(QualitySettings().max_titles)
        for content in contents:
            catalogue.put(content)
        self.gate = QualityGate(QualitySettings(), catalogue)
        self.guard = InputGuard(DriftSettings(), catalogue)
        self.noticed: list[tuple[int, Notice]] = []
        self.closest = 0.0
        self._n_records = 0

    def take(self, arrival: Arrival) -> None:
        """Take one record as `streams.pipeline` does."""
        view, before = arrival.view, self.gate.watermark.value
        assert not isinstance(view, Forget)  # noqa: S101 (a log asks for nobody to be forgotten)
        self._n_records += 1
        for notice in self.guard.take(view, before, self._admitted(view)):
            self.noticed.append((self._n_records, notice))
        if self._n_records % LOOK_EVERY == 0:
            self._look()

    def _admitted(self, view: View | RejectedEvent) -> Admitted | RejectedEvent | None:
        if isinstance(view, RejectedEvent):
            return view
        try:
            believed = self.guard.believed(view)
            if believed is None:
                return self.gate.admit(view)
            return self.gate.admit(
                believed.view, is_replayed=believed.may_be_late, clock=believed.clock
            )
        except RejectedEvent as rejected:
            return rejected

    def _look(self) -> None:
        levels, rules = self.guard.watch.watch.levels, self.guard.watch.watch.rules
        tested = (levels["tested"] > 0) & ~levels["is_raised"]
        rise = levels["rise"] - levels["least_rise"]
        fall = np.where(rules["only_up"], 0.0, levels["most_fall"] - levels["fall"])
        largest = np.maximum(rise, fall)[tested].max(initial=0.0)
        self.closest = max(self.closest, float(largest) / LAMBDA)

    @property
    def alarms(self) -> list[tuple[int, Alarm]]:
        """The alarms, with the number of the record."""
        return [(at, notice) for at, notice in self.noticed if isinstance(notice, Alarm)]


def measure(folder: Path) -> str:
    """Return the three tables."""
    folder.mkdir(parents=True, exist_ok=True)
    return "\n\n".join((_stationary(), _recorded(folder), _faulty(folder)))


def _stationary() -> str:
    rows, n_alarms = [], 0
    for seed in range(N_SEEDS):
        n_users, n_titles, days = WORLDS[seed % len(WORLDS)]
        settings = WorldSettings(n_users=n_users, n_titles=n_titles, days=days, seed=seed)
        watched = _watched(settings)
        n_alarms += len(watched.alarms)
        size = f"{n_users:,} users, {n_titles:,} titles, {days} days"
        rows.append((size, f"{len(watched.alarms)}", f"{watched.closest:.0%}"))
        print(*rows[-1], *(alarm.what for _, alarm in watched.alarms), sep=" | ", flush=True)
    total = N_SEEDS * N_EVENTS
    return (
        f"## Stationary logs of {N_EVENTS:,} events\n\n"
        f"{table(('world', 'alarms', 'closest'), rows)}\n\n"
        f"**{n_alarms} false alarms in {total:,} events.**"
    )


def _watched(settings: WorldSettings) -> Watched:
    world, decoder = World(settings), JsonDecoder()
    watched = Watched(decoder.decode_content(line.rstrip()) for line in content_lines(world))
    for chunk in views(world, N_EVENTS):
        for line in view_lines(world, chunk):
            watched.take(arrive(1, None, line.rstrip(), decoder))
    return watched


def _recorded(folder: Path) -> str:
    rows = []
    for log in every_log(folder):
        watched = Watched(_contents(log.content))
        for arrival in _arrivals(log.events):
            watched.take(arrival)
        sentences = [f"{at:,}: {alarm.what}" for at, alarm in watched.alarms] or ["none"]
        rows.append((log.name, f"{watched._n_records:,}", "; ".join(sentences)))  # noqa: SLF001
        print(*rows[-1], sep=" | ", flush=True)
    return f"## Recorded logs\n\n{table(('log', 'records', 'alarms, by record'), rows)}"


def _contents(path: Path) -> Iterator[Content]:
    return (content for content in read_content(str(path)) if isinstance(content, Content))


def _arrivals(path: Path) -> Iterator[Arrival]:
    decoder = JsonDecoder()
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            yield arrive(number, None, line.rstrip(), decoder)


@dataclass(frozen=True, slots=True)
class Found:
    """What became of one fault: how soon it was told, in faulty records, and whether it ended."""

    n_faulty: int | None
    n_other: int
    is_ended: bool


def _faulty(folder: Path) -> str:
    rows = []
    for name in FAULTS:
        found = [_found(_simulated(folder, name, seed), name) for seed in range(N_FAULT_SEEDS)]
        delays = sorted(f.n_faulty for f in found if f.n_faulty is not None)
        soon = sum(delay <= SOON for delay in delays)
        rows.append(
            (
                name,
                f"{soon} of {len(found)}",
                f"{statistics.median(delays):.0f}" if delays else "-",
                f"{delays[-1]}" if delays else "-",
                f"{sum(f.is_ended for f in found)}",
                f"{sum(f.n_other for f in found)}",
            )
        )
        print(*rows[-1], sep=" | ", flush=True)
    headers = ("fault", "found", "median", "worst", "seen to end", "alarms before it")
    return f"## Planted faults, by faulty records until told\n\n{table(headers, rows)}"


def _simulated(folder: Path, name: str, seed: int) -> Path:
    place = folder / "faults" / f"{name}-{seed}"
    if not (place / "events.jsonl").exists():
        command = [sys.executable, "-m", "streams", "simulate", "--scenario", name]
        command += ["--events", f"{N_FAULTY}", "--users", "5000", "--titles", "2000"]
        command += ["--seed", f"{seed}", "--out", str(place), "--force"]
        subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return place


def _found(place: Path, name: str) -> Found:
    watched = Watched(_contents(place / "content.jsonl"))
    for arrival in _arrivals(place / "events.jsonl"):
        watched.take(arrival)
    (change,) = read_truth(place / "truth.jsonl")
    told = [
        (at, alarm)
        for at, alarm in watched.alarms
        if alarm.kind is Kind.INPUT_FAULT and at >= change.begin_line
    ]
    delays = [_n_faulty(change, at) for at, alarm in told if alarm.statistic in FAULTS[name]]
    ended = {(n.statistic, n.scope) for _, n in watched.noticed if isinstance(n, Recovery)}
    return Found(
        n_faulty=min(delays, default=None),
        n_other=sum(at < change.begin_line for at, _ in watched.alarms),
        is_ended=bool(told) and all((a.statistic, a.scope) in ended for _, a in told),
    )


def _n_faulty(change: PlantedChange, at: int) -> int:
    """Return about how many faulty records came up to a record: they are spread evenly."""
    span = change.end_line - change.begin_line + 1
    return round(change.n_lines * min(at - change.begin_line + 1, span) / span)
