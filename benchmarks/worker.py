"""The worker end to end, exactly once, on one machine with the broker on it.

A run is timed from the first record in hand to the last offset committed, and a replay from its
first batch in hand to its last list written. Both make the list that is judged before each event;
the replay also makes one after each, the worker one for each user of a call of `consume`. They
take turns, each in a process of its own with its kernels loaded, bound to no core; figures are
medians. The broker is the one of the tests, with its data on the same disk.
"""

from __future__ import annotations

import os
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks import latency, rebalance, restoring, skeleton
from benchmarks.logs import Log, movietweetings
from benchmarks.measuring import table
from benchmarks.place import Place, Watched, opened_broker, scaled
from benchmarks.stopwatch import NAMES, Told
from models.world import World, WorldSettings
from streams.simulator import SimulatedLog, write_simulation

N_EVENTS = 100_000
N_RUNS = 3
PARTITIONS = (1, 4)
ENOUGH_CORES = 4
"""Two workers, the broker and the publisher."""


class Run(NamedTuple):
    """What one run took."""

    seconds: float
    cpu_s: float
    main_cpu_s: float
    shares: dict[str, float]


class Timed(NamedTuple):
    """Runs of a replay and of a worker over the same log, which took turns."""

    replays: list[Run]
    workers: list[Run]

    def ratio(self) -> float:
        """Return the worker's rate as a share of the replay's."""
        return _median_s(self.replays) / _median_s(self.workers)


def measure(folder: Path) -> str:
    """Return every table about the worker."""
    log = _log(folder)
    n = _count(log.events)
    with opened_broker(folder) as bootstrap:
        places = {k: _published(Place(bootstrap, folder, k), log) for k in PARTITIONS}
        found = {k: _took_turns(place, log, n) for k, place in places.items()}
        alone = _together(places[PARTITIONS[-1]], log, n, n_workers=1)
        two = _together(places[PARTITIONS[-1]], log, n, n_workers=2)
        parts = [
            _rates(log.name, n, found),
            "What the time of the worker went to; `lists` is naming and encoding them.",
            _shares(found),
            _about_two(n, alone, two),
            latency.measure(Place(bootstrap, folder), log),
            rebalance.measure(Place(bootstrap, folder, rebalance.N_PARTITIONS), log),
            restoring.measure(places[1], log, n),
            skeleton.measure(Place(bootstrap, folder), log),
        ]
    return "\n\n".join(parts)


def _log(folder: Path) -> Log:
    """Return the log to measure, cut to the wanted length."""
    found = next(movietweetings(folder), None) or _simulated(folder)
    cut = folder / "worker.jsonl"
    with found.events.open("rb") as source, cut.open("wb") as file:
        file.writelines(line for _, line in zip(range(scaled(N_EVENTS)), source, strict=False))
    return Log(found.name, cut, found.content)


def _simulated(folder: Path) -> Log:
    log = SimulatedLog.in_folder(folder / "simulated", "")
    world = World(WorldSettings(n_users=20_000, n_titles=10_000, days=60, seed=1))
    write_simulation(world, N_EVENTS, log, overwrite=True)
    return Log("simulated", log.events, log.content)


def _count(path: Path) -> int:
    with path.open("rb") as file:
        return sum(1 for _ in file)


def _published(place: Place, log: Log) -> Place:
    place.made().call("publish", str(log.events), "--content", str(log.content), "--quiet")
    return place


def _took_turns(place: Place, log: Log, n: int) -> Timed:
    """Time replays and workers in turn, each worker with outputs of its own."""
    timed = Timed([], [])
    for _ in range(N_RUNS):
        timed.replays.append(_replayed(place, log, n))
        timed.workers.append(_worked(place.again(), n))
        rates = (f"{n / runs[-1].seconds:,.0f}" for runs in timed)
        print(f"{place.n_partitions} partitions: replay and worker", *rates, flush=True)
    return timed


