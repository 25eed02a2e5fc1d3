"""Small logs, and replays of them, for the tests that look at whole runs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
from click.testing import CliRunner, Result

from models.viewing import views
from models.world import World, WorldSettings
from streams.arrivals import Arrival, arrive
from streams.cli import main
from streams.decoding import JsonDecoder
from streams.simulator import content_lines, view_lines

N_EVENTS = 3_000
SPEED_AND_MEMORY = ("elapsed_s", "events_per_s", "peak_rss_bytes")
HEADER = "User ID,Content ID,View Time,Rating,Timestamp"


@cache
def simulated(n_events: int = N_EVENTS) -> tuple[list[bytes], list[bytes]]:
    """Return the lines of a simulated log and of its catalogue."""
    world = World(WorldSettings(n_users=120, n_titles=150, days=10, seed=3))
    chunks = views(world, n_events)
    lines = [line for chunk in chunks for line in view_lines(world, chunk)]
    return lines, list(content_lines(world))


def tied(lines: Sequence[bytes], grain_s: int = 1800) -> list[bytes]:
    """Round the times of events down, so that a user's session becomes a tie group."""
    events = [json.loads(line) for line in lines]
    for event in events:
        event["timestamp"] -= event["timestamp"] % grain_s
    return [json.dumps(event).encode() + b"\n" for event in events]


def arrivals(lines: Sequence[bytes]) -> list[Arrival]:
    """Decode lines into what a pipeline takes."""
    decoder = JsonDecoder()
    return [arrive(n, None, line.rstrip(), decoder) for n, line in enumerate(lines, start=1)]


def write_lines(path: Path, lines: Iterable[bytes]) -> Path:
    """Write a log and return its path."""
    path.write_bytes(b"".join(line.rstrip(b"\n") + b"\n" for line in lines))
    return path


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Read a JSON-lines file."""
    return [msgspec.json.decode(line) for line in path.read_bytes().splitlines()]


def driftline(*arguments: object, stdin: bytes | None = None, **environ: str) -> Result:
    """Run the command line in this process."""
    return CliRunner(env=environ).invoke(main, [str(a) for a in arguments], input=stdin)


def replay(*arguments: object, stdin: bytes | None = None, **environ: str) -> dict[str, Any]:
    """Run ``driftline replay``, which must succeed, and return its summary."""
    result = driftline("replay", "--quiet", "--json", *arguments, stdin=stdin, **environ)
    assert result.exit_code == 0, result.output or result.exception
    summary: dict[str, Any] = json.loads(result.stdout)
    return summary


def refusal(*arguments: object, stdin: bytes | None = None, **environ: str) -> str:
    """Run a command line that must be refused, and return the one sentence it says."""
    result = driftline(*arguments, stdin=stdin, **environ)
    assert result.exit_code == 2, result.output or result.exception
    lines = result.stderr.splitlines()
    assert len(lines) == 1, result.stderr
    assert lines[0].startswith("Error: ")
    return lines[0].removeprefix("Error: ")


def result_of(summary: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what differs from run to run."""
    return {name: value for name, value in summary.items() if name not in SPEED_AND_MEMORY}


def without_line(records: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Leave out where a record came from."""
    return [{k: v for k, v in r.items() if k not in {"line", "file"}} for r in records]
