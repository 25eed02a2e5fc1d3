"""How long a command takes to say its first word."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.measuring import ROOT, table

N_RUNS = 11
COMMANDS = {
    "driftline --help": ["--help"],
    "driftline replay --help": ["replay", "--help"],
    "replay of one event, kernels cached": ["replay", "-", "--json", "--quiet"],
}
EVENT = '{"user_id": 1, "content_id": 2, "timestamp": "2022-01-01 12:00:00"}\n'


def measure(_folder: Path) -> str:
    """Return the table of start-up times."""
    rows = [
        [name, f"{min(times) * 1e3:.0f} ms", f"**{statistics.median(times) * 1e3:.0f} ms**"]
        for name, arguments in COMMANDS.items()
        for times in [[_seconds(arguments) for _ in range(N_RUNS)]]
    ]
    return table(("command", "fastest", "median"), rows)


def _seconds(arguments: list[str]) -> float:
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "streams", *arguments],
        cwd=ROOT,
        input=EVENT,
        text=True,
        check=True,
        capture_output=True,
    )
    return time.perf_counter() - began
