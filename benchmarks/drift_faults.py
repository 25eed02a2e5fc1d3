"""Input faults in simulated logs: found when, named what, and what they cost with protection."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from benchmarks.drift_logs import mean, middle, shown, simulated
from benchmarks.measuring import table
from models.alarms import Kind
from streams.drift_bench import HORIZON, is_named, world_of
from streams.drift_trials import Trial, run_trial
from streams.settings import Settings
from streams.truth import read_truth

N_SEEDS, N_EVENTS, SOON = 10, 60_000, 500
SCENARIOS = ("unit-change", "field-missing", "stuck-client", "clock-skew", "bots")


def measure(folder: Path, *, is_quick: bool) -> list[dict[str, Any]]:
    """Measure every fault with every seed, beside the same world without it."""
    rows = []
    for seed in range(1 if is_quick else N_SEEDS):
        world = world_of(N_EVENTS, seed)
        log = simulated(folder, "stationary", N_EVENTS, world)
        unharmed = run_trial(log.events, log.content, Settings())
        for name in SCENARIOS:
            log = simulated(folder, name, N_EVENTS, world)
            (change,) = read_truth(log.truth)
            trials = {
                "on": run_trial(log.events, log.content, Settings()),
                "off": run_trial(log.events, log.content, _unprotected()),
            }
            found = trials["on"].stories
            inside = [
                s for s in found if change.begin_line <= (s.line or 0) < change.end_line + HORIZON
            ]
            fault = next((s for s in inside if s.record.kind is Kind.INPUT_FAULT), None)
            density = change.n_lines / (change.end_line - change.begin_line + 1)
            delay = None if fault is None else ((fault.line or 0) - change.begin_line) * density
            end = change.end_event_time or np.inf
            rows.append(
                {
                    "scenario": name,
                    "delay": delay,
                    "named": fault is not None and fault is inside[0],
                    "scope": fault is not None and is_named(fault, change),
                    "before": sum((s.line or 0) < change.begin_line for s in found),
                    "unharmed": _after(unharmed, end),
                    **{mode: _after(trial, end) for mode, trial in trials.items()},
                }
            )
    return rows


def _unprotected() -> Settings:
    settings = Settings()
    return msgspec.structs.replace(
        settings, drift=msgspec.structs.replace(settings.drift, protect=False)
    )


def _after(trial: Trial, event_time: float) -> float:
    return trial.recall(trial.record_of(event_time), trial.n_records)


def page(rows: list[dict[str, Any]]) -> str:
    """Return the table."""
    cells = []
    for name in SCENARIOS:
        own = [row for row in rows if row["scenario"] == name]
        n = len(own)
        delays = [row["delay"] for row in own]
        cells.append(
            [
                name,
                f"{sum(d is not None and d <= SOON for d in delays)} of {n}",
                f"{sum(row['named'] for row in own)} of {n}",
                f"{sum(row['scope'] for row in own)} of {n}",
                shown(middle(delays)),
                str(sum(row["before"] for row in own)),
                shown(mean(own, "unharmed"), ".4f"),
                *(f"{_loss(own, mode):+.1%}" for mode in ("on", "off")),
            ]
        )
    headers = [
        "fault",
        f"found within {SOON}",
        "first episode says input fault",
        "scope named",
        "delay in faulty events",
        "episodes before, in all",
        "recall@10 after its end, unharmed",
        "protected",
        "not protected",
    ]
    return "\n\n".join(["## Input faults in simulated logs", table(headers, cells)])


def _loss(rows: list[dict[str, Any]], mode: str) -> float:
    """Return by how much recall differs from that of the unharmed run."""
    ours, theirs = mean(rows, mode), mean(rows, "unharmed")
    return ours / theirs - 1.0 if ours is not None and theirs else 0.0
