"""A small simulated log on disk, and one replay of it, made once a session."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.replays import read_lines, replay, simulated, write_lines


@dataclass(frozen=True)
class Whole:
    """An uninterrupted replay, for others to be compared with."""

    log: Path
    content: Path
    trace: list[dict[str, Any]]
    output: list[dict[str, Any]]
    summary: dict[str, Any]


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Whole:
    folder = tmp_path_factory.mktemp("simulated")
    events, titles = simulated()
    log = write_lines(folder / "events.jsonl", events)
    content = write_lines(folder / "content.jsonl", titles)
    trace, output = folder / "trace.jsonl", folder / "output.jsonl"
    summary = replay(log, "--content", content, "--trace", trace, "--output", output)
    return Whole(log, content, read_lines(trace), read_lines(output), summary)
