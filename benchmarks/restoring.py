"""How long a partition takes to come back: loading its snapshot, and catching up from the topic.

``python -m benchmarks.restoring FOLDER`` loads the newest snapshot as a worker does and prints the
seconds; ``python -m benchmarks.restoring FOLDER N_USERS`` makes one.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from benchmarks.logs import Log
from benchmarks.measuring import ROOT, one_thread, table
from benchmarks.place import Place, Watched, scaled
from models.engine import View
from streams.local_store import LocalStore
from streams.pipeline import Pipeline
from streams.settings import Settings
from streams.snapshots import STATE_FILE, Manifest, newest_snapshot, write_snapshot

N_USERS, N_TITLES, N_VIEWS = 1_000_000, 50_000, 2
N_RUNS = 3
N_TURNS = 5
BATCH = 8_192


class Made(msgspec.Struct):
    """What making a snapshot took: the copy holds up the worker's loop, the writing does not."""

    n_users: int
    n_bytes: int
    copied_s: float
    written_s: float


class CatchUp(NamedTuple):
    """Events a second, CPU seconds an event, and seconds since the assignment, if there was one."""

    rate: float
    cpu_s: float
    whole_s: float


def measure(place: Place, log: Log, n: int) -> str:
    """Return what restoring takes; the place's views are the log's."""
    return f"{_loading(place.folder / 'large-snapshot')}\n\n{_catching_up(place, log, n)}"


def _loading(folder: Path) -> str:
    shutil.rmtree(folder, ignore_errors=True)
    made = msgspec.json.decode(_own(folder, str(scaled(N_USERS))), type=Made)
    seconds = [float(_own(folder)) for _ in range(N_RUNS)]
    shutil.rmtree(folder)
    print("loaded in", *seconds, flush=True)
    return (
        f"A partition of {made.n_users:,} users with {N_VIEWS} views each, over {N_TITLES:,} titles"
        f" as evenly as can be: its snapshot has {made.n_bytes / 2**20:,.0f} MiB. Loading it from"
        f" disk, sums checked, takes **{statistics.median(seconds):.1f} s** (the slowest of"
        f" {N_RUNS}: {max(seconds):.1f} s); taking the copy {made.copied_s:.2f} s on the worker's"
        f" thread, writing it {made.written_s:.1f} s beside it."
    )


def _own(folder: Path, *words: str) -> bytes:
    command = [sys.executable, "-m", "benchmarks.restoring", str(folder), *words]
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, env=one_thread())
    return done.stdout


def _catching_up(place: Place, log: Log, n: int) -> str:
    """Let a worker that lost its snapshots catch up, in turn with replays."""
    here = place.again()
    words = here.arguments("worker", "--slot", "0")
    with Watched([words], here.folder / "worker.log") as worker:
        worker.until("done", n)
    ours: list[CatchUp] = []
    replays: list[CatchUp] = []
    for _ in range(N_TURNS):
        shutil.rmtree(here.snapshots)
        with Watched([words], here.folder / "worker.log") as worker:
            ours.append(_timed(worker, "caught up", n))
        replays.append(_replayed(place, log, n))
        print("catching up and replay", *(f"{own[-1].rate:,.0f}" for own in (ours, replays)))
    whole_s = statistics.median(one.whole_s for one in ours)
    headers = ("", "events/s", "range", "CPU an event")
    rows = [_cells("catching up", ours), _cells("`replay`", replays)]
    ratio = _median_rate(ours) / _median_rate(replays)
    return (
        f"{table(headers, rows)}\n\nA worker without snapshots catches up at **{ratio:.0%}** of the"
        f" replay's rate, both from the first records in hand to the last one learned, medians of"
        f" {N_TURNS} in turn. From the assignment to delivery, with asking the brokers and taking"
        f" the titles in, it takes {whole_s:.1f} s for {n:,} events."
    )


def _timed(command: Watched, kind: str, n: int) -> CatchUp:
    last = command.until(kind, n)[-1]
    seconds = last.at_s - command.of("first")[0].at_s
    return CatchUp(n / seconds, last.cpu_s / n, last.seconds)


def _replayed(place: Place, log: Log, n: int) -> CatchUp:
    words = ["replay", str(log.events), "--content", str(log.content), "--quiet"]
    with Watched([words], place.folder / "replay.log") as replay:
        return _timed(replay, "done", n)


def _cells(name: str, found: Sequence[CatchUp]) -> list[str]:
    rates = sorted(one.rate for one in found)
    cpu_s = statistics.median(one.cpu_s for one in found)
    return [
        name,
        f"**{_median_rate(found):,.0f}**",
        f"{rates[0]:,.0f} to {rates[-1]:,.0f}",
        f"{cpu_s * 1e6:.1f} µs",
    ]


def _median_rate(found: Sequence[CatchUp]) -> float:
    return statistics.median(one.rate for one in found)


def _make(folder: Path, n_users: int) -> Made:
    """Let users watch a title each, then each another one, and save the partition."""
    pipeline = Pipeline(Settings())
    for views in (
        [_view(user, n) for user in range(first, min(first + BATCH, n_users))]
        for n in range(N_VIEWS)
        for first in range(0, n_users, BATCH)
    ):
        for _ in pipeline.engine.learn(views):
            pass
    began = time.perf_counter()
    arrays = pipeline.snapshot()
    copied = time.perf_counter()
    manifest = Manifest("pipeline", n_users * N_VIEWS, Settings().fingerprint())
    write_snapshot(LocalStore(folder), manifest, arrays)
    written = time.perf_counter()
    n_bytes = (next(folder.iterdir()) / STATE_FILE).stat().st_size
    return Made(len(pipeline.engine.users), n_bytes, copied - began, written - copied)


def _view(user: int, n: int) -> View:
    time_s = 1.6e9 + n * 86_400.0 + user * 0.05
    return View(f"user-{user}", f"title-{(user * 7 + n * user // 13) % N_TITLES}", time_s, time_s)


def _load(folder: Path) -> float:
    """Return the seconds from the disk to a state that goes on."""
    pipeline = Pipeline(Settings())
    _evict(next(folder.iterdir()) / STATE_FILE)
    began = time.perf_counter()
    snapshot, _ = newest_snapshot(LocalStore(folder))
    if snapshot is None:
        sys.exit(f"{folder}: no valid snapshot")
    pipeline.restore(snapshot.arrays)
    return time.perf_counter() - began


def _evict(path: Path) -> None:
    """Let the system forget what it has of a file in memory, where it can."""
    if hasattr(os, "posix_fadvise"):
        with path.open("rb") as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


if __name__ == "__main__":
    where, *users = sys.argv[1:]
    if users:
        print(msgspec.json.encode(_make(Path(where), int(users[0]))).decode())
    else:
        print(_load(Path(where)))
