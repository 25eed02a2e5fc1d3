"""Five million simulated events, a million users, a hundred thousand titles: time and memory.

Cost an event depends on the length of the user's history, which grows along any log. So beside the
raw rate of each fifth, the same probe is timed after the first fifth and after the last: users
nobody has seen before, each watching the same few titles, learned and listed by a copy of the
engine of that moment.
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.measuring import ROOT, one_thread, pinned, table
from models.engine import Engine, View
from streams.logs import LogOptions, read_content, read_log
from streams.pipeline import Wanted
from streams.replay import Replay
from streams.settings import Settings

N_EVENTS, N_USERS, N_TITLES, DAYS = 5_000_000, 1_000_000, 100_000, 90
N_FIFTHS = 5
N_PROBE_USERS, N_PROBE_VIEWS, N_PROBES = 2_000, 5, 5


def measure(folder: Path) -> str:
    """Simulate, replay in a process of its own, and return the table."""
    log = folder / "large" / "events.jsonl"
    if not log.exists():
        command = [sys.executable, "-m", "streams", "simulate", "--seed", "5", "--force"]
        command += ["--events", str(N_EVENTS), "--users", str(N_USERS), "--titles", str(N_TITLES)]
        command += ["--days", str(DAYS), "--out", str(log.parent)]
        subprocess.run(command, cwd=ROOT, check=True)
    done = subprocess.run(
        pinned([sys.executable, "-m", "benchmarks.scale", str(log)]),
        cwd=ROOT,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        env=one_thread(),
    )
    return done.stdout


def _report(log: Path) -> str:
    replay = Replay(Settings(), Wanted())
    content = read_content(str(log.parent / "content.jsonl"))
    replay.take_content(c for c in content if not isinstance(c, Exception))
    rows, probes = [], []
    began, next_mark = time.perf_counter(), N_EVENTS // N_FIFTHS
    for batch in read_log([str(log)], options=LogOptions()):
        replay.process(batch)
        if replay.n_records >= next_mark:
            rate = N_EVENTS / N_FIFTHS / (time.perf_counter() - began)
            engine = replay.pipelines[0].engine
            recall = replay.evaluation.recall()
            rows.append([f"{replay.n_records:,}", f"{rate:,.0f}", _memory(), f"{recall:.4f}"])
            print(*rows[-1], file=sys.stderr, flush=True)
            if len(rows) in (1, N_FIFTHS):
                probes.append(_probe(engine))
            next_mark += N_EVENTS // N_FIFTHS
            began = time.perf_counter()
    engine = replay.pipelines[0].engine
    text = table(("events", "events/s in this fifth", "peak memory", "recall@10"), rows)
    return (
        f"{text}\n\n{len(engine.users):,} users and {engine.n_seen:,} titles seen. At equal history"
        f" length an event costs {probes[0]:.1f} µs after the first fifth and {probes[1]:.1f} µs"
        f" after the last: **{probes[1] / probes[0]:.2f} times**."
    )


def _probe(engine: Engine) -> float:
    """Return µs an event of new users on copies of the engine; the median of several."""
    arrays = engine.snapshot()
    time_s = engine.latest_time
    names = [engine.titles.name(row) for row in range(200)]
    views = [
        View(f"probe-{user}", names[(user * 7 + n * 13) % 200], time_s + n, time_s + n)
        for n in range(N_PROBE_VIEWS)
        for user in range(N_PROBE_USERS)
    ]
    costs = []
    copy = Engine(engine.config)
    for _ in range(N_PROBES):
        copy.restore(arrays)
        began = time.perf_counter()
        for _segment in copy.learn(views):
            pass
        costs.append((time.perf_counter() - began) / len(views) * 1e6)
    return statistics.median(costs)


def _memory() -> str:
    return f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MiB"


if __name__ == "__main__":
    print(_report(Path(sys.argv[1])))
