"""What each named scenario of `driftline simulate` does to a log of 100,000 events, with a picture.

The pictures are in ``docs/images/scenarios``. The table has the quality of the default settings in
the 10,000 events before the change begins and in the first 1,000 and 10,000 after it, over all
events and over those of the scope.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.measuring import ROOT, pinned, replay, table
from streams.scenarios import NAMED
from streams.truth import PlantedChange, read_truth

PICTURES = ROOT / "docs" / "images" / "scenarios"
N_EVENTS, WINDOW, LATELY = 100_000, 1_000, 10_000
HEADERS = ("scenario", "lines it shows in", "recall@10 before", "first 1,000", "first 10,000")
GREY, BLUE, RED = "#9aa0a6", "#1f5fa8", "#c0392b"


@dataclass(frozen=True, slots=True)
class Lines:
    """Columns of a log: numbers of users and titles, times, and how each line was judged."""

    user: NDArray[np.int64]
    title: NDArray[np.int64]
    event_time: NDArray[np.float64]
    view_time: NDArray[np.float64]
    is_copy: NDArray[np.bool_]
    is_hit: NDArray[np.float64]
    in_scope: NDArray[np.bool_]


Statistic = Callable[[Lines, slice], float]


def measure(folder: Path) -> str:
    """Draw every scenario and return the table."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    usual = _lines(_simulated(folder, "stationary"), None)
    rows = []
    for name in NAMED:
        if name == "none":
            continue
        log = _simulated(folder, name)
        planted = read_truth(log / "truth.jsonl")
        lines = _lines(log, planted[0] if planted else None)
        _draw(name, lines, usual, planted)
        rows += [_row(name, lines, change) for change in planted]
        print(f"{name} …", flush=True)
    return table(HEADERS, rows)


def _simulated(folder: Path, name: str) -> Path:
    log = folder / "scenarios" / name
    command = [sys.executable, "-m", "streams", "simulate", "--scenario", name, "--force"]
    command += ["--events", str(N_EVENTS), "--out", str(log)]
    subprocess.run(pinned(command), cwd=ROOT, check=True, capture_output=True)
    return log


def _lines(log: Path, change: PlantedChange | None) -> Lines:
    trace = log / "trace.jsonl"
    replay(log / "events.jsonl", log / "content.jsonl", "--trace", str(trace))
    raw = (log / "events.jsonl").read_bytes().splitlines()
    events = [json.loads(line) for line in raw]
    is_hit = np.full(len(events), np.nan)
    for line in trace.read_bytes().splitlines():
        judged = json.loads(line)
        if judged["skipped"] is None:
            is_hit[judged["line"] - 1] = judged["rank"] is not None
    return Lines(
        user=_numbered([event["user_id"] for event in events]),
        title=_numbered([event["content_id"] for event in events]),
        event_time=np.array([event["timestamp"] for event in events]),
        view_time=np.array([event.get("view_time", np.nan) for event in events], np.float64),
        is_copy=_seen_before(raw),
        is_hit=is_hit,
        in_scope=_in_scope(events, log / "content.jsonl", change),
    )


def _numbered(names: list[str]) -> NDArray[np.int64]:
    """Return numbers in the order of first appearance."""
    numbers: dict[str, int] = {}
    return np.array([numbers.setdefault(name, len(numbers)) for name in names])


def _seen_before(raw: list[bytes]) -> NDArray[np.bool_]:
    seen: set[bytes] = set()
    is_copy = np.zeros(len(raw), np.bool_)
    for place, line in enumerate(raw):
        is_copy[place] = line in seen
        seen.add(line)
    return is_copy


def _in_scope(
    events: list[dict[str, object]], content: Path, change: PlantedChange | None
) -> NDArray[np.bool_]:
    scope, _, label = (change.scope if change else "all").partition(":")
    if scope == "genre":
        titles = (json.loads(line) for line in content.read_bytes().splitlines())
        inside = {title["content_id"] for title in titles if label in title["genres"]}
        return np.array([event["content_id"] in inside for event in events])
    if scope == "device":
        return np.array([event["device"] == label for event in events])
    return np.ones(len(events), np.bool_)