def _replayed(place: Place, log: Log, n: int) -> Run:
    output = place.folder / "lists.jsonl"
    words = ["replay", str(log.events), "--content", str(log.content), "--quiet"]
    words += ["--output", str(output), "--partitions", str(place.n_partitions)]
    with Watched([words], place.folder / "replay.log") as replay:
        run = _run(replay.until("done", n), replay.of("first"))
    output.unlink()
    return run


def _worked(place: Place, n: int) -> Run:
    words = place.arguments("worker", "--slot", "0")
    with Watched([words], place.folder / "worker.log") as worker:
        return _run(worker.until("done", n), worker.of("first"))


def _run(done: Sequence[Told], first: Sequence[Told]) -> Run:
    last = done[-1]
    seconds = last.at_s - min(told.at_s for told in first)
    return Run(seconds, last.cpu_s, last.main_cpu_s, last.shares)


def _together(place: Place, log: Log, n: int, *, n_workers: int) -> float:
    """Return the median rate of workers that have their partitions before the log comes.

    Where the machine has too few cores for it to mean anything, one run is enough.
    """
    rates = []
    for _ in range(N_RUNS if _has_cores() else 1):
        empty = Place(place.bootstrap, place.folder, place.n_partitions).made()
        empty.call("publish", "--content", str(log.content), "--quiet")
        slots = range(n_workers)
        commands = [empty.arguments("worker", "--slot", str(slot)) for slot in slots]
        with Watched(commands, empty.folder / "workers.log") as workers:
            workers.until_each_holds(place.n_partitions // n_workers)
            empty.call("publish", str(log.events), "--quiet")
            done = workers.until("done", n)
            rates.append(n / _run(done, workers.of("first")).seconds)
        print(f"{n_workers} workers: {rates[-1]:,.0f}", flush=True)
    return statistics.median(rates)


def _rates(name: str, n: int, found: dict[int, Timed]) -> str:
    headers = ("", "partitions", "events/s", "range", "CPU an event", "of the replay")
    rows = []
    for k, timed in found.items():
        rows.append(["`replay --output`", str(k), *_cells(n, timed.replays), ""])
        ratio = f"**{timed.ratio():.0%}**"
        rows.append(["worker", str(k), *_cells(n, timed.workers), ratio])
    return f"{name}, {n:,} events.\n\n{table(headers, rows)}"


def _cells(n: int, runs: Sequence[Run]) -> list[str]:
    rates = sorted(n / run.seconds for run in runs)
    cpu = statistics.median(run.cpu_s for run in runs) / n * 1e6
    main = statistics.median(run.main_cpu_s for run in runs) / n * 1e6
    spread = f"{rates[0]:,.0f} to {rates[-1]:,.0f}"
    return [
        f"**{statistics.median(rates):,.0f}**",
        spread,
        f"{cpu:.1f} µs, {main:.1f} of them on the main thread",
    ]


def _median_s(runs: Sequence[Run]) -> float:
    return statistics.median(run.seconds for run in runs)


def _shares(found: dict[int, Timed]) -> str:
    rows = []
    for k, timed in found.items():
        totals = {name: sum(run.shares[name] for run in timed.workers) for name in NAMES}
        whole = sum(totals.values())
        rows.append([str(k), *(f"{totals[name] / whole:.1%}" for name in NAMES)])
    return table(("partitions", *NAMES), rows)


def _about_two(n: int, alone: float, two: float) -> str:
    text = (
        f"{PARTITIONS[-1]} partitions, {n:,} events published once the workers wait for them:"
        f" one worker {alone:,.0f} events/s, two workers {two:,.0f}: **{two / alone:.2f} times**."
    )
    if not _has_cores():
        text += (
            f" Not measured, properly speaking: {os.cpu_count()} cores shared with the broker and"
            " the publisher, one run each."
        )
    return text


def _has_cores() -> bool:
    return (os.cpu_count() or 1) >= ENOUGH_CORES
