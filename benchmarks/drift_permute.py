"""MovieLens-100K with all item ids permuted in the middle: delay, false episodes, recall."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.drift_logs import (
    PERMUTED_AT,
    draw,
    mean,
    middle,
    movielens,
    permuted,
    pictures,
    shown,
)
from benchmarks.measuring import table
from models.alarms import Kind
from streams.drift_bench import HORIZON, alarms_by_detector, detection_rows, is_named, tried
from streams.drift_trials import ADAPTING, MODES, UNFORGETTING, Trial, run_trial, settings_of
from streams.settings import Settings

N_SEEDS = 10
WINDOWS = {
    "10,000 before": (-10_000, 0),
    "first 1,000": (0, 1_000),
    "next 4,000": (1_000, 5_000),
    "5,000–20,000": (5_000, 20_000),
    "20,000 to the end": (20_000, PERMUTED_AT),
}


def measure(folder: Path, *, is_quick: bool) -> dict[str, Any]:
    """Measure every seed and the log as it is."""
    cases = [
        tried("permute", seed, permuted(folder, "all", seed), Settings())
        for seed in range(2 if is_quick else N_SEEDS)
    ]
    draw(cases[0], pictures(folder, is_quick=is_quick))
    plain = movielens(folder)
    undrifted = {
        mode: _recalls(run_trial(plain.events, plain.content, settings_of(mode, Settings())))
        for mode in (ADAPTING, UNFORGETTING)
    }
    rows = []
    for case in cases:
        stories = [s for s in case.trials[ADAPTING].stories if s.line is not None]
        before = [s for s in stories if (s.line or 0) <= PERMUTED_AT]
        after = next((s for s in stories if (s.line or 0) > PERMUTED_AT), None)
        rows.append(
            {
                "seed": case.seed,
                "delay": None if after is None else (after.line or 0) - 1 - PERMUTED_AT,
                "named": after is not None and is_named(after, case.planted[0]),
                "before": len(before),
                "before_global": sum(
                    s.record.kind is Kind.CONCEPT and s.record.scopes[0].scope == "all"
                    for s in before
                ),
                "recall": {mode: _recalls(trial) for mode, trial in case.trials.items()},
            }
        )
    return {
        "rows": rows,
        "undrifted": undrifted,
        "detectors": detection_rows(cases, HORIZON),
        "alarms_before": _alarms_before([alarms_by_detector(case) for case in cases]),
    }


def _recalls(trial: Trial) -> dict[str, float]:
    return {
        name: trial.recall(PERMUTED_AT + first, PERMUTED_AT + last)
        for name, (first, last) in WINDOWS.items()
    }


def _alarms_before(cases: list[dict[str, list[int]]]) -> dict[str, float]:
    return {
        name: sum(at < PERMUTED_AT for case in cases for at in case[name]) / len(cases)
        for name in cases[0]
    }


def page(found: dict[str, Any]) -> str:
    """Return the tables."""
    rows, detectors = found["rows"], found["detectors"]
    delays = [row["delay"] for row in rows]
    known = [delay for delay in delays if delay is not None]
    modes = {mode: [row["recall"][mode] for row in rows] for mode in MODES}
    recall = [
        [mode, *(shown(mean(own, name), ".3f") for name in WINDOWS)] for mode, own in modes.items()
    ]
    gain = [_gain(mean(modes[ADAPTING], name), mean(modes[UNFORGETTING], name)) for name in WINDOWS]
    recall.append(["adapting over no forgetting", *gain])
    recall += [
        [f"undrifted log, {mode}", *(shown(own[name], ".3f") for name in WINDOWS)]
        for mode, own in found["undrifted"].items()
    ]
    compared = [
        [
            row["detector"],
            f"{row['detected']} of {row['changes']}",
            shown(row["median_delay"]),
            f"{found['alarms_before'][row['detector']]:.1f}",
            shown(row["precision"], ".2f"),
            shown(row["mean_time_ratio"]),
        ]
        for row in detectors
    ]
    headers = ["detector", "found", "delay (median)", "alarms before", "precision", "MTR"]
    before, before_global = (middle(row[n] for row in rows) for n in ("before", "before_global"))
    said = (
        f"{len(known)} of {len(rows)} found; delay {shown(middle(delays))} events in the median,"
        f" {shown(max(known, default=None))} at worst; named (all) in"
        f" {sum(row['named'] for row in rows)}. Episodes in the 50,000 events before:"
        f" {shown(before)}, of them lists that became worse for all: {shown(before_global)}"
        " (medians)."
    )
    return "\n\n".join(
        [
            "## MovieLens-100K, all ids permuted at event 50,000",
            said,
            table(headers, compared),
            "Recall@10 relative to the change, means over the seeds:",
            table(["", *WINDOWS], recall),
            "![Quality, truth and episodes of the first seed](drift/permute.svg)",
        ]
    )


def _gain(ours: float | None, theirs: float | None) -> str:
    return "–" if ours is None or not theirs else f"{ours / theirs - 1:+.0%}"
