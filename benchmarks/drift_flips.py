"""Simulated tastes that change: for all, in one genre, for one device; at once and gradually."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.drift_logs import draw, middle, pictures, shown, simulated
from benchmarks.measuring import table
from monitoring.drift_bench_tables import detection_table, recall_table
from streams.drift_bench import (
    HORIZON,
    Case,
    detection_rows,
    is_named,
    recall_rows,
    tried,
    world_of,
)
from streams.drift_trials import ADAPTING, MODES, STEADY
from streams.settings import Settings

N_SEEDS, N_RECALL = 20, 3
SCENARIOS = {
    "taste-flip": 60_000,
    "taste-flip-genre": 60_000,
    "taste-flip-device": 60_000,
    "taste-gradual": 100_000,
}


def measure(folder: Path, *, is_quick: bool) -> dict[str, Any]:
    """Measure every scenario with every seed."""
    found: dict[str, Any] = {"rows": [], "detection": [], "recall": []}
    for name, n_events in SCENARIOS.items():
        cases = []
        for seed in range(1 if is_quick else N_SEEDS):
            log = simulated(folder, name, n_events, world_of(n_events, seed))
            modes = MODES if seed < N_RECALL else (ADAPTING, STEADY)
            cases.append(tried(name, seed, log, Settings(), modes))
        draw(cases[0], pictures(folder, is_quick=is_quick))
        found["rows"] += [_row(case) for case in cases]
        found["detection"] += detection_rows(cases, HORIZON)
        found["recall"] += recall_rows(cases[:N_RECALL])
    return found


def _row(case: Case) -> dict[str, Any]:
    """Return how the one change of a case was noticed."""
    trial, (zone,), (change,) = case.trials[ADAPTING], case.zones, case.planted
    begin, end = zone
    inside = [s for s in trial.stories if begin < (s.line or 0) <= end + HORIZON]
    first = inside[0] if inside else None
    named = next((s for s in inside if is_named(s, change)), None)
    return {
        "scenario": case.scenario,
        "scope": change.scope,
        "delay": None if first is None else (first.line or 0) - 1 - begin,
        "length": end - begin,
        "first_named": first is not None and first is named,
        "named": named is not None,
        "before": sum((s.line or 0) <= begin for s in trial.stories),
    }


def page(found: dict[str, Any]) -> str:
    """Return the tables."""
    cells = []
    for name in SCENARIOS:
        own = [row for row in found["rows"] if row["scenario"] == name]
        delays = [row["delay"] for row in own]
        n = len(own)
        half = [
            d is not None and d <= row["length"] / 2 for d, row in zip(delays, own, strict=True)
        ]
        whole = [d is not None and d <= row["length"] for d, row in zip(delays, own, strict=True)]
        is_gradual = own[0]["length"] > 0
        cells.append(
            [
                f"{name} ({own[0]['scope']})",
                f"{sum(d is not None for d in delays)} of {n}",
                f"{sum(row['first_named'] for row in own)} of {n}",
                f"{sum(row['named'] for row in own)} of {n}",
                shown(middle(delays)),
                f"{sum(whole)} / {sum(half)}" if is_gradual else "",
                str(sum(row["before"] for row in own)),
            ]
        )
    headers = [
        "change",
        "found",
        "named by the first episode",
        "named by any",
        "delay (median)",
        "before complete / half",
        "episodes before, in all",
    ]
    return "\n\n".join(
        [
            "## Simulated taste flips",
            table(headers, cells),
            detection_table(found["detection"]),
            f"Recall@10 around the change, means over the first {N_RECALL} seeds:",
            recall_table(found["recall"]),
            *(f"![{name}, first seed](drift/{name}.svg)" for name in SCENARIOS),
        ]
    )
