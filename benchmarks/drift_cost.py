"""Throughput of a replay with everything about drift on, and with nothing of it."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.drift_logs import movielens, simulated
from benchmarks.measuring import ROOT, one_thread, pinned, table
from streams.drift_bench import world_of
from streams.simulator import SimulatedLog

N_PAIRS, N_EVENTS = 7, 200_000


def measure(folder: Path, *, is_quick: bool) -> list[dict[str, Any]]:
    """Replay each log in turn with and without, so that both meet the same neighbours."""
    n_pairs, n_events = (1, 20_000) if is_quick else (N_PAIRS, N_EVENTS)
    logs = {
        "MovieLens-100K": movielens(folder),
        "simulated": simulated(folder, "stationary", n_events, world_of(n_events, 0)),
    }
    rows = []
    for name, log in logs.items():
        _events_per_s(log, is_on=True)  # compiles, and warms the disk
        pairs = [
            [_events_per_s(log, is_on=is_on) for is_on in (True, False)] for _ in range(n_pairs)
        ]
        rows.append({"log": name, "pairs": pairs})
    return rows


def _events_per_s(log: SimulatedLog, *, is_on: bool) -> float:
    command = [sys.executable, "-m", "streams", "--set", f"drift.detect={str(is_on).lower()}"]
    command += ["replay", str(log.events), "--content", str(log.content), "--json", "--quiet"]
    done = subprocess.run(
        pinned(command), cwd=ROOT, check=True, capture_output=True, env=one_thread()
    )
    return float(json.loads(done.stdout)["events_per_s"])


def page(rows: list[dict[str, Any]]) -> str:
    """Return the table."""
    cells = []
    for row in rows:
        on, off = (statistics.median(side) for side in zip(*row["pairs"], strict=True))
        costs = [1.0 - with_it / without for with_it, without in row["pairs"]]
        cost = statistics.median(costs)
        spread = f"{min(costs):.1%} to {max(costs):.1%}"
        cells.append([row["log"], f"{on:,.0f}", f"{off:,.0f}", f"{cost:.1%}", spread])
    headers = ["log", "events/s with", "without", "cost (median of pairs)", "from … to"]
    return "\n\n".join(["## Cost", table(headers, cells)])