def _recall(lines: Lines, window: slice) -> float:
    judged = lines.is_hit[window][lines.in_scope[window]]
    judged = judged[~np.isnan(judged)]
    return float(judged.mean()) if len(judged) else np.nan


def _median_view_time(lines: Lines, window: slice) -> float:
    return float(np.nanmedian(lines.view_time[window]))


def _missing(lines: Lines, window: slice) -> float:
    return float(np.isnan(lines.view_time[window]).mean())


def _copies(lines: Lines, window: slice) -> float:
    return float(lines.is_copy[window].mean())


def _behind(lines: Lines, window: slice) -> float:
    latest = np.maximum.accumulate(lines.event_time)[window]
    return float((latest - lines.event_time[window]).mean() / 3600)


def _busiest(numbers: NDArray[np.int64]) -> float:
    """Return the share of the three most frequent numbers."""
    return float(np.sort(np.bincount(numbers))[-3:].sum() / len(numbers))


def _new(numbers: NDArray[np.int64], window: slice) -> float:
    """Return the share of numbers that were not there until lately."""
    before = numbers[: max(0, window.start - LATELY)]
    known = int(before.max()) if len(before) else -1
    return float((numbers[window] > known).mean())


STATISTICS: Mapping[str, tuple[str, Statistic]] = {
    "hit-release": (
        "share of the top 3 titles",
        lambda lines, window: _busiest(lines.title[window]),
    ),
    "catalogue-churn": (
        "share of new titles",
        lambda lines, window: _new(lines.title, window),
    ),
    "new-audience": (
        "share of new people",
        lambda lines, window: _new(lines.user, window),
    ),
    "unit-change": ("median view time", _median_view_time),
    "field-missing": ("share without view time", _missing),
    "stuck-client": ("share of copies", _copies),
    "clock-skew": ("mean lag in hours", _behind),
    "bots": (
        "share of the top 3 people",
        lambda lines, window: _busiest(lines.user[window]),
    ),
}


def _series(lines: Lines, statistic: Statistic) -> tuple[NDArray[np.float64], list[float]]:
    starts = range(0, len(lines.user) - WINDOW + 1, WINDOW)
    values = [statistic(lines, slice(start, start + WINDOW)) for start in starts]
    return (np.array(starts) + WINDOW / 2) / 1_000, values


def _draw(name: str, lines: Lines, usual: Lines, planted: list[PlantedChange]) -> None:
    import matplotlib as mpl  # noqa: PLC0415 (only here, and slow to import)
    from matplotlib import pyplot as plt  # noqa: PLC0415

    label, statistic = STATISTICS.get(name, ("recall@10", _recall))
    # The same picture is the same bytes: no date, no random names.
    with mpl.rc_context({"svg.hashsalt": name, "svg.fonttype": "none", "font.size": 9}):
        figure, axes = plt.subplots(figsize=(7, 2.6), layout="constrained")
        for change in planted:
            is_over = change.end_event_time is not None and change.shape != "gradual"
            end = change.end_line if is_over else len(lines.user)
            axes.axvspan(change.begin_line / 1_000, end / 1_000, color=RED, alpha=0.08, lw=0)
            axes.axvline(change.begin_line / 1_000, color=RED, lw=0.8)
        if planted:
            axes.plot(*_series(usual, statistic), color=GREY, lw=1, label="stationary")
        scope = "" if lines.in_scope.all() else f", {planted[0].scope}"
        axes.plot(*_series(lines, statistic), color=BLUE, lw=1.4, label=f"{name}{scope}")
        axes.set(xlabel="thousand events", ylabel=label, xlim=(0, len(lines.user) / 1_000))
        axes.set_ylim(bottom=0)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False, loc="best")
        figure.savefig(PICTURES / f"{name}.svg", metadata={"Date": None})
        plt.close(figure)


def _row(name: str, lines: Lines, change: PlantedChange) -> list[str]:
    begin = change.begin_line - 1
    windows = [(begin - 10_000, begin), (begin, begin + 1_000), (begin, begin + 10_000)]
    return [
        f"`{name}`",
        f"{change.n_lines:,}",
        *(f"{_recall(lines, slice(*window)):.3f}" for window in windows),
    ]
