"""Simulated tastes that change: for all, in one genre, for one device; at once and gradually."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.drift_logs import draw, mean, middle, pictures, shown, simulated
from benchmarks.frozen import frozen_recall
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
from streams.planting import Planting
from streams.scenarios import scenario_of
from streams.settings import Settings

N_SEEDS, N_RECALL = 20, 3
HALF = 0.5
SCENARIOS = {
    "taste-flip": 60_000,
    "taste-flip-genre": 60_000,
    "taste-flip-device": 60_000,
    "taste-gradual": 100_000,
}


def measure(
    folder: Path, *, is_quick: bool, names: Sequence[str] = tuple(SCENARIOS)
) -> dict[str, Any]:
    """Measure scenarios with every seed."""
    found: dict[str, Any] = {"rows": [], "detection": [], "recall": []}
    for name in names:
        n_events, cases = SCENARIOS[name], []
        for seed in range(1 if is_quick else N_SEEDS):
            log = simulated(folder, name, n_events, world_of(n_events, seed))
            modes = MODES if seed < N_RECALL else (ADAPTING, STEADY)
            cases.append(tried(name, seed, log, Settings(), modes))
            found["rows"].append({**_row(cases[-1]), **_premise(cases[-1])})
        draw(cases[0], pictures(folder, is_quick=is_quick))
        found["detection"] += detection_rows(cases, HORIZON)
        found["recall"] += recall_rows(cases[:N_RECALL])
    return found


def merged(kept: dict[str, Any], found: dict[str, Any]) -> dict[str, Any]:
    """Return what was found of some scenarios, and what was kept of the others."""
    new = {row["scenario"] for row in found["rows"]}
    return {
        part: sorted(
            [*(row for row in kept[part] if row["scenario"] not in new), *found[part]],
            key=lambda row: list(SCENARIOS).index(row["scenario"]),
        )
        for part in found
    }


def _premise(case: Case) -> dict[str, float]:
    """Return what an abrupt change means to its scope; of a gradual one there is no one moment."""
    if case.planted[0].shape != "abrupt":
        return {}
    n_events = SCENARIOS[case.scenario]
    planting = Planting.of(scenario_of(case.scenario), world_of(n_events, case.seed), n_events)
    frozen = frozen_recall(planting, HORIZON)
    return {**frozen._asdict(), "kept": frozen.kept}


def _row(case: Case) -> dict[str, Any]:
    """Return how the one change of a case was noticed."""
    trial, (zone,), (change,) = case.trials[ADAPTING], case.zones, case.planted
    begin, end = zone
    inside = [s for s in trial.stories if begin < (s.line or 0) <= end + HORIZON]
    first = inside[0] if inside else None
    named = next((s for s in inside if is_named(s, change)), None)
    return {
        "scenario": case.scenario,
        "seed": case.seed,
        "scope": change.scope,
        "first": None if first is None else first.record.scopes[0].scope,
        "kind": None if first is None else first.record.kind,
        "delay": None if first is None else (first.line or 0) - 1 - begin,
        "length": end - begin,
        "first_named": first is not None and first is named,
        "named": named is not None,
        "before": sum((s.line or 0) <= begin for s in trial.stories),
    }


def page(found: dict[str, Any]) -> str:
    """Return the tables."""
    cells = []
    names = list(dict.fromkeys(row["scenario"] for row in found["rows"]))
    for name in names:
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
                ", ".join(sorted({_told(row) for row in own if _is_other(row)})) or "none",
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
        "told at first instead",
        "delay (median)",
        "before complete / half",
        "episodes before, in all",
    ]
    return "\n\n".join(
        [
            "## Simulated taste flips",
            table(headers, cells),
            _premises(found["rows"]),
            detection_table(found["detection"]),
            f"Recall@10 around the change, means over the first {N_RECALL} seeds:",
            recall_table(found["recall"]),
            *(f"![{name}, first seed](drift/{name}.svg)" for name in names),
        ]
    )


def _is_other(row: dict[str, Any]) -> bool:
    return row["first"] is not None and not row["first_named"]


def _told(row: dict[str, Any]) -> str:
    return f"{row['first']} ({row['kind']})"


def _premises(rows: Sequence[dict[str, Any]]) -> str:
    """Return how large the scopes are and what the changes do to an engine that learns no more."""
    cells = []
    for name in SCENARIOS:
        own = [row for row in rows if row["scenario"] == name and "kept" in row]
        if not own:
            continue
        shares, kept = [row["share"] for row in own], [row["kept"] for row in own]
        cells.append(
            [
                name,
                f"{min(shares):.1%} to {max(shares):.1%}",
                shown(mean(own, "unchanged"), ".3f"),
                shown(mean(own, "changed"), ".3f"),
                f"{min(kept):.0%} to {max(kept):.0%}",
                f"{sum(part <= HALF for part in kept)} of {len(kept)}",
            ]
        )
    headers = ["change", "share of events", "without it", "with it", "part that is kept", "halved"]
    said = (
        f"Recall@10 in the scope, over {HORIZON:,} events after the change, of an engine that"
        " learns nothing from then on:"
    )
    return f"{said}\n\n{table(headers, cells)}"
