"""Running a replay in a process of its own and reading its summary."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

ROOT = Path(__file__).resolve().parent.parent


def replay(log: Path, content: Path | None, *options: str) -> dict[str, Any]:
    """Replay a log on one core and return the summary."""
    command = [sys.executable, "-m", "streams", "replay", str(log), "--json", "--quiet", *options]
    if content is not None:
        command += ["--content", str(content)]
    done = subprocess.run(
        pinned(command), cwd=ROOT, check=True, capture_output=True, text=True, env=one_thread()
    )
    return cast("dict[str, Any]", json.loads(done.stdout))


def pinned(command: Sequence[str]) -> list[str]:
    """Return a command bound to one core, where the system can bind."""
    if sys.platform != "linux":
        return list(command)
    core = max(os.sched_getaffinity(0))
    return ["taskset", "--cpu-list", str(core), *command]


def one_thread() -> dict[str, str]:
    """Return the environment with numerical libraries kept to one thread."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    return {**os.environ, **dict.fromkeys(names, "1")}


def machine() -> str:
    """Return a line about where it was measured."""
    return f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"


def table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [headers, ["---"] * len(headers), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
